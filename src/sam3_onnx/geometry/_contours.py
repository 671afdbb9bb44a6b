"""Which closed chains of boundary pixels does a mask have?

Only the crop that holds foreground is traced, so that a small object costs
little in a large picture; coordinates are those of the whole mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sam3_onnx.geometry._masks import extent

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Contour: TypeAlias = NDArray[np.int32]
    """Boundary pixels `(N, 2)` as x, y, each a neighbour of the one before."""

_PARENT = 3  # column of OpenCV's hierarchy rows: next, previous, first child, parent


class Part(NamedTuple):
    """A part of a mask: foreground pixels connected by sides or corners."""

    exterior: Contour
    """The outermost pixels of the part."""
    holes: list[Contour]
    """The pixels of the part around each of its holes."""
    pixels: int
    """How many pixels the part has; its holes are not counted."""


class _Crop(NamedTuple):
    pixels: NDArray[np.uint8]
    offset: tuple[int, int]


def largest_contour(mask: NDArray[np.bool_]) -> Contour | None:
    """Trace the outside of the largest part.

    The largest is the one whose contour encloses the largest area, holes
    included; of equal ones that with the longer contour, then the upper, then
    the left one.

    Args:
        mask: Bool array `(H, W)`.

    Returns:
        The contour, or None if there is no foreground.
    """
    crop = _crop(mask)
    if crop is None:
        return None
    contours, _ = _trace(crop, cv2.RETR_EXTERNAL)
    return max(contours, key=_rank)


def trace_parts(mask: NDArray[np.bool_]) -> list[Part]:
    """Trace every part with its holes, also parts that lie in holes of others.

    Args:
        mask: Bool array `(H, W)`.

    Returns:
        The parts, largest first in the sense of `largest_contour`.
    """
    crop = _crop(mask)
    if crop is None:
        return []
    contours, parents = _trace(crop, cv2.RETR_CCOMP)
    outer = [index for index, parent in enumerate(parents) if parent < 0]
    sizes = _part_sizes(crop, [contours[index] for index in outer])
    parts = {index: Part(contours[index], [], size) for index, size in zip(outer, sizes, strict=True)}
    for contour, parent in zip(contours, parents, strict=True):
        if parent >= 0:
            parts[parent].holes.append(contour)
    return sorted(parts.values(), key=lambda part: _rank(part.exterior), reverse=True)


def _crop(mask: NDArray[np.bool_]) -> _Crop | None:
    window = extent(mask)
    if window is None:
        return None
    rows, columns = window
    return _Crop(np.ascontiguousarray(mask[window]).view(np.uint8), (columns.start, rows.start))


def _trace(crop: _Crop, mode: int) -> tuple[list[Contour], list[int]]:
    """Return all contours, and for each the index of the part's exterior if it is a hole, otherwise -1."""
    found, hierarchy = cv2.findContours(crop.pixels, mode, cv2.CHAIN_APPROX_NONE, offset=crop.offset)
    contours = [np.asarray(contour, dtype=np.int32).reshape(-1, 2) for contour in found]
    parents = np.asarray(hierarchy).reshape(-1, 4)[:, _PARENT]
    return contours, [int(parent) for parent in parents]


def _part_sizes(crop: _Crop, exteriors: list[Contour]) -> list[int]:
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(crop.pixels, connectivity=8)
    x, y = np.transpose([exterior[0] - crop.offset for exterior in exteriors])
    return [int(size) for size in statistics[labels[y, x], cv2.CC_STAT_AREA]]


def _rank(contour: Contour) -> tuple[float, float, int, int]:
    x, y = contour[0]
    return cv2.contourArea(contour), cv2.arcLength(contour, closed=True), -int(y), -int(x)
