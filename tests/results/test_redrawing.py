"""Is a result drawn on the picture that was asked about, in a file, in memory and in a notebook?"""

from __future__ import annotations

import gc
import pickle
import re
import weakref
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from sam3_onnx import Sam3Session, Segmentation, load_image
from sam3_onnx.draw import draw_result
from sam3_onnx.draw.notebook import NOTEBOOK_ROWS, NOTEBOOK_SIDE
from sam3_onnx.errors import OptionError, PictureDecodeError, PictureGoneError, PictureTypeError
from sam3_onnx.testing import FakeFamily, FakeInstance, FakeTracker, fake_session

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FOUND = [FakeInstance((0.1, 0.2, 0.5, 0.8)), FakeInstance((0.5, 0.5, 0.9, 0.9), score=0.7)]


def noise(seed: int = 0, size: tuple[int, int] = (60, 90)) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


@pytest.fixture
def session() -> Sam3Session:
    return fake_session({"coin": FOUND, "visual": FOUND})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "coins.png"), noise())
    return tmp_path / "coins.png"


def shown(result: Segmentation) -> tuple[bytes | None, str]:
    """What a notebook asks for."""
    return result._repr_png_(), result._repr_html_()


def decoded(png: bytes | None) -> NDArray[np.uint8]:
    assert png is not None
    return load_image(png)


