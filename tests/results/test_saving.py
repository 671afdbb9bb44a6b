"""Results written to files, cut out of their pictures, and shown."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image, ImageShow

from sam3_onnx import Sam3Session, Segmentation, load_image
from sam3_onnx.draw.notebook import NOTEBOOK_SIDE
from sam3_onnx.errors import DisplayError, InstanceIndexError, OptionError, OutputExistsError, PictureTypeError
from sam3_onnx.testing import FakeFamily, FakeInstance, FakeTracker, fake_session
from tests.support.instances import NOTHING, SIZE, instance

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FOUND = [FakeInstance((0.1, 0.2, 0.5, 0.8)), FakeInstance((0.5, 0.5, 0.9, 0.9), score=0.7)]


def noise(size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "coins.png"), noise())
    return tmp_path / "coins.png"


@pytest.fixture
def result(path: Path) -> Segmentation:
    return fake_session({"coin": FOUND}).predict(path, "coin")


class TestSave:
    @pytest.mark.parametrize("name", ["found.png", "found.PNG"])
    def test_a_png_holds_the_drawing_to_the_pixel(self, result: Segmentation, tmp_path: Path, name: str) -> None:
        assert result.save(tmp_path / name, labels=False) == tmp_path / name
        np.testing.assert_array_equal(load_image(tmp_path / name), result.draw(labels=False))

    @pytest.mark.parametrize("ending", [".jpg", ".jpeg", ".webp"])
    def test_other_formats_go_by_the_ending(self, result: Segmentation, tmp_path: Path, ending: str) -> None:
        orange = np.full((*SIZE, 3), (220, 120, 30), np.uint8)
        written = Segmentation((), result.size).save(str(tmp_path / f"found{ending}"), orange)
        assert np.abs(load_image(written).astype(int) - orange).max() < 8

    def test_a_picture_that_is_passed_in_opencvs_order_keeps_its_colours(
        self, result: Segmentation, path: Path, tmp_path: Path
    ) -> None:
        result.save(tmp_path / "found.png", load_image(path)[..., ::-1], color="bgr")
        np.testing.assert_array_equal(load_image(tmp_path / "found.png"), result.draw())

    def test_a_file_that_is_there_is_replaced_only_if_asked(self, result: Segmentation, tmp_path: Path) -> None:
        target = tmp_path / "found.png"
        target.write_bytes(b"mine")
        with pytest.raises(OutputExistsError, match="overwrite=True"):
            result.save(target)
        assert target.read_bytes() == b"mine"
        result.save(target, overwrite=True)
        assert load_image(target).shape == (*SIZE, 3)

    def test_the_picture_itself_is_never_replaced(self, result: Segmentation, path: Path) -> None:
        before = path.read_bytes()
        (path.parent / "link.png").symlink_to(path)
        for target in (path, path.parent / "link.png"):
            with pytest.raises(OutputExistsError, match="the picture itself"):
                result.save(target, overwrite=True)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("name", ["found.txt", "found", "missing/found.png", "folder.png", ""])
    def test_other_places_are_refused_by_their_names(self, result: Segmentation, tmp_path: Path, name: str) -> None:
        (tmp_path / "folder.png").mkdir()
        with pytest.raises(OptionError, match="path must be"):
            result.save(tmp_path / name)

    def test_a_picture_that_the_format_cannot_hold_is_refused(self, tmp_path: Path) -> None:
        wide = np.zeros((1, 20000, 3), np.uint8)
        found = Segmentation((), (1, 20000))
        with pytest.raises(OptionError, match="20000 x 1 pixels"):
            found.save(tmp_path / "found.webp", wide)
        assert list(tmp_path.iterdir()) == []

    def test_one_object_is_saved_as_its_best_candidate(self, path: Path) -> None:
        one = Sam3Session(FakeFamily({}), tracker=FakeTracker(), model="fake").predict_object(path, points=[(45, 30)])
        np.testing.assert_array_equal(load_image(one.save(path.with_name("one.png"))), one.draw())


class TestCrop:
    def test_the_rectangle_of_the_mask_is_cut_out(self, result: Segmentation, path: Path) -> None:
        x1, y1, x2, y2 = result[1].rectangle() or (0, 0, 0, 0)
        picture = load_image(path)
        np.testing.assert_array_equal(result.crop(1), picture[y1:y2, x1:x2])
        np.testing.assert_array_equal(result.crop(result[1], pad=3), picture[y1 - 3 : y2 + 3, x1 - 3 : x2 + 3])
        np.testing.assert_array_equal(result.crop(-1, pad=1000), picture)
        np.testing.assert_array_equal(result.crop(-1, pad=np.uint8(200)), result.crop(-1, pad=200))  # type: ignore[arg-type]
        np.testing.assert_array_equal(
            result.crop(1, pad=y1 + 2)[:, :1], picture[: y2 + y1 + 2, x1 - y1 - 2 : x1 - y1 - 1]
        )
        np.testing.assert_array_equal(result.crop(1, color="bgr"), picture[y1:y2, x1:x2, ::-1])

    def test_beside_the_mask_it_is_transparent_if_asked(self, result: Segmentation) -> None:
        x1, y1, x2, y2 = result[0].rectangle() or (0, 0, 0, 0)
        cut = result.crop(0, transparent=True)
        np.testing.assert_array_equal(cut[..., :3], result.crop(0))
        np.testing.assert_array_equal(cut[..., 3], np.where(result[0].mask[y1:y2, x1:x2], 255, 0))
        np.testing.assert_array_equal(result.crop(0, transparent=True, color="bgr"), cut[..., [2, 1, 0, 3]])

    @pytest.mark.parametrize("box", [(10.5, 20.2, 30.1, 40.9), (90, 60, 90, 60), (0, 0, 0, 0)])
    def test_an_empty_mask_is_cut_out_along_its_box(self, box: tuple[float, ...]) -> None:
        cut = Segmentation((instance(NOTHING, box=box),), SIZE).crop(0, noise(), transparent=True)
        assert cut.shape == ((21, 21, 4) if box[0] == 10.5 else (1, 1, 4))
        assert not cut[..., 3].any()

    def test_a_crop_shares_no_memory_with_the_picture(self, result: Segmentation) -> None:
        picture = noise()
        assert not np.shares_memory(result.crop(0, picture), picture)

    def test_what_cannot_be_cut_out_is_refused(self, result: Segmentation) -> None:
        with pytest.raises(InstanceIndexError):
            result.crop(2)
        for other in (instance(~NOTHING), [0, 1]):
            with pytest.raises(OptionError, match="one instance of this result"):
                result.crop(other)  # type: ignore[arg-type] # wrong on purpose
        for name, value in (("pad", -1), ("pad", 0.5), ("transparent", 1), ("color", "hsv")):
            with pytest.raises(OptionError, match=f"{name} must be"):
                result.crop(0, **{name: value})  # type: ignore[arg-type] # wrong on purpose
        with pytest.raises(PictureTypeError, match="picture of this result"):
            result.crop(0, noise((61, 90)))


class TestShow:
    def test_a_notebook_displays_it_below_the_cell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown: list[SimpleNamespace] = []
        kernel = SimpleNamespace(kernel=object())
        ipython = SimpleNamespace(get_ipython=lambda: kernel, display=SimpleNamespace(display=shown.append))
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        tall = np.zeros((3000, 1000, 3), np.uint8)
        fake_session({"coin": FOUND}).predict(tall, "coin").show()
        assert load_image(shown[0]._repr_png_()).shape == (NOTEBOOK_SIDE, 341, 3)

    def test_a_desktop_has_a_viewer(self, result: Segmentation, monkeypatch: pytest.MonkeyPatch) -> None:
        shown: list[Image.Image] = []

        def show(image: Image.Image, title: str) -> bool:
            assert title == "90 x 60: 2 coin"
            shown.append(image)
            return True

        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setattr(ImageShow, "show", show)
        result.show(fill=False)
        np.testing.assert_array_equal(np.asarray(shown[0]), result.draw(fill=False))

    @pytest.mark.parametrize("display", ["", ":0"])
    def test_without_a_screen_or_a_viewer_it_says_what_to_do(
        self, result: Segmentation, monkeypatch: pytest.MonkeyPatch, display: str
    ) -> None:
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setattr(ImageShow, "show", lambda _, title: title == "")
        with pytest.raises(DisplayError, match=r"result\.save\("):
            result.show()
