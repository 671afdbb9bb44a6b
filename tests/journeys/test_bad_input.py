"""Is everything that cannot be answered refused by an error of its own kind, with what to do about it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sam3_onnx import Box, Capabilities, Sam3Session
from sam3_onnx.errors import (
    BoxError,
    EmptyPromptError,
    MarkError,
    OptionError,
    PictureDecodeError,
    PictureTooLargeError,
    PictureTypeError,
    PromptTooLongError,
    UnsupportedPromptError,
)
from sam3_onnx.testing import FakeFamily
from tests.support.places import NATIVE
from tests.support.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def session() -> Iterator[Sam3Session]:
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as opened:
        yield opened


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
    assert "pass a higher max_pixels=, or max_pixels=None to switch the limit off" in text


# Prompts


def test_a_prompt_of_too_many_tokens(session: Sam3Session) -> None:
    before = session.cache.info().misses
    text = refused(PromptTooLongError, session.predict, np.zeros_like(IMAGE), ["dog " * 31])
    assert "is too long: expected at most 32 tokens with start and end, got 33. Shorten it, or pass truncate" in text
    assert session.cache.info().misses == before
    assert isinstance(session.predict(IMAGE, ["dog " * 30], conf_threshold=1).labels, list)


@pytest.mark.parametrize("empty", ["", " ", ",. \uff0c\u3002", [], [""], {}])
def test_an_empty_prompt(session: Sam3Session, empty: object) -> None:
    text = refused(EmptyPromptError, session.predict, IMAGE, empty)
    assert text.startswith("The prompt is empty: expected at least one word or one positive box, got the text ")
    assert f"got the text {empty!r}." in text


def test_neither_word_nor_box_and_negative_boxes_alone(session: Sam3Session) -> None:
    assert "got no word and no box." in refused(EmptyPromptError, session.predict, IMAGE)
    assert "got no word and no box." in refused(EmptyPromptError, session.predict, IMAGE, boxes=[])
    negative = [Box(1, 1, 9, 9, positive=False)]
    assert "got 1 negative boxes and no word." in refused(EmptyPromptError, session.predict, IMAGE, boxes=negative)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((90, 0, 95, 10), "it is outside the picture"),
        ((-20, -20, 0, 0), "it is outside the picture"),
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
        "The small model does not support 2 boxes in one prompt; it supports words and at most 1 positive boxes "
        "of examples. "
        "Ask with fewer boxes at a time, or use an export that takes several, such as a native bundle."
    )
    text = refused(UnsupportedPromptError, limited.predict, IMAGE, "coin", boxes=[negative])
    assert text.startswith(
        "The small model does not support negative boxes; it supports words and at most 1 positive boxes"
    )
    text = refused(OptionError, limited.predict, IMAGE, "coin", conf_threshold=0.4)
    assert text.startswith("conf_threshold must be at least 0.5 with a model of the small family, whose decoder cuts")
    wordless = FakeFamily({}, capabilities=Capabilities(family="wordless", input_size=(8, 8), text=False))
    text = refused(UnsupportedPromptError, Sam3Session(wordless, model="wordless").predict, IMAGE, "coin")
    assert text.startswith("The wordless model does not support words; it supports boxes of examples.")
    assert family.calls["encode_image"] == 0
