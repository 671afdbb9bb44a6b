"""Clicks on one object, and a box around it: checks against the size of a picture, and conversion for models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sam3_onnx._support.checks import as_finite, as_sign
from sam3_onnx.errors import BoxError, EmptyPromptError, PointError
from sam3_onnx.prompts.boxes import Box, BoxLike, parse_box

__all__ = ["ObjectPrompt", "PointsLike", "parse_clicks", "require_object"]

PointsLike: TypeAlias = Iterable[Sequence[float] | NDArray[np.number]]
"""Pairs (x, y) in pixels of the picture; a `(P, 2)` array is allowed too."""
_REMEDY = "Pass points=[(x, y)], or box=Box(x1, y1, x2, y2)."


@dataclass(frozen=True)
class ObjectPrompt:
    """A prompt for one object: clicks and a box, in pixels of the picture."""

    points: tuple[tuple[float, float], ...] = ()
    """Position x, y of each click."""
    labels: tuple[int, ...] = ()
    """Label of each click: 1 for a click on the object, 0 for a click beside it."""
    box: Box | None = None

    def refined(self, more: ObjectPrompt) -> ObjectPrompt:
        """Returns this prompt with more clicks; a new box replaces the old one."""
        return ObjectPrompt(self.points + more.points, self.labels + more.labels, more.box or self.box)

    def points_in(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """Returns the points as `(P, 2)` float32, as fractions of a picture of the given (height, width)."""
        height, width = size
        shares = [(x / width, y / height) for x, y in self.points]
        return np.array(shares, np.float32).reshape(-1, 2)

    def labels_array(self) -> NDArray[np.int64]:
        """Returns the labels as `(P,)` int64."""
        return np.array(self.labels, np.int64)

    def box_in(self, size: tuple[int, int]) -> NDArray[np.float32] | None:
        """Returns the box as `(4,)` x1, y1, x2, y2, as fractions of a picture of the given (height, width)."""
        if self.box is None:
            return None
        height, width = size
        return np.array(
            [self.box.x1 / width, self.box.y1 / height, self.box.x2 / width, self.box.y2 / height], np.float32
        )


def parse_clicks(
    points: PointsLike | None, labels: Iterable[int] | None, box: BoxLike | None, size: tuple[int, int]
) -> ObjectPrompt:
    """Checks clicks and a box, and returns them as one prompt.

    Args:
        points: (x, y) in pixels of the picture, 0 <= x < width and 0 <= y < height.
        labels: 1 or True for a click on the object, 0 or False for a click beside it; None if all are on it.
        box: A box around the object, clipped to the picture.
        size: (height, width) of the picture.

    Raises:
        PointError: A point is not two finite numbers or is outside the picture, or the numbers of
            points and labels differ.
        BoxError: The box is not a box, is negative, is outside the picture or has no area.
    """
    listed = _listed(points, "points")
    if None not in _two_numbers(listed):
        x, y = listed
        raise PointError(repr(points), reason="it is not in a list", expected=f"a list of clicks: [({x!r}, {y!r})]")
    places = tuple(_inside(point, size) for point in listed)
    signs = (1,) * len(places) if labels is None else tuple(_sign(label) for label in _listed(labels, "point_labels"))
    if len(signs) != len(places):
        got = f"{len(places)} points and {len(signs)} labels"
        reason, expected = "every click needs a label", "as many point_labels as points"
        raise PointError(f"({got})", reason=reason, expected=expected, what="list of clicks")
    around = None if box is None else parse_box(box, size)
    if around is not None and not around.positive:
        expected = "a positive box around the object; to leave something out, use negative clicks"
        raise BoxError(repr(box), reason="it is a negative box", expected=expected)
    return ObjectPrompt(places, signs, around)


def require_object(prompt: ObjectPrompt) -> ObjectPrompt:
    """Returns the same prompt, after checking that it has a positive click or a box.

    Raises:
        EmptyPromptError: The prompt has neither.
    """
    if prompt.box is None and 1 not in prompt.labels:
        got = f"only negative points ({len(prompt.points)})" if prompt.points else "no point and no box"
        raise EmptyPromptError(got=got, expected="at least one positive point or a box", remedy=_REMEDY)
    return prompt


def _listed(values: object, name: str) -> list[object]:
    if values is None:
        return []
    is_scalar = isinstance(values, np.ndarray) and values.ndim == 0
    if not isinstance(values, Iterable) or is_scalar or isinstance(values, str | bytes | Mapping):
        raise PointError(repr(values), reason="it is not a list", expected="a list", what=f"value of {name}")
    return list(values)


def _inside(point: object, size: tuple[int, int]) -> tuple[float, float]:
    height, width = size
    expected = f"(x, y) with 0 <= x < {width} and 0 <= y < {height}, pixels of the picture"
    x, y = _two_numbers(point.tolist() if isinstance(point, np.ndarray) else point)
    if x is None or y is None:
        raise PointError(repr(point), reason="it is not two finite numbers", expected=expected)
    if not (0 <= x < width and 0 <= y < height):
        raise PointError(repr(point), reason="it is outside the picture", expected=expected)
    return x, y


def _two_numbers(values: object) -> tuple[float | None, float | None]:
    """Returns x and y; None for each value that is not a finite number."""
    if not isinstance(values, Sequence) or len(values) != 2:  # noqa: PLR2004 - x, y
        return None, None
    x, y = map(as_finite, values)
    return x, y


def _sign(label: object) -> int:
    sign = as_sign(label)
    if sign is None:
        expected = "1 for a click on the object, or 0 for a click beside it"
        raise PointError(repr(label), reason="it is not a label of a click", expected=expected, what="label")
    return int(sign)
