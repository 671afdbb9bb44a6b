"""Boxes in the form of X-AnyLabeling's marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from sam3_onnx._support.checks import as_sign
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import MarkError, UnsupportedPromptError
from sam3_onnx.prompts.boxes import Box, finite_corners

__all__ = ["MarksLike", "parse_marks"]

MarksLike: TypeAlias = Iterable[Mapping[str, object]]
"""What `parse_marks` takes."""


@known_keywords()
def parse_marks(marks: MarksLike) -> tuple[Box, ...]:
    """Read boxes from marks in the form that X-AnyLabeling uses.

    Args:
        marks: `{"type": "rectangle", "data": [x1, y1, x2, y2], "label": 1}` with
            opposite corners in pixels of the picture, label 1 for what is meant
            and 0 for what is not.

    Returns:
        The boxes in the order given, for `parse_boxes` to check against a picture.

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
            remedy="A point means one object: pass it to predict_object, or draw a box around an example instead.",
        )
    if not (isinstance(kind, str) and kind == "rectangle"):
        raise MarkError(repr(mark), reason=f"its type is {kind!r}")
    if corners is None:
        raise MarkError(repr(mark), reason="its data is not four finite numbers")
    sign = as_sign(mark.get("label"))
    if sign is None:
        raise MarkError(repr(mark), reason=f"its label is {mark.get('label')!r}")
    return Box(*corners, positive=sign)
