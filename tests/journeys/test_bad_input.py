"""Is everything that cannot be answered refused by an error of its own kind, with what to do about it?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from sam3_onnx import Box, Capabilities, Sam3Session
from sam3_onnx.errors import (
    AmbiguousFolderError,
    BoxError,
    EmptyPromptError,
    MarkError,
    ModelAnswerError,
    ModelFileDamagedError,
    ModelFileMissingError,
    OptionError,
    PictureDecodeError,
    PictureTooLargeError,
    PictureTypeError,
    PromptTooLongError,
    ProviderError,
    Sam3Error,
    UnknownFamilyError,
    UnknownModelError,
    UnsupportedPromptError,
)
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.testing import FakeFamily
from tests.support.places import NATIVE

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

ROLES = ("image_encoder", "text_encoder", "decoder")
IMAGE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def session() -> Iterator[Sam3Session]:
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundle that may be spoiled."""
    for role in ROLES:
        shutil.copyfile(NATIVE / f"{role}.onnx", tmp_path / f"{role}.onnx")
    return tmp_path


def files(folder: Path) -> dict[str, Path]:
    return {role: folder / f"{role}.onnx" for role in ROLES}


def refused(kind: type[Sam3Error], call: Callable[..., object], *arguments: object, **options: object) -> str:
    with pytest.raises(kind) as error:
        call(*arguments, **options)
    assert isinstance(error.value, Sam3Error)
    return str(error.value)


# Model files


@pytest.mark.parametrize("role", ROLES)
def test_a_model_file_that_is_missing(folder: Path, role: str) -> None:
    (folder / f"{role}.onnx").unlink()
    named = refused(ModelFileMissingError, Sam3Session.from_files, **files(folder))
    assert named == (
        f"The {role.replace('_', ' ')} is missing: no file at {folder / role}.onnx. "
        "Check the path, or copy the file there."
    )
    found = refused(UnknownFamilyError, Sam3Session.from_folder, folder)
    assert f"{folder} holds no known SAM 3 export. The graphs there have:\n  " in found
    assert found.endswith(f"Nearest is the native family: no graph there is its {role.replace('_', ' ')}.")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_model_file_that_is_cut_off(folder: Path, role: str, share: float) -> None:
    path = folder / f"{role}.onnx"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    for text in (
        refused(ModelFileDamagedError, Sam3Session.from_folder, folder),
        refused(ModelFileDamagedError, Sam3Session.from_files, **files(folder)),
    ):
        assert text.startswith(f"The model file {path} is damaged or not an ONNX model: expected ")
        assert text.endswith(" Download or copy it again.")


def test_a_file_that_only_onnxruntime_finds_to_be_broken(folder: Path) -> None:
    path = folder / "decoder.onnx"
    content = path.read_bytes()
    assert b"LayerNormalization" in content
    path.write_bytes(content.replace(b"LayerNormalization", b"LayerNormalisation"))
    text = refused(ModelFileDamagedError, Sam3Session.from_folder, folder)
    assert f"{path} is damaged" in text
    assert "expected a loadable ONNX model, got a file that onnxruntime refuses: " in text


def test_a_folder_that_is_missing_empty_or_a_file(tmp_path: Path) -> None:
    nowhere, file = tmp_path / "nowhere", NATIVE / "decoder.onnx"
    text = refused(ModelFileMissingError, Sam3Session.from_folder, nowhere)
    assert text.startswith(f"The model folder is missing: no file at {nowhere}. Check the path; expected a folder")
    text = refused(ModelFileMissingError, Sam3Session.from_folder, file)
    assert text.startswith(f"The model folder is missing: {file} is a file. Name the folder that holds it, or name")
    text = refused(UnknownFamilyError, Sam3Session.from_folder, tmp_path)
    assert text == f"{tmp_path} holds no known SAM 3 export. The graphs there have:\n  (no .onnx file)"


def test_a_graph_of_no_known_family(folder: Path) -> None:
    shutil.copyfile(folder / "decoder.onnx", folder / "text_encoder.onnx")
    text = refused(UnknownFamilyError, Sam3Session.from_files, **files(folder))
    assert text.startswith(
        "The list of files holds no known SAM 3 export. The graphs there have:\n  image_encoder.onnx"
    )
    assert "text_encoder.onnx: (fpn_0 float32[" in text
    assert text.endswith("text_encoder.onnx was given as text encoder and looks like a decoder.")


