"""The shape of one instance as label files hold it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from sam3_onnx._support.checks import require_size
from sam3_onnx._support.keywords import known_methods
from sam3_onnx.geometry.filling import circle_to_mask, rectangle_to_mask, rings_to_mask
from sam3_onnx.geometry.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Shape", "ShapeType"]

ShapeType: TypeAlias = Literal["polygon", "rectangle", "rotation", "mask"]
"""What shapes are made of masks. Files hold more: "point", "circle", "linestrip", ..."""

_LEAST_POINTS = {"rectangle": 2, "circle": 2, "polygon": 3, "rotation": 4, "quadrilateral": 4, "oriented_rectangle": 4}


@known_methods
@dataclass(frozen=True, eq=False)
class Shape:
    """A labelled outline in pixels of the picture."""

    label: str
    shape_type: str
    """As the file names it: one of `ShapeType`, or another kind that is kept as it is."""
    points: NDArray[np.float64]
    """(V, 2) x, y: a polygon's vertices, its ring open as this library makes it; the four corners of a rectangle (two
    opposite ones in other people's files) or of a rotated box; centre and a point on the edge of a circle; top left
    and bottom right pixel of a mask."""
    score: float | None = None
    """In 0..1; None for what nobody scored."""
    direction: float | None = None
    """Of a rotated box: radians in [0, 2 pi), from corner 0 to corner 1, as X-AnyLabeling writes it."""
    holes: tuple[NDArray[np.float64], ...] = ()
    """Rings (V, 2) inside a polygon that are not part of it."""
    group_id: int | None = None
    """Parts of one instance share it."""
    mask: NDArray[np.bool_] | None = None
    """Of a shape of the type "mask": its pixels (h, w), the top left one at points[0]."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """What else the file says of it, kept for writing: flags, description, attributes, and whatever is unknown."""
    source: object = field(default=None, repr=False)
    """What a format read it from, by which that format writes an untouched shape back as it stood; None for a new one.
    It does not count when shapes are compared."""

    def to_mask(self, size: tuple[int, int]) -> NDArray[np.bool_] | None:
        """The pixels of a polygon with its holes, a rectangle, a rotated box, a circle or a mask.

        Args:
            size: (height, width) of the picture; what lies outside is cut off.

        Returns:
            (H, W), or None for what has no area: points, lines, cuboids, unknown kinds, too few points.

        Raises:
            OptionError: `size` is no height and width.
        """
        size = require_size("size", size)
        if self.shape_type == "mask":
            return None if self.mask is None or not len(self.points) else _placed(self.mask, self.points[0], size)
        least = _LEAST_POINTS.get(self.shape_type)
        if least is None or len(self.points) < least:
            return None
        if self.shape_type == "rectangle":
            return rectangle_to_mask(self.points, size)
        if self.shape_type == "circle":
            return circle_to_mask(self.points[0], self.points[1], size)
        return rings_to_mask([self.points, *self.holes], size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Shape):
            return NotImplemented
        return (
            self._facts() == other._facts()
            and np.array_equal(self.points, other.points)
            and len(self.holes) == len(other.holes)
            and all(map(np.array_equal, self.holes, other.holes))
            and _same_mask(self.mask, other.mask)
        )

    def __hash__(self) -> int:
        return hash((self.label, self.shape_type, self.score, self.direction, self.points.tobytes()))

    def _facts(self) -> tuple[object, ...]:
        return self.label, self.shape_type, self.score, self.direction, self.group_id, self.extra


def _placed(mask: NDArray[np.bool_], corner: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """A mask cut out of a picture, put back where its top left pixel was."""
    x, y = (int(value) for value in np.rint(corner))
    height, width = size
    return Window(mask, x, y).inside((0, 0, width, height)).full(size)


def _same_mask(mine: NDArray[np.bool_] | None, theirs: NDArray[np.bool_] | None) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return np.array_equal(mine, theirs)
