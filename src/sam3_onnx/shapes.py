"""The shape of one instance as label files hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Shape", "ShapeType"]

ShapeType: TypeAlias = Literal["polygon", "rectangle", "rotation"]


@dataclass(frozen=True, eq=False)
class Shape:
    """A labelled outline in pixels of the picture."""

    label: str
    shape_type: ShapeType
    points: NDArray[np.float64]
    """(V, 2) vertices x, y; a polygon's ring is open, a rectangle and a rotated box have four corners."""
    score: float | None = None
    """In 0..1; None for what nobody scored."""
    direction: float | None = None
    """Of a rotated box: radians in [0, 2 pi), from corner 0 to corner 1, as X-AnyLabeling writes it."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Shape):
            return NotImplemented
        mine = (self.label, self.shape_type, self.score, self.direction)
        theirs = (other.label, other.shape_type, other.score, other.direction)
        return mine == theirs and np.array_equal(self.points, other.points)

    def __hash__(self) -> int:
        return hash((self.label, self.shape_type, self.score, self.direction, self.points.tobytes()))