def test_swapped_files_are_named_with_their_roles(folder: Path) -> None:
    given = files(folder)
    given["image_encoder"], given["text_encoder"] = given["text_encoder"], given["image_encoder"]
    text = refused(UnknownFamilyError, Sam3Session.from_files, **given)
    assert text.splitlines()[-1] == (
        "text_encoder.onnx was given as image encoder and looks like a text encoder. "
        "image_encoder.onnx was given as text encoder and looks like an image encoder."
    )


def test_a_folder_with_two_candidates_for_a_part(folder: Path) -> None:
    shutil.copyfile(folder / "text_encoder.onnx", folder / "words.onnx")
    assert refused(AmbiguousFolderError, Sam3Session.from_folder, folder) == (
        f"{folder} holds more than one part to choose from (text_encoder: text_encoder.onnx, words.onnx). "
        "Keep one of each in the folder, or name the files with Sam3Session.from_files(...)."
    )


@pytest.mark.peers
def test_a_folder_with_two_families(folder: Path, peer_fixtures: Path) -> None:
    for path in (peer_fixtures / "A_six_file").glob("*.onnx*"):
        shutil.copyfile(path, folder / path.name)
    text = refused(AmbiguousFolderError, Sam3Session.from_folder, folder)
    assert "native: image_encoder.onnx, text_encoder.onnx, decoder.onnx; six-file: sam3_image_encoder.onnx, " in text
    assert text.endswith("Choose one with family=..., or keep one export in a folder.")
    for family in ("native", "six-file"):
        with Sam3Session.from_folder(folder, family=family) as opened:
            assert opened.capabilities.family == family
    text = refused(UnknownFamilyError, Sam3Session.from_folder, folder, family="tracker")
    assert text.startswith(f"{folder} holds no tracker export. The graphs there have:\n  decoder.onnx: (fpn_0")
    assert "family must be one of native, six-file" in refused(OptionError, Sam3Session.from_folder, folder, family="B")


@pytest.mark.peers
def test_parts_of_two_families_do_not_make_one(folder: Path, peer_fixtures: Path) -> None:
    given = files(folder) | {"decoder": peer_fixtures / "A_six_file" / "sam3_decoder.onnx"}
    text = refused(UnknownFamilyError, Sam3Session.from_files, **given)
    assert "sam3_decoder.onnx: (original_height int64[]" in text


def test_a_graph_beside_the_model_that_is_none_of_its_parts_does_no_harm(folder: Path) -> None:
    content = (folder / "text_encoder.onnx").read_bytes()
    (folder / "other.onnx").write_bytes(content.replace(b"text_mask", b"book_mask"))
    with Sam3Session.from_folder(folder) as opened:
        assert opened.capabilities.family == "native"


def test_a_name_that_no_model_has() -> None:
    text = refused(UnknownModelError, Sam3Session.from_pretrained, "sam-3-giant")
    assert text.startswith("No model is called 'sam-3-giant'. Known names: miniature")
    assert "use Sam3Session.from_folder(FOLDER)" in text


# Providers and options


def test_a_provider_that_is_not_there_or_is_misspelt() -> None:
    text = refused(ProviderError, Sam3Session.from_folder, NATIVE, provider="tensorrt")
    assert text.startswith("Execution provider TensorrtExecutionProvider did not become active: ")
    assert text.endswith("`pip install onnxruntime-gpu`. Or choose provider='cpu'.")
    text = refused(OptionError, Sam3Session.from_folder, NATIVE, provider="cudaa")
    assert text.startswith('provider must be "auto", one of cpu, cuda, ')
    assert text.endswith("got 'cudaa'.")


@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("nan"), float("inf"), "0.5", True])
def test_a_threshold_outside_its_range(session: Sam3Session, wrong: object) -> None:
    expected = f"conf_threshold must be a number in 0..1, got {wrong!r}."
    assert refused(OptionError, session.predict, IMAGE, "coin", conf_threshold=wrong) == expected
    assert refused(OptionError, Sam3Session.from_folder, NATIVE, conf_threshold=wrong) == expected


