"""Boxes that show the model what is meant: checked against a picture, and as models take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sam3_onnx._support.checks import as_finite, as_sign, require_size
from sam3_onnx._support.keywords import known_keywords, known_methods
from sam3_onnx.errors import BoxError

__all__ = [
    "Box",
    "BoxLike",
    "BoxesLike",
    "box_labels",
    "finite_corners",
    "normalised_cxcywh",
    "parse_box",
    "parse_boxes",
]

_CORNERS = 4


_FORMS = "Box(x1, y1, x2, y2) or (x1, y1, x2, y2)"


@known_methods
@dataclass(frozen=True)
class Box:
    """An axis-parallel box that shows the model what is meant, or what is not.

    Half-open: it covers the pixels whose centres lie in `x1 <= x < x2`, `y1 <= y < y2`. What has x, y, width and
    height is `Box(x, y, x + width, y + height)`.

    Raises:
        BoxError: `positive` is neither True nor False.
    """

    x1: float
    """Left edge, in pixels of the picture."""
    y1: float
    """Upper edge."""
    x2: float
    """Right edge."""
    y2: float
    """Lower edge."""
    positive: bool = True
    """Whether the box shows an example; otherwise it shows what is not meant. 1 and 0 stand for True and False."""

    def __post_init__(self) -> None:
        sign = as_sign(self.positive)
        if sign is None:
            reason = f"positive is {self.positive!r}"
            expected = "positive=True for an example, or positive=False for what is not meant"
            raise BoxError(f"({self.x1}, {self.y1}, {self.x2}, {self.y2})", reason=reason, expected=expected)
        object.__setattr__(self, "positive", sign)


BoxLike: TypeAlias = Box | Sequence[float] | NDArray[np.number]
"""One positive box in pixels of the picture."""
BoxesLike: TypeAlias = Iterable[BoxLike]
"""What `parse_boxes` takes; an (N, 4) array is such an iterable."""


@known_keywords()
def parse_boxes(boxes: BoxesLike, size: tuple[int, int]) -> tuple[Box, ...]:
    """Bring boxes into order and into the picture.

    Args:
        boxes: `Box` objects, sequences `(x1, y1, x2, y2)`, which are positive, or
            an `(N, 4)` array of them, in pixels of the picture.
        size: Height and width of the picture in pixels.

    Returns:
        The boxes in the order given, each with `0 <= x1 < x2 <= width` and
        `0 <= y1 < y2 <= height`.

    Raises:
        BoxError: One is not four finite numbers, lies outside the picture, has
            no area in it, or is so small that fractions must be meant.

    Example:
        >>> parse_boxes([(90, 80, 10, -5)], size=(60, 100))
        (Box(x1=10.0, y1=0.0, x2=90.0, y2=60.0, positive=True),)
    """
    size = require_size("size", size)
    if isinstance(boxes, Box) or finite_corners(boxes) is not None:
        raise BoxError(repr(boxes), reason="it is not in a list", expected=f"a list of boxes: boxes=[{boxes!r}]")
    if not isinstance(boxes, Iterable) or isinstance(boxes, str | bytes | Mapping):
        raise _not_a_box(boxes, f"a list of {_FORMS}", size)
    if isinstance(boxes, np.ndarray) and boxes.ndim == 0:
        raise _not_a_box(boxes, f"a list of {_FORMS}", size)
    return tuple(_inside(box, size, f"a list of {_FORMS}") for box in boxes)


@known_keywords()
def parse_box(box: object, size: tuple[int, int]) -> Box:
    """Bring the one box around an object into order and into the picture.

    Args:
        box: A `Box` or a sequence `(x1, y1, x2, y2)`, in pixels of the picture.
        size: Height and width of the picture in pixels.

    Returns:
        The box as `parse_boxes` gives it.

    Raises:
        BoxError: It is no box that `parse_boxes` would take.

    Example:
        >>> parse_box((90, 80, 10, -5), size=(60, 100))
        Box(x1=10.0, y1=0.0, x2=90.0, y2=60.0, positive=True)
    """
    return _inside(box, require_size("size", size), f"one {_FORMS}")


@known_keywords()
def normalised_cxcywh(boxes: Sequence[Box], size: tuple[int, int]) -> NDArray[np.float32]:
    """Give boxes as the models take them.

    Args:
        boxes: N boxes inside the picture, as `parse_boxes` gives them.
        size: Height and width of the picture in pixels.

    Returns:
        `(N, 4)` float32: centre x, centre y, width, height as fractions of the
        picture's width and height, in 0..1.
    """
    height, width = size
    rows = [
        (
            (box.x1 + box.x2) / (2 * width),
            (box.y1 + box.y2) / (2 * height),
            (box.x2 - box.x1) / width,
            (box.y2 - box.y1) / height,
        )
        for box in boxes
    ]
    return np.array(rows, dtype=np.float32).reshape(-1, _CORNERS)


@known_keywords()
def box_labels(boxes: Sequence[Box]) -> NDArray[np.int64]:
    """Give `(N,)` int64: 1 for a positive box, 0 for a negative one."""
    return np.array([box.positive for box in boxes], dtype=np.int64)


def _inside(box: object, size: tuple[int, int], forms: str) -> Box:
    """Order the corners of a box and clip it to the picture."""
    corners = finite_corners((box.x1, box.y1, box.x2, box.y2) if isinstance(box, Box) else box)
    if corners is None:
        raise _not_a_box(box, forms, size)
    height, width = size
    x1, x2 = sorted((corners[0], corners[2]))
    y1, y2 = sorted((corners[1], corners[3]))
    positive = box.positive if isinstance(box, Box) else True
    inside = Box(max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)), positive)
    if not (inside.x1 < inside.x2 and inside.y1 < inside.y2):
        reason = "it has no area" if x1 == x2 or y1 == y2 else "it lies outside the picture"
    elif _looks_like_fractions(inside, size):
        reason = "it covers a pixel or less; boxes are in pixels, not in fractions of the picture"
    else:
        return inside
    raise BoxError(repr(box), reason=reason, expected=f"x1, y1, x2, y2 with an area inside {_shown(size)}")


def _looks_like_fractions(box: Box, size: tuple[int, int]) -> bool:
    return max(box.x2 - box.x1, box.y2 - box.y1) < 1 or max(box.x2, box.y2) <= 1 < max(size)


def _not_a_box(box: object, forms: str, size: tuple[int, int]) -> BoxError:
    return BoxError(
        repr(box),
        reason="it is not four finite numbers",
        expected=f"{forms} inside {_shown(size)}",
    )


def _shown(size: tuple[int, int]) -> str:
    height, width = size
    return f"the picture of {width} x {height} pixels (width x height)"


def finite_corners(values: object) -> tuple[float, float, float, float] | None:
    """Give four finite numbers, or None where there is anything else."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, Sequence) or len(values) != _CORNERS:
        return None
    x1, y1, x2, y2 = map(as_finite, values)
    if x1 is None or y1 is None or x2 is None or y2 is None:
        return None
    return x1, y1, x2, y2
