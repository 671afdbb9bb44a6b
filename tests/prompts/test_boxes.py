"""Class lists, boxes and marks are read as people mean them, or refused with the reason."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from collections import UserDict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import BoxError, EmptyPromptError, MarkError, OptionError, UnsupportedPromptError
from sam3_onnx.prompts import (
    VISUAL,
    Box,
    Concept,
    box_labels,
    normalised_cxcywh,
    parse_boxes,
    parse_marks,
    parse_text,
)

if TYPE_CHECKING:
    from sam3_onnx.prompts import BoxesLike, TextLike

SIZE = (480, 640)  # height, width
few = settings(deadline=None, max_examples=100)
coordinate = st.floats(-1000, 2000, allow_nan=False, width=32)
word = st.text(st.sampled_from("abc xyz'-\u8eca\u00e9"), min_size=1, max_size=8).map(str.strip).filter(bool)


def prompts(text: TextLike) -> list[str]:
    return [concept.prompt for concept in parse_text(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("person", ["person"]),
        ("person, truck", ["person", "truck"]),
        ("person.truck", ["person", "truck"]),
        ("person, truck. dog", ["person", "truck", "dog"]),
        ("person. truck.", ["person", "truck"]),
        ("\u4eba\uff0c\u8f66\u3002\u72d7", ["\u4eba", "\u8f66", "\u72d7"]),
        ("\u72ac\u3001\u732b\uff64\u9ce5\uff61\u9b5a\uff0e", ["\u72ac", "\u732b", "\u9ce5", "\u9b5a"]),
        (" , person ,, . ,\n truck , ", ["person", "truck"]),
        ("red car, a big dog", ["red car", "a big dog"]),
        ("2.5 inch pipe", ["2.5 inch pipe"]),
        ("2.5 mm screw. 10.25 mm nut.", ["2.5 mm screw", "10.25 mm nut"]),
        ("\uff12\uff0e\uff15 pipe", ["\uff12\uff0e\uff15 pipe"]),
        (".22 cartridge, .5 inch pipe", [".22 cartridge", ".5 inch pipe"]),
        ("cat.2 dogs", ["cat", "2 dogs"]),
        ("no. 7. cat", ["no", "7", "cat"]),
        ("1,000 coins", ["1", "000 coins"]),
        ("car; bus", ["car; bus"]),
    ],
)
def test_a_string_is_a_class_list(text: str, expected: list[str]) -> None:
    assert prompts(text) == expected


def test_a_list_is_taken_as_it_is() -> None:
    assert prompts(["St. Bernard", " 1,000 yen note ", "", "  ", "St. Bernard"]) == ["St. Bernard", "1,000 yen note"]
    assert prompts(("cat", "dog")) == ["cat", "dog"]


@pytest.mark.parametrize("text", ["Cat, dog, cat", ["Cat", "dog", "cat"], ["Cat", "dog", " \uff23\uff21\uff34"]])
def test_what_the_model_sees_as_one_prompt_is_asked_once(text: TextLike) -> None:
    assert prompts(text) == ["Cat", "dog"]


def test_without_a_mapping_the_label_is_the_prompt() -> None:
    assert parse_text("red car") == (Concept("red car", "red car"),)


@pytest.mark.parametrize("kind", [dict, UserDict])
def test_a_mapping_gives_prompt_and_label(kind: type[dict[str, str] | UserDict[str, str]]) -> None:
    text = kind({"St. Bernard ": " dog ", "red, car": "vehicle", " ": "nothing"})
    assert parse_text(text) == (Concept("St. Bernard", "dog"), Concept("red, car", "vehicle"))


def test_two_prompts_may_share_a_label() -> None:
    assert [concept.label for concept in parse_text({"car": "vehicle", "truck": "vehicle"})] == ["vehicle"] * 2


def test_two_labels_for_one_prompt_are_an_error() -> None:
    assert parse_text({"Car": "a", "car": "a"}) == (Concept("Car", "a"),)
    with pytest.raises(
        OptionError, match=r"one label for each prompt, whatever its case, got \{'Car': 'a', 'car': 'b'\}"
    ):
        parse_text({"Car": "a", "car": "b"})


@pytest.mark.parametrize("text", ["", " ", ",. ,\uff0c\u3002", "\x00", "&nbsp;", [], [""], {}, {" ": "cat"}])
def test_nothing_left_is_an_error(text: TextLike) -> None:
    with pytest.raises(EmptyPromptError, match="expected at least one word or one positive box, got the text"):
        parse_text(text)


@pytest.mark.parametrize("text", [None, 5, b"cat", bytearray(b"cat"), {"cat"}, iter(["cat"]), np.array(["cat"])])
def test_another_type_is_an_error(text: TextLike) -> None:
    expected = "text must be a string, a list of strings, or a mapping of prompt to label, got"
    with pytest.raises(OptionError, match=expected):
        parse_text(text)


@pytest.mark.parametrize("text", [["cat", 5], ["cat", None], [["cat"]], {"cat": 5}, {5: "cat"}, {"cat": None}])
def test_an_item_of_another_type_is_an_error(text: TextLike) -> None:
    with pytest.raises(OptionError, match="text must be made of strings, got"):
        parse_text(text)


def test_a_blank_label_is_an_error() -> None:
    with pytest.raises(OptionError, match="text must be a mapping with a label for each prompt, got ' '"):
        parse_text({"cat": " "})


@given(st.lists(word, min_size=1), st.data())
@few
def test_separators_are_all_the_same(words: list[str], data: st.DataObject) -> None:
    separator = st.sampled_from([",", ".", "\uff0c", "\u3002", " , ", ".,", "\uff0c "])
    text = "".join(item + data.draw(separator) for item in words)
    assert prompts(text) == prompts(words)


@given(st.lists(word, min_size=1))
@few
def test_reading_twice_changes_nothing(words: list[str]) -> None:
    once = prompts(words)
    assert prompts(once) == once
    assert len({prompt.lower() for prompt in once}) == len(once)


def test_boxes_are_taken_in_every_form() -> None:
    expected = (Box(10, 20, 90, 80), Box(5, 6, 9, 9))
    assert parse_boxes([Box(10, 20, 90, 80), (5, 6, 9, 9)], SIZE) == expected
    assert parse_boxes(([10, 20, 90, 80], np.array([5, 6, 9, 9])), SIZE) == expected
    assert parse_boxes(np.array([[10, 20, 90, 80], [5, 6, 9, 9]], dtype=np.float32), SIZE) == expected
    assert parse_boxes((box for box in expected), SIZE) == expected
    assert parse_boxes([], SIZE) == ()
    assert parse_boxes(np.zeros((0, 4)), SIZE) == ()


def test_coordinates_become_plain_floats() -> None:
    (box,) = parse_boxes(np.array([[1, 2, 3, 4]], dtype=np.int64), SIZE)
    assert [type(value) for value in dataclasses.astuple(box)] == [float] * 4 + [bool]


def test_the_sign_of_a_box_is_kept() -> None:
    assert [box.positive for box in parse_boxes([Box(1, 2, 3, 4, positive=False), (1, 2, 3, 4)], SIZE)] == [False, True]


def test_reversed_corners_are_put_in_order() -> None:
    found = parse_boxes([(90, 80, 10, 20), (10, 80, 90, 20), Box(90, 20, 10, 80)], SIZE)
    assert found == (Box(10, 20, 90, 80),) * 3


def test_a_box_partly_outside_is_clipped() -> None:
    assert parse_boxes([(-5, -6, 1000, 1000)], size=(480, 640)) == (Box(0, 0, 640, 480),)
    assert parse_boxes([(639.5, 0, 700, 479)], size=(480, 640)) == (Box(639.5, 0, 640, 479),)


@pytest.mark.parametrize(
    "box", [(640, 0, 700, 10), (0, 480, 10, 500), (-9, 0, 0, 10), (0, -9, 10, 0), Box(1000, 1000, 1100, 1100)]
)
def test_a_box_outside_the_picture_is_an_error(box: Box | tuple[float, ...]) -> None:
    with pytest.raises(BoxError) as caught:
        parse_boxes([box], SIZE)
    assert str(caught.value) == (
        f"The box {box!r} cannot be used: it lies outside the picture. Expected x1, y1, x2, y2 "
        "with an area inside the picture of 640 x 480 pixels (width x height)."
    )


@pytest.mark.parametrize("box", [(10, 10, 10, 20), (10, 10, 20, 10), Box(5, 5, 5, 5)])
def test_a_box_without_area_is_an_error(box: Box | tuple[float, ...]) -> None:
    with pytest.raises(BoxError, match="cannot be used: it has no area"):
        parse_boxes([box], SIZE)


@pytest.mark.parametrize(
    "boxes",
    [
        [(math.nan, 0, 9, 9)],
        [Box(0, 0, math.inf, 9)],
        [(0, 0, 9)],
        [(0, 0, 9, 9, 1)],
        [(0, 0, "9", 9)],
        ["1234"],
        [None],
        [(0, 0, None, 9)],
        [{"x1": 0}],
        [0, 0, 9, 9],
        np.array([0, 0, 9, 9]),
        np.zeros((1, 2, 2)),
        np.zeros((1, 4, 2)),
        7,
    ],
)
def test_what_is_no_box_is_an_error(boxes: BoxesLike) -> None:
    expected = (
        r"cannot be used: it is not four finite numbers. Expected a list of Box\(x1, y1, x2, y2\) or "
        r"\(x1, y1, x2, y2\) inside the picture of 640 x 480 pixels \(width x height\)"
    )
    with pytest.raises(BoxError, match=expected):
        parse_boxes(boxes, SIZE)


@given(coordinate, coordinate, coordinate, coordinate)
@few
def test_a_box_comes_back_inside_or_not_at_all(x1: float, y1: float, x2: float, y2: float) -> None:
    height, width = SIZE
    meets = max(min(x1, x2), 0) < min(max(x1, x2), width) and max(min(y1, y2), 0) < min(max(y1, y2), height)
    if not meets:
        with pytest.raises(BoxError):
            parse_boxes([(x1, y1, x2, y2)], SIZE)
        return
    try:
        (box,) = parse_boxes([(x1, y1, x2, y2)], SIZE)
    except BoxError as error:
        assert "boxes are in pixels, not in fractions" in str(error)  # noqa: PT017 - most boxes are no error
        return
    assert 0 <= box.x1 < box.x2 <= width
    assert 0 <= box.y1 < box.y2 <= height
    assert parse_boxes([box], SIZE) == (box,)
    assert parse_boxes([(x2, y2, x1, y1)], SIZE) == (box,)


@pytest.mark.parametrize("box", [(0.1, 0.1, 0.2, 0.2), (0, 0, 1, 1), (0, 0.25, 1, 0.5), (30.1, 40.1, 30.9, 40.9)])
def test_a_box_in_fractions_is_taken_for_what_it_is(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(BoxError, match="it covers a pixel or less; boxes are in pixels, not in fractions"):
        parse_boxes([box], SIZE)


def test_one_box_beside_a_list_is_told_to_go_into_one() -> None:
    with pytest.raises(BoxError, match=r"it is not in a list. Expected a list of boxes: boxes=\[Box"):
        parse_boxes(Box(1, 1, 9, 9), SIZE)  # type: ignore[arg-type]


def test_a_box_of_one_pixel_is_a_box() -> None:
    assert parse_boxes([(5, 5, 6, 6)], SIZE) == (Box(5, 5, 6, 6),)
    assert parse_boxes([(0, 0, 1, 1)], (1, 1)) == (Box(0, 0, 1, 1),)


def test_marks_are_boxes() -> None:
    marks = [
        {"type": "rectangle", "data": [10, 20, 90, 80], "label": 1},
        {"type": "rectangle", "data": (318, 204, 40, 183), "label": 0},
    ]
    assert parse_marks(marks) == (Box(10, 20, 90, 80), Box(318, 204, 40, 183, positive=False))
    assert parse_boxes(parse_marks(marks), SIZE)[1] == Box(40, 183, 318, 204, positive=False)
    assert parse_marks([]) == ()


def test_a_point_mark_says_what_a_point_is_for() -> None:
    with pytest.raises(UnsupportedPromptError) as caught:
        parse_marks([{"type": "point", "data": [3, 4], "label": 1}])
    assert str(caught.value) == (
        "The concept model cannot take the point mark {'type': 'point', 'data': [3, 4], 'label': 1}; "
        "it takes words and boxes. A point means one object: pass it to predict_object, "
        "or draw a box around an example instead."
    )


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ({"data": [1, 2, 3, 4], "label": 1}, "its type is None"),
        ({"type": "circle", "data": [1, 2, 3, 4], "label": 1}, "its type is 'circle'"),
        ({"type": "rectangle", "label": 1}, "its data is not four finite numbers"),
        ({"type": "rectangle", "data": [1, 2, 3], "label": 1}, "its data is not four finite numbers"),
        ({"type": "rectangle", "data": [1, 2, 3, "4"], "label": 1}, "its data is not four finite numbers"),
        ({"type": "rectangle", "data": [1, 2, 3, math.nan], "label": 1}, "its data is not four finite numbers"),
        ({"type": "rectangle", "data": [1, 2, 3, 4]}, "its label is None"),
        ({"type": "rectangle", "data": [1, 2, 3, 4], "label": 2}, "its label is 2"),
        ({"type": "rectangle", "data": [1, 2, 3, 4], "label": "1"}, "its label is '1'"),
    ],
)
def test_a_malformed_mark_is_an_error(mark: dict[str, object], reason: str) -> None:
    with pytest.raises(MarkError) as caught:
        parse_marks([mark])
    assert str(caught.value).startswith(f'The mark {mark!r} cannot be used: {reason}. Expected {{"type": "rectangle"')


@pytest.mark.parametrize("marks", [{"type": "rectangle", "data": [1, 2, 3, 4], "label": 1}, 7])
def test_marks_outside_a_list_are_an_error(marks: list[dict[str, object]]) -> None:
    with pytest.raises(MarkError, match="it is not in a list"):
        parse_marks(marks)


def test_a_mark_that_is_no_mapping_is_an_error() -> None:
    wrong: list[dict[str, object]] = [[1, 2, 3, 4]]  # type: ignore[list-item]
    with pytest.raises(MarkError, match="it is not a mapping"):
        parse_marks(wrong)


def test_models_get_centre_and_size_as_fractions() -> None:
    found = normalised_cxcywh([Box(0, 0, 640, 480), Box(64, 48, 128, 144)], SIZE)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0.5, 0.5, 1, 1], [0.15, 0.2, 0.1, 0.2]], rtol=1e-6)


def test_models_get_the_signs_as_numbers() -> None:
    found = box_labels([Box(0, 0, 1, 1), Box(0, 0, 1, 1, positive=False)])
    assert found.dtype == np.int64
    assert found.tolist() == [1, 0]


def test_no_boxes_keep_their_shape() -> None:
    assert normalised_cxcywh([], SIZE).shape == (0, 4)
    assert box_labels([]).shape == (0,)


@given(coordinate, coordinate, coordinate, coordinate, st.integers(1, 3000), st.integers(1, 3000))
@few
def test_fractions_lead_back_to_the_box(x1: float, y1: float, x2: float, y2: float, height: int, width: int) -> None:
    try:
        (box,) = parse_boxes([(x1, y1, x2, y2)], (height, width))
    except BoxError:
        assume(False)  # noqa: FBT003 (hypothesis has no keyword for it)
    ((cx, cy, w, h),) = normalised_cxcywh([box], (height, width)).astype(float)
    assert 0 <= cx <= 1
    assert 0 <= cy <= 1
    assert 0 <= w <= 1
    assert 0 <= h <= 1
    corners = [(cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height]
    np.testing.assert_allclose(corners, [box.x1, box.y1, box.x2, box.y2], atol=2e-3)


def test_boxes_and_concepts_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Box(0, 0, 1, 1).x1 = 5  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Concept("cat", "cat").label = "dog"  # type: ignore[misc]


def test_boxes_alone_go_with_the_references_word() -> None:
    assert VISUAL == "visual"


def test_prompts_need_no_runtime() -> None:
    code = "import sys, sam3_onnx.prompts; print({'tokenizers', 'onnxruntime', 'cv2'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert shown.stdout.strip() == "set()"