@pytest.mark.parametrize("wrong", [-0.5, 1.5, "0.1", float("nan")])
def test_an_epsilon_outside_its_range(wrong: object) -> None:
    text = refused(OptionError, Sam3Session.from_folder, NATIVE, epsilon=wrong)
    assert text == f"epsilon must be a fraction of the perimeter in 0..1, got {wrong!r}."


def test_a_feature_precision_that_does_not_exist() -> None:
    text = refused(OptionError, Sam3Session.from_folder, NATIVE, feature_precision="float8")
    assert text == 'feature_precision must be "float16" or "exact", got \'float8\'.'


@pytest.mark.parametrize("wrong", [-0.1, 1.1, True, "0.5", float("nan")])
def test_an_overlap_outside_its_range(session: Sam3Session, wrong: object) -> None:
    text = refused(OptionError, session.predict, IMAGE, "coin", nms=wrong)
    assert text == f"nms must be an IoU in 0..1, False or None, got {wrong!r}."


# Pictures


def test_a_picture_that_cannot_be_read(session: Sam3Session, tmp_path: Path) -> None:
    cut = tmp_path / "cut.png"
    cut.write_bytes(cv2.imencode(".png", IMAGE)[1].tobytes()[:4000])
    empty = tmp_path / "empty.jpg"
    empty.touch()
    text_file = tmp_path / "text.png"
    text_file.write_text("no picture")
    for path in (cut, empty, text_file):
        for call in (session.encode, lambda picture: session.predict(picture, "coin")):
            text = refused(PictureDecodeError, call, path)
            assert str(path) in text
            assert "cannot be decoded: " in text


def test_an_array_that_is_no_picture(session: Sam3Session) -> None:
    wrong = [
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.bool_),
        np.zeros((4, 4, 5), np.uint8),
        None,
        3,
    ]
    for array in wrong:
        assert refused(PictureTypeError, session.predict, array, "coin").startswith("Not a usable picture: expected ")


def test_a_picture_beyond_the_limit(session: Sam3Session, coins: Path) -> None:
    text = refused(PictureTooLargeError, session.predict, coins, "coin", max_pixels=1000)
    assert "more than the limit of 1000" in text
    assert "pass max_pixels= with a higher limit" in text


# Prompts


def test_a_prompt_of_too_many_tokens(session: Sam3Session) -> None:
    before = session.cache.info().misses
    text = refused(PromptTooLongError, session.predict, np.zeros_like(IMAGE), ["dog " * 31])
    assert "has 33 tokens including start and end, the model takes at most 32. Shorten it, or pass truncate" in text
    assert session.cache.info().misses == before
    assert isinstance(session.predict(IMAGE, ["dog " * 30], conf_threshold=1).labels, list)


@pytest.mark.parametrize("empty", ["", " ", ",. \uff0c\u3002", [], [""], {}])
def test_an_empty_prompt(session: Sam3Session, empty: object) -> None:
    text = refused(EmptyPromptError, session.predict, IMAGE, empty)
    assert text.startswith("Nothing was asked for: expected at least one word or one positive box, got the text ")
    assert f"got the text {empty!r}." in text


def test_neither_word_nor_box_and_negative_boxes_alone(session: Sam3Session) -> None:
    assert "got no word and no box." in refused(EmptyPromptError, session.predict, IMAGE)
    assert "got no word and no box." in refused(EmptyPromptError, session.predict, IMAGE, boxes=[])
    negative = [Box(1, 1, 9, 9, positive=False)]
    assert "got 1 negative boxes and no word." in refused(EmptyPromptError, session.predict, IMAGE, boxes=negative)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((90, 0, 95, 10), "it lies outside the picture"),
        ((-20, -20, 0, 0), "it lies outside the picture"),
        ((5, 5, 5, 40), "it has no area"),
        ((1, 2, 3), "it is not four finite numbers"),
        ((1, 2, 3, float("nan")), "it is not four finite numbers"),
        ("1234", "it is not four finite numbers"),
    ],
)
def test_a_box_that_shows_nothing(session: Sam3Session, box: object, reason: str) -> None:
    text = refused(BoxError, session.predict, IMAGE, "coin", boxes=[box])
    assert text.startswith(f"The box {box!r} cannot be used: {reason}. Expected ")
    assert "inside the picture of 90 x 60 pixels (width x height)." in text


