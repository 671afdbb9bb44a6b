"""Marks: box prompts in the form that X-AnyLabeling uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from sam3_onnx._support.checks import as_sign
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import MarkError, UnsupportedPromptError
from sam3_onnx.prompts.boxes import Box, finite_corners

__all__ = ["MarksLike", "parse_marks"]

MarksLike: TypeAlias = Iterable[Mapping[str, object]]
"""Marks in a form that `parse_marks` accepts."""


@known_keywords()
def parse_marks(marks: MarksLike) -> tuple[Box, ...]:
    """Converts marks in the form that X-AnyLabeling uses to boxes.

    Args:
        marks: `{"type": "rectangle", "data": [x1, y1, x2, y2], "label": 1}` with
            opposite corners in pixels of the picture; label 1 is a positive and
            0 a negative box.

    Returns:
        The boxes in the given order; `parse_boxes` checks them against a picture.

    Raises:
        UnsupportedPromptError: A mark is a point.
        MarkError: A mark has another form.
    """
    if isinstance(marks, Mapping | str | bytes) or not isinstance(marks, Iterable):
        raise MarkError(repr(marks), reason="it is not in a list")
    return tuple(map(_marked, marks))


def _marked(mark: object) -> Box:
    if not isinstance(mark, Mapping):
        raise MarkError(repr(mark), reason="it is not a mapping")
    kind, corners = mark.get("type"), finite_corners(mark.get("data"))
    if isinstance(kind, str) and kind == "point":
        raise UnsupportedPromptError(
            family="concept",
            wanted=f"the point mark {mark!r}",
            allowed="words and boxes",
            remedy="A point selects one object: pass it to predict_object, or draw a box around an example instead.",
        )
    if not (isinstance(kind, str) and kind == "rectangle"):
        raise MarkError(repr(mark), reason=f"its type is {kind!r}")
    if corners is None:
        raise MarkError(repr(mark), reason="its data is not four finite numbers")
    sign = as_sign(mark.get("label"))
    if sign is None:
        raise MarkError(repr(mark), reason=f"its label is {mark.get('label')!r}")
    return Box(*corners, positive=sign)
