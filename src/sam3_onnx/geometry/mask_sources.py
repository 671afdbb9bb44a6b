"""The mask of one instance: kept small, made in picture pixels when somebody asks.

Two forms come out of the models: logits of a low resolution, and finished masks of
the picture's size. Both are read through the same window: the smallest rectangle that
holds the mask, so that tracing or comparing it never touches the whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sam3_onnx.errors import MaskError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CroppedMask", "LogitMask", "MaskSource", "PackedMask", "Window", "window_iou"]


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

    def tight(self) -> Window:
        """The same mask in the smallest rectangle that holds it."""
        rows, cols = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        if not len(rows):
            return Window(np.zeros((0, 0), np.bool_), 0, 0)
        top, left = int(rows[0]), int(cols[0])
        cut = np.ascontiguousarray(self.mask[top : rows[-1] + 1, left : cols[-1] + 1])
        return Window(cut, self.x + left, self.y + top)

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


class MaskSource(Protocol):
    """Anything that can show an instance's mask in picture pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        ...

    @property
    def window(self) -> Window:
        """The mask in the smallest rectangle that holds it."""
        ...


@dataclass(frozen=True, eq=False)
class LogitMask:
    """Low-resolution logits, resized to the picture when the mask is asked for.

    The reference resizes logits bilinearly with half-pixel centres (PyTorch's
    `interpolate(mode="bilinear", align_corners=False)`) and keeps what is above 0.
    A value between cells that are all <= 0 cannot be above 0, so only the cells
    around positive ones are resized; the answer is the same.
    """

    logits: NDArray[np.float32]
    """(h, w)."""
    size: tuple[int, int]

    @cached_property
    def window(self) -> Window:
        """The mask in the smallest rectangle that holds it."""
        rows = np.flatnonzero((self.logits > 0).any(1))
        cols = np.flatnonzero((self.logits > 0).any(0))
        if not len(rows):
            return Window(np.zeros((0, 0), np.bool_), 0, 0)
        top, bottom, row_from, row_share = _sampling(rows[0], rows[-1], self.logits.shape[0], self.size[0])
        left, right, col_from, col_share = _sampling(cols[0], cols[-1], self.logits.shape[1], self.size[1])
        if top >= bottom or left >= right:
            return Window(np.zeros((0, 0), np.bool_), 0, 0)
        # Columns first, as PyTorch does it: of the few rows of cells, and by rows numpy copies in one piece.
        cells = self.logits[row_from[0] : row_from[-1] + 2]
        stretched = _between(cells.T, col_from, col_share).T
        return Window(
            _between(np.ascontiguousarray(stretched), row_from - row_from[0], row_share) > 0, left, top
        ).tight()


def _between(rows: NDArray[np.float32], first: NDArray[np.intp], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows between others: the first of two and the share of the next; the last row is its own next."""
    start = rows[first]
    step = rows[np.minimum(first + 1, len(rows) - 1)]
    step -= start
    step *= share[:, None]
    step += start
    return step


def _sampling(first: int, last: int, cells: int, pixels: int) -> tuple[int, int, NDArray[np.intp], NDArray[np.float32]]:
    """Which pixels the cells first..last can reach, and where between cells each of those pixels samples.

    Returns:
        First pixel, end of the pixels, and for each pixel the cell at or before its sample and
        the share of the next cell.
    """
    scale = cells / pixels
    start = max(0, int(np.floor((first - 0.5) / scale - 0.5)))
    stop = min(pixels, int(np.ceil((last + 1.5) / scale + 0.5)))
    where = np.clip((np.arange(start, stop) + 0.5) * scale - 0.5, 0, cells - 1)
    cell = np.floor(where).astype(np.intp)
    return start, stop, cell, (where - cell).astype(np.float32)


@dataclass(frozen=True, eq=False)
class PackedMask:
    """A finished mask of the picture's size, held as bits of its window."""

    bits: NDArray[np.uint8]
    shape: tuple[int, int]
    origin: tuple[int, int]
    """(x, y) of the window."""
    size: tuple[int, int]

    @classmethod
    def pack(cls, mask: NDArray[np.bool_]) -> PackedMask:
        """Packs a bool mask (H, W)."""
        if mask.ndim != 2:  # noqa: PLR2004 - rows and columns
            raise MaskError(expected="a mask of shape (H, W)", got=f"shape {mask.shape}")
        window = Window(mask, 0, 0).tight()
        height, width = mask.shape
        shape = (window.mask.shape[0], window.mask.shape[1])
        return cls(np.packbits(window.mask), shape, (window.x, window.y), (height, width))

    @property
    def window(self) -> Window:
        """The mask in the smallest rectangle that holds it."""
        count = self.shape[0] * self.shape[1]
        mask = np.unpackbits(self.bits, count=count).astype(np.bool_).reshape(self.shape)
        return Window(mask, *self.origin)


@dataclass(frozen=True, eq=False)
class CroppedMask:
    """Another mask, of which only what lies inside a box is kept."""

    source: MaskSource
    box: tuple[float, float, float, float]
    """(x1, y1, x2, y2) in picture pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        return self.source.size

    @cached_property
    def window(self) -> Window:
        """The mask in the smallest rectangle that holds it."""
        return self.source.window.inside(self.box)


def window_iou(a: Window, b: Window) -> float:
    """Intersection over union of two masks of one picture; 0.0 if both are empty."""
    left, top = max(a.x, b.x), max(a.y, b.y)
    right = min(a.x + a.mask.shape[1], b.x + b.mask.shape[1])
    bottom = min(a.y + a.mask.shape[0], b.y + b.mask.shape[0])
    if left >= right or top >= bottom:
        return 0.0
    part_a = a.mask[top - a.y : bottom - a.y, left - a.x : right - a.x]
    part_b = b.mask[top - b.y : bottom - b.y, left - b.x : right - b.x]
    shared = int(np.count_nonzero(part_a & part_b))
    union = a.area + b.area - shared
    return shared / union if union else 0.0