def test_a_mark_of_another_form(session: Sam3Session) -> None:
    mark = {"type": "rectangle", "data": [1, 1, 9, 9], "label": 2}
    text = refused(MarkError, session.predict, IMAGE, marks=[mark])
    assert f"The mark {mark!r} cannot be used: its label is 2." in text


def test_what_the_model_cannot_take() -> None:
    small = Capabilities(family="small", input_size=(8, 8), max_boxes=1, negative_boxes=False, lowest_threshold=0.5)
    family = FakeFamily({}, capabilities=small)
    limited = Sam3Session(family, model="small")
    positive, negative = Box(1, 1, 9, 9), Box(1, 1, 9, 9, positive=False)
    assert refused(UnsupportedPromptError, limited.predict, IMAGE, boxes=[positive, positive]) == (
        "The small model cannot take 2 boxes in one prompt; it takes words and at most 1 positive boxes of examples. "
        "Ask with fewer boxes at a time, or use an export that takes several, such as a native bundle."
    )
    text = refused(UnsupportedPromptError, limited.predict, IMAGE, "coin", boxes=[negative])
    assert text.startswith("The small model cannot take negative boxes; it takes words and at most 1 positive boxes")
    text = refused(OptionError, limited.predict, IMAGE, "coin", conf_threshold=0.4)
    assert text.startswith("conf_threshold must be at least 0.5 with a model of the small family, whose decoder cuts")
    wordless = FakeFamily({}, capabilities=Capabilities(family="wordless", input_size=(8, 8), text=False))
    text = refused(UnsupportedPromptError, Sam3Session(wordless, model="wordless").predict, IMAGE, "coin")
    assert text.startswith("The wordless model cannot take words; it takes boxes of examples.")
    assert family.calls["encode_image"] == 0


# The model's answer


def spoil(monkeypatch: pytest.MonkeyPatch, output: str, value: float) -> None:
    """Every graph answers with one wrong number in the output of that name."""
    run = OnnxModel.run

    def spoilt(
        model: OnnxModel,
        outputs: Sequence[str],
        feeds: Mapping[str, NDArray[np.generic]],
        *,
        cancel: threading.Event | None = None,
    ) -> list[NDArray[Any]]:
        answers = [answer.copy() for answer in run(model, outputs, feeds, cancel=cancel)]
        if output in outputs:
            answers[list(outputs).index(output)].flat[-1] = value
        return answers

    monkeypatch.setattr(OnnxModel, "run", spoilt)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    ("output", "named"),
    [("logits", "logits"), ("presence", "presence"), ("boxes_xyxy", "boxes"), ("masks", "masks")],
)
def test_a_number_that_is_none_in_the_models_answer(
    monkeypatch: pytest.MonkeyPatch, output: str, named: str, value: float
) -> None:
    spoil(monkeypatch, output, value)
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as opened:
        text = refused(ModelAnswerError, opened.predict, IMAGE, "coin", conf_threshold=0.0)
    assert text.startswith(f"The model's output {named!r} holds ")
    assert "values that are NaN or infinite, expected finite numbers. The weights are damaged, or the provider" in text


@pytest.mark.parametrize("output", ["fpn_2", "text_features"])
def test_a_nan_on_its_way_through_the_model_is_found_at_its_end(monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    spoil(monkeypatch, output, float("nan"))
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as opened:
        assert "'logits' holds" in refused(ModelAnswerError, opened.predict, IMAGE, "coin")


@pytest.mark.peers
@pytest.mark.parametrize("output", ["scores", "boxes", "backbone_fpn_0", "backbone_fpn_2", "text_memory"])
def test_the_six_file_decoder_cannot_cut_a_nan_away(
    monkeypatch: pytest.MonkeyPatch, peer_fixtures: Path, output: str
) -> None:
    """It keeps scores above 0.5, which a NaN is not: the answer would be that nothing was found."""
    spoil(monkeypatch, output, float("nan"))
    with Sam3Session.from_folder(peer_fixtures / "A_six_file", provider="cpu", threads=1) as opened:
        text = refused(ModelAnswerError, opened.predict, IMAGE, "person, coin")
        assert text.startswith(f"The model's output {output!r} holds ")
        assert opened.cache.info().entries == (0 if output.startswith("backbone") else 1)
