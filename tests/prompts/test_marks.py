"""Marks of a canvas are read as boxes, or refused with the reason."""

from __future__ import annotations

import math

import pytest

from sam3_onnx.errors import MarkError, UnsupportedPromptError
from sam3_onnx.prompts import Box, parse_boxes, parse_marks

SIZE = (480, 640)  # height, width


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
        "The concept model does not support the point mark {'type': 'point', 'data': [3, 4], 'label': 1}; "
        "it supports words and boxes. A point selects one object: pass it to predict_object, "
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
