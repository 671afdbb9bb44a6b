"""`Window`: a mask cropped to a rectangle, so that tracing and comparing it does not process the whole picture."""

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
    """A mask cropped to a rectangle of its picture."""

    mask: NDArray[np.bool_]
    """Bool array `(h, w)`; h = w = 0 for an empty mask."""
    x: int
    """Left edge of the rectangle in the picture."""
    y: int
    """Top edge of the rectangle in the picture."""

    @property
    def origin(self) -> NDArray[np.float64]:
        """`(2,)` x, y of the top left corner of the rectangle in the picture, in pixels."""
        return np.array([self.x, self.y], np.float64)

    @cached_property
    def area(self) -> int:
        """Number of foreground pixels."""
        return int(np.count_nonzero(self.mask))

    @property
    def centroid(self) -> tuple[float, float] | None:
        """Centre of mass as x, y, where (0, 0) is the centre of the picture's top left pixel; None if empty."""
        if not self.area:
            return None
        rows, columns = np.nonzero(self.mask)
        return self.x + float(columns.mean()), self.y + float(rows.mean())

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Window:
        """Crops a mask `(H, W)` to the smallest rectangle that contains its foreground."""
        return cls(mask, 0, 0).tight()

    def tight(self) -> Window:
        """Returns the same mask, cropped to the smallest rectangle that contains its foreground."""
        place = extent(self.mask)
        if place is None:
            return Window(np.zeros((0, 0), np.bool_), 0, 0)
        rows, columns = place
        return Window(np.ascontiguousarray(self.mask[place]), self.x + columns.start, self.y + rows.start)

    def inside(self, box: tuple[float, float, float, float]) -> Window:
        """Returns the part of the mask in pixels that a box (x1, y1, x2, y2) touches."""
        height, width = self.mask.shape
        left, right = (int(np.clip(edge - self.x, 0, width)) for edge in (np.floor(box[0]), np.ceil(box[2])))
        top, bottom = (int(np.clip(edge - self.y, 0, height)) for edge in (np.floor(box[1]), np.ceil(box[3])))
        return Window(self.mask[top:bottom, left:right], self.x + left, self.y + top).tight()

    def full(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Returns the mask as a bool array of the given (height, width) of the picture."""
        picture = np.zeros(size, np.bool_)
        height, width = self.mask.shape
        picture[self.y : self.y + height, self.x : self.x + width] = self.mask
        return picture


def window_iou(a: Window, b: Window) -> float:
    """Returns the intersection over union (IoU) of two masks of one picture; 0.0 if both are empty."""
    shared = shared_pixels(a, b)
    union = a.area + b.area - shared
    return shared / union if union else 0.0


def shared_pixels(a: Window, b: Window) -> int:
    """Returns the number of pixels that two masks of one picture share."""
    left, top = max(a.x, b.x), max(a.y, b.y)
    right = min(a.x + a.mask.shape[1], b.x + b.mask.shape[1])
    bottom = min(a.y + a.mask.shape[0], b.y + b.mask.shape[0])
    if left >= right or top >= bottom:
        return 0
    part_a = a.mask[top - a.y : bottom - a.y, left - a.x : right - a.x]
    part_b = b.mask[top - b.y : bottom - b.y, left - b.x : right - b.x]
    return int(np.count_nonzero(part_a & part_b))