class TestWhichPicture:
    def test_a_file_is_read_again(self, session: Sam3Session, path: Path) -> None:
        result = session.predict(path, "coin")
        np.testing.assert_array_equal(result.draw(), draw_result(load_image(path), result))
        assert not np.array_equal(result.draw(), load_image(path))
        assert not np.array_equal(result.draw(), result.draw(opacity=1.0))

    def test_a_file_is_found_from_another_folder(
        self, session: Sam3Session, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(path.parent)
        result = session.predict(path.name, "coin")
        monkeypatch.chdir(path.parent.parent)
        assert result.draw().shape == (60, 90, 3)

    def test_a_turned_photograph_is_drawn_upright(self, session: Sam3Session, tmp_path: Path) -> None:
        pil = pytest.importorskip("PIL.Image")
        image = pil.fromarray(noise())
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(tmp_path / "turned.jpg", exif=exif)
        result = session.predict(tmp_path / "turned.jpg", "coin")
        assert result.draw().shape == (90, 60, 3)

    def test_an_array_is_held_without_a_copy_as_long_as_its_result(self, session: Sam3Session) -> None:
        array = noise()
        expected = draw_result(array, session.predict(array, "coin"))
        result = session.predict(array, "coin")
        held = weakref.ref(array)
        del array
        np.testing.assert_array_equal(result.draw(), expected)
        del result
        gc.collect()
        assert held() is None, "the session must not hold it, nor its cache"

    def test_nothing_is_held_where_nothing_is_to_be_kept(self, path: Path) -> None:
        session = fake_session({"coin": FOUND}, keep_pictures=False)
        array = noise()
        results = [session.predict(array, "coin"), *(result for _, result in session.annotate([array], "coin"))]
        embedding, held = session.encode(array), weakref.ref(array)
        del array
        gc.collect()
        assert held() is None
        for result in (*results, session.predict(embedding, "coin"), session.predict(path.read_bytes(), "coin")):
            with pytest.raises(PictureGoneError, match=r"session keeps no pictures.* result\.draw\(image\)"):
                result.draw()
        assert session.predict(path, "coin").draw().shape == (60, 90, 3)
        with pytest.raises(OptionError, match="keep_pictures must be True or False"):
            fake_session({}, keep_pictures="no")  # type: ignore[arg-type] # wrong on purpose

    def test_the_channel_order_of_an_array_is_remembered(self, session: Sam3Session) -> None:
        array = noise()
        result = session.predict(array, "coin", color="bgr")
        np.testing.assert_array_equal(result.draw(), draw_result(array[..., ::-1].copy(), result))

    def test_a_pil_image_is_held(self, session: Sam3Session) -> None:
        image = pytest.importorskip("PIL.Image").fromarray(noise())
        result = session.predict(image, "coin")
        np.testing.assert_array_equal(result.draw(), draw_result(noise(), result))

    def test_a_pil_image_that_was_closed_is_gone(self, session: Sam3Session, path: Path) -> None:
        image = pytest.importorskip("PIL.Image").open(path)
        result = session.predict(image, "coin")
        image.close()
        with pytest.raises(PictureGoneError, match="PngImageFile cannot be read any more"):
            result.draw()
        assert shown(result)[0] is None

    def test_an_array_that_was_written_to_is_not_drawn_on(self, session: Sam3Session) -> None:
        frame = noise(1)
        result = session.predict(frame, "coin")
        frame[:] = noise(2)
        with pytest.raises(PictureGoneError, match="the ndarray has other pixels now"):
            result.draw()

    @pytest.mark.parametrize("now", ["another picture", "no picture", "nothing"])
    def test_a_file_that_changed_is_not_drawn_on(self, session: Sam3Session, path: Path, now: str) -> None:
        result = session.predict(path, "coin")
        if now == "another picture":
            cv2.imwrite(str(path), noise(2))
        elif now == "no picture":
            path.write_bytes(b"no picture")
        else:
            path.unlink()
        with pytest.raises(PictureGoneError, match=r"coins\.png"):
            result.draw()

    def test_bytes_of_a_file_are_held_as_they_are(self, session: Sam3Session, path: Path) -> None:
        data = path.read_bytes()
        with path.open("rb") as file:
            pictures: list[Any] = [data, bytearray(data), memoryview(data), file]
            results = [session.predict(picture, "coin") for picture in pictures]
        for result in results:
            np.testing.assert_array_equal(result.draw(), draw_result(load_image(path), result))

    def test_an_open_file_that_is_no_picture_is_named(self, session: Sam3Session, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_bytes(b"no picture")
        with (tmp_path / "notes.txt").open("rb") as file, pytest.raises(PictureDecodeError, match=r"notes\.txt"):
            session.predict(file, "coin")

    def test_a_result_made_by_hand_knows_no_picture(self, session: Sam3Session, path: Path) -> None:
        result = session.predict(path, "coin")
        with pytest.raises(PictureGoneError, match="not known which one"):
            Segmentation(result.instances, result.size).draw()

    def test_a_picture_that_is_passed_is_drawn_on(self, session: Sam3Session, path: Path) -> None:
        result = session.predict(path.read_bytes(), "coin")
        expected = draw_result(load_image(path), result)
        np.testing.assert_array_equal(result.draw(path), expected)
        np.testing.assert_array_equal(result.draw(path, color="bgr"), expected[..., ::-1])
        as_opencv_has_it = result.draw(load_image(path)[..., ::-1], color="bgr")
        np.testing.assert_array_equal(as_opencv_has_it, expected[..., ::-1])
        assert as_opencv_has_it.flags.c_contiguous

    @pytest.mark.parametrize("word", ["coin", "nothing of that"])
    def test_a_picture_of_another_size_is_refused(self, session: Sam3Session, word: str) -> None:
        result = session.predict(noise(), word)
        with pytest.raises(PictureTypeError, match="picture of this result"):
            result.draw(noise(size=(60, 91)))

    def test_options_are_checked(self, session: Sam3Session, path: Path) -> None:
        result = session.predict(path, "coin")
        faults: list[dict[str, object]] = [{"opacity": 1.5}, {"opacity": "0.5"}, {"color": "hsv"}, {"labels": 1}]
        faults.append({"color_mode": "label"})
        for picture in (path, None):
            for wrong in faults:
                with pytest.raises(OptionError, match=f"{next(iter(wrong))} must be"):
                    result.draw(picture, **wrong)  # type: ignore[arg-type] # wrong on purpose
            with pytest.raises(OptionError, match="Did you mean opacity"):
                result.draw(picture, opacty=0.5)  # type: ignore[call-arg] # wrong on purpose

    def test_an_embedding_leads_to_its_picture(self, session: Sam3Session, path: Path) -> None:
        result = session.predict(session.encode(path), "coin")
        np.testing.assert_array_equal(result.draw(), draw_result(load_image(path), result))

    def test_a_cached_embedding_leads_to_the_picture_of_this_call(self, session: Sam3Session, path: Path) -> None:
        array = load_image(path)
        session.predict(array, "coin")
        del array
        result = session.predict(path, "coin")
        assert session.cache.info().hits == 1
        assert result.draw().shape == (60, 90, 3)

    def test_every_result_of_a_row_of_pictures_is_drawn_on_its_own(self, session: Sam3Session) -> None:
        pictures = [noise(seed) for seed in range(3)]
        for picture, result in session.annotate(pictures, "coin"):
            np.testing.assert_array_equal(result.draw(), draw_result(picture, result))

    def test_clicks_are_drawn_too_and_refined_ones(self, path: Path) -> None:
        session = Sam3Session(FakeFamily({}), tracker=FakeTracker(), model="fake")
        one = session.predict_object(path, points=[(45, 30)])
        two = session.predict_object(one, points=[(60, 30)])
        for answer in (one, two):
            np.testing.assert_array_equal(answer.draw(), draw_result(load_image(path), answer.segmentation()))
        assert decoded(one._repr_png_()).shape == (60, 90, 3)
        assert "<td" in one._repr_html_()

    def test_parts_of_a_result_know_the_picture(self, session: Sam3Session, path: Path) -> None:
        result = session.predict(path, "coin")
        for part in (result[:1], result.filter(min_score=0.8), result.sort_by("area"), result.nms()):
            np.testing.assert_array_equal(part.draw(), draw_result(load_image(path), part))

    def test_a_result_in_another_process_knows_the_file_but_no_array(self, session: Sam3Session, path: Path) -> None:
        array = load_image(path)
        of_file, of_array = (session.predict(picture, "coin") for picture in (path, array))
        assert of_file == of_array, "where a picture lies is no part of what was found"
        sent_file, sent_array = pickle.loads(pickle.dumps((of_file, of_array)))  # noqa: S301 - our own bytes
        assert sent_file == sent_array == of_file
        np.testing.assert_array_equal(sent_file.draw(), of_file.draw())
        with pytest.raises(PictureGoneError, match="not pickled"):
            sent_array.draw()
        assert of_array.draw().shape == (60, 90, 3)


class TestNotebook:
    def test_png_and_html_show_the_drawing(self, session: Sam3Session, path: Path) -> None:
        result = session.predict(path, "coin")
        png, html = shown(result)
        np.testing.assert_array_equal(decoded(png), result.draw())
        assert '<img alt="90 x 60: 2 coin" src="data:image/jpeg;base64,' in html
        assert re.findall(r"<td[^>]*>([^<]*)</td>", html)[:2] == ["coin", "0.90"]

    def test_a_large_picture_is_shown_smaller(self, session: Sam3Session) -> None:
        tall = np.zeros((3000, 1000, 3), np.uint8)
        assert decoded(shown(session.predict(tall, "coin"))[0]).shape == (NOTEBOOK_SIDE, 341, 3)

    def test_a_picture_that_is_gone_leaves_the_table(self, session: Sam3Session) -> None:
        found = session.predict(noise(), "coin")
        png, html = shown(Segmentation(found.instances, found.size))
        assert png is None
        assert "<img" not in html
        assert "not known which one" in html
        assert html.count("<tr") == 3

    def test_nothing_found_shows_the_picture_alone(self, session: Sam3Session, path: Path) -> None:
        png, html = shown(session.predict(path, "dog"))
        np.testing.assert_array_equal(decoded(png), load_image(path))
        assert "90 x 60: nothing" in html
        assert "<table" not in html

    def test_what_a_person_typed_is_text_and_no_markup(self, session: Sam3Session, path: Path) -> None:
        label = '<script>alert(1)</script> & "co"'
        html = shown(session.predict(path, {"coin": label}))[1]
        assert "<script" not in html
        assert html.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;") == 4  # title, alt, two rows

    def test_a_long_table_is_cut_and_says_so(self, path: Path) -> None:
        many = fake_session({"coin": [FakeInstance((0.1, 0.1, 0.3, 0.3))] * (NOTEBOOK_ROWS + 7)})
        html = shown(many.predict(path, "coin"))[1]
        assert html.count("<tr") == NOTEBOOK_ROWS + 1
        assert "and 7 more" in html

    def test_the_table_leaves_colours_to_the_page(self, session: Sam3Session, path: Path) -> None:
        html = shown(session.predict(path, "coin"))[1]
        colours = set(re.findall(r"(?<![-\w])(?:color|background):([^;\"]+)", html))
        assert {colour for colour in colours if not colour.startswith("rgb(")} == {"inherit", "transparent"}
        assert html.count("rgb(") == 2, "one swatch for each instance"

    def test_the_html_loads_nothing_from_elsewhere(self, session: Sam3Session, path: Path) -> None:
        html = shown(session.predict(path, "coin"))[1]
        assert "http" not in re.sub(r"base64,[^\"]*", "", html)
