"""Compact forms of the mask of one instance, from which the mask in picture pixels is computed when needed.

Models return masks in two forms: logits of low resolution, and masks of the size of the
picture. Both are read as a `Window`: the smallest rectangle that contains the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sam3_onnx._support.lazy_values import cached_property
from sam3_onnx.errors import MaskError
from sam3_onnx.geometry.rle import mask_to_rle, rle_to_mask
from sam3_onnx.geometry.window import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sam3_onnx.geometry.rle import Rle

__all__ = ["CroppedMask", "LogitMask", "MaskSource", "PackedMask", "RunLengthMask"]


class MaskSource(Protocol):
    """Protocol of the classes that compute the mask of an instance in picture pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        ...

    @property
    def window(self) -> Window:
        """The mask, cropped to the smallest rectangle that contains it."""
        ...


@dataclass(frozen=True, eq=False)
class LogitMask:
    """A mask as low-resolution logits, which are resized to the picture when the mask is needed.

    The reference resizes logits bilinearly with half-pixel centres (PyTorch's
    `interpolate(mode="bilinear", align_corners=False)`); values above 0 are foreground.
    A value between cells that are all <= 0 cannot be above 0, so only the cells
    around positive ones are resized; the result is the same.
    """

    logits: NDArray[np.float32]
    """Array `(h, w)`."""
    size: tuple[int, int]

    @cached_property
    def window(self) -> Window:
        """The mask, cropped to the smallest rectangle that contains it."""
        rows = np.flatnonzero((self.logits > 0).any(1))
        cols = np.flatnonzero((self.logits > 0).any(0))
        if not len(rows):
            return Window(np.zeros((0, 0), np.bool_), 0, 0)
        top, bottom, row_from, row_share = _sampling(rows[0], rows[-1], self.logits.shape[0], self.size[0])
        left, right, col_from, col_share = _sampling(cols[0], cols[-1], self.logits.shape[1], self.size[1])
        if top >= bottom or left >= right:
            return Window(np.zeros((0, 0), np.bool_), 0, 0)
        # Columns first, as in PyTorch: there are few rows of cells, and NumPy copies each of them in one piece.
        cells = self.logits[row_from[0] : row_from[-1] + 2]
        stretched = _between(cells.T, col_from, col_share).T
        return Window(
            _between(np.ascontiguousarray(stretched), row_from - row_from[0], row_share) > 0, left, top
        ).tight()


def _between(rows: NDArray[np.float32], first: NDArray[np.intp], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Interpolates between rows: row `first` and, with weight `share`, the next one (for the last row, itself)."""
    start = rows[first]
    step = rows[np.minimum(first + 1, len(rows) - 1)]
    step -= start
    step *= share[:, None]
    step += start
    return step


def _sampling(first: int, last: int, cells: int, pixels: int) -> tuple[int, int, NDArray[np.intp], NDArray[np.float32]]:
    """Returns the pixels that the cells first..last influence, and the sampling position of each pixel.

    Returns:
        First pixel, end of the pixels (exclusive), and for each pixel the cell at or before its
        sampling position and the weight of the next cell.
    """
    scale = cells / pixels
    start = max(0, int(np.floor((first - 0.5) / scale - 0.5)))
    stop = min(pixels, int(np.ceil((last + 1.5) / scale + 0.5)))
    where = np.clip((np.arange(start, stop) + 0.5) * scale - 0.5, 0, cells - 1)
    cell = np.floor(where).astype(np.intp)
    return start, stop, cell, (where - cell).astype(np.float32)


@dataclass(frozen=True, eq=False)
class PackedMask:
    """A mask of the size of the picture, stored as packed bits of its window."""

    bits: NDArray[np.uint8]
    shape: tuple[int, int]
    origin: tuple[int, int]
    """x, y of the top left corner of the window."""
    size: tuple[int, int]

    @classmethod
    def pack(cls, mask: NDArray[np.bool_]) -> PackedMask:
        """Packs a bool mask `(H, W)`."""
        if mask.ndim != 2:  # noqa: PLR2004 - rows and columns
            raise MaskError(expected="a mask of shape (H, W)", got=f"shape {mask.shape}")
        window = Window.of(mask)
        height, width = mask.shape
        shape = (window.mask.shape[0], window.mask.shape[1])
        return cls(np.packbits(window.mask), shape, (window.x, window.y), (height, width))

    @property
    def window(self) -> Window:
        """The mask, cropped to the smallest rectangle that contains it."""
        count = self.shape[0] * self.shape[1]
        mask = np.unpackbits(self.bits, count=count).astype(np.bool_).reshape(self.shape)
        return Window(mask, *self.origin)


@dataclass(frozen=True, eq=False)
class CroppedMask:
    """Another mask, restricted to the pixels inside a box."""

    source: MaskSource
    box: tuple[float, float, float, float]
    """x1, y1, x2, y2 in picture pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        return self.source.size

    @cached_property
    def window(self) -> Window:
        """The mask, cropped to the smallest rectangle that contains it."""
        return self.source.window.inside(self.box)


@dataclass(frozen=True, eq=False)
class RunLengthMask:
    """A finished mask of the picture's size, held as COCO's run lengths: the least bytes, for masks of many frames."""

    rle: Rle

    @classmethod
    def pack(cls, mask: NDArray[np.bool_]) -> RunLengthMask:
        """Packs a bool mask (H, W)."""
        return cls(mask_to_rle(mask))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        height, width = self.rle["size"]
        return height, width

    @property
    def window(self) -> Window:
        """The mask in the smallest rectangle that holds it."""
        return Window.of(rle_to_mask(self.rle, max_pixels=None))
