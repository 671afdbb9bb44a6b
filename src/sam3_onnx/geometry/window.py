"""A mask cut to a rectangle of its picture, so that tracing or comparing it never touches the whole picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.lazy_values import cached_property
from sam3_onnx.geometry._masks import extent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Window", "shared_pixels", "window_iou"]


@dataclass(frozen=True, eq=False)
class Window:
    """A mask cut to the rectangle that holds it."""

    mask: NDArray[np.bool_]
    """(h, w); h = w = 0 for an empty mask."""
    x: int
    """Left edge of the rectangle in the picture."""
    y: int
    """Top edge of the rectangle in the picture."""

    @property
    def origin(self) -> NDArray[np.float64]:
        """(2,) x, y of the rectangle's top left corner: what turns its coordinates into the picture's."""
        return np.array([self.x, self.y], np.float64)

    @cached_property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(np.count_nonzero(self.mask))

    @property
    def centroid(self) -> tuple[float, float] | None:
        """x, y of the centre of mass, where (0, 0) is the centre of the picture's top left pixel; None if empty."""
        if not self.area:
            return None
        rows, columns = np.nonzero(self.mask)
        return self.x + float(columns.mean()), self.y + float(rows.mean())

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Window:
        """Cuts a mask (H, W) to the smallest rectangle that holds its foreground."""
        return cls(mask, 0, 0).tight()

    def tight(self) -> Window:
        """Returns the same mask in the smallest rectangle that holds it."""
        place = extent(self.mask)
        if place is None:
            return Window(np.zeros((0, 0), np.bool_), 0, 0)
        rows, columns = place
        return Window(np.ascontiguousarray(self.mask[place]), self.x + columns.start, self.y + rows.start)

    def inside(self, box: tuple[float, float, float, float]) -> Window:
        """What of the mask lies in pixels that a box (x1, y1, x2, y2) touches."""
        height, width = self.mask.shape
        left, right = (int(np.clip(edge - self.x, 0, width)) for edge in (np.floor(box[0]), np.ceil(box[2])))
        top, bottom = (int(np.clip(edge - self.y, 0, height)) for edge in (np.floor(box[1]), np.ceil(box[3])))
        return Window(self.mask[top:bottom, left:right], self.x + left, self.y + top).tight()

    def full(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """The mask in a picture of the given (height, width)."""
        picture = np.zeros(size, np.bool_)
        height, width = self.mask.shape
        picture[self.y : self.y + height, self.x : self.x + width] = self.mask
        return picture


def window_iou(a: Window, b: Window) -> float:
    """Intersection over union of two masks of one picture; 0.0 if both are empty."""
    shared = shared_pixels(a, b)
    union = a.area + b.area - shared
    return shared / union if union else 0.0


def shared_pixels(a: Window, b: Window) -> int:
    """Number of pixels that two masks of one picture have in common."""
    left, top = max(a.x, b.x), max(a.y, b.y)
    right = min(a.x + a.mask.shape[1], b.x + b.mask.shape[1])
    bottom = min(a.y + a.mask.shape[0], b.y + b.mask.shape[0])
    if left >= right or top >= bottom:
        return 0
    part_a = a.mask[top - a.y : bottom - a.y, left - a.x : right - a.x]
    part_b = b.mask[top - b.y : bottom - b.y, left - b.x : right - b.x]
    return int(np.count_nonzero(part_a & part_b))
