"""The closed chains of boundary pixels of a mask.

Only the window that holds foreground is traced, so that a small object costs
little in a large picture; coordinates are those of the whole mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sam3_onnx._support.forking import undivided
from sam3_onnx.geometry.window import Window

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
    window = Window.of(mask)
    if not window.mask.size:
        return None
    contours, _ = _trace(window, cv2.RETR_EXTERNAL)
    return max(contours, key=_rank)


def trace_parts(mask: NDArray[np.bool_]) -> list[Part]:
    """Trace every part with its holes, also parts that lie in holes of others.

    Args:
        mask: Bool array `(H, W)`.

    Returns:
        The parts, largest first in the sense of `largest_contour`.
    """
    window = Window.of(mask)
    if not window.mask.size:
        return []
    contours, parents = _trace(window, cv2.RETR_CCOMP)
    outer = [index for index, parent in enumerate(parents) if parent < 0]
    sizes = _part_sizes(window, [contours[index] for index in outer])
    parts = {index: Part(contours[index], [], size) for index, size in zip(outer, sizes, strict=True)}
    for contour, parent in zip(contours, parents, strict=True):
        if parent >= 0:
            parts[parent].holes.append(contour)
    return sorted(parts.values(), key=lambda part: _rank(part.exterior), reverse=True)


def _trace(window: Window, mode: int) -> tuple[list[Contour], list[int]]:
    """Return all contours, and for each the index of the part's exterior if it is a hole, otherwise -1."""
    found, hierarchy = cv2.findContours(
        window.mask.view(np.uint8), mode, cv2.CHAIN_APPROX_NONE, offset=(window.x, window.y)
    )
    contours = [np.asarray(contour, dtype=np.int32).reshape(-1, 2) for contour in found]
    parents = np.asarray(hierarchy).reshape(-1, 4)[:, _PARENT]
    return contours, [int(parent) for parent in parents]


@undivided()
def _part_sizes(window: Window, exteriors: list[Contour]) -> list[int]:
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(window.mask.view(np.uint8), connectivity=8)
    x, y = np.transpose([exterior[0] - (window.x, window.y) for exterior in exteriors])
    return [int(size) for size in statistics[labels[y, x], cv2.CC_STAT_AREA]]


def _rank(contour: Contour) -> tuple[float, float, int, int]:
    x, y = contour[0]
    return cv2.contourArea(contour), cv2.arcLength(contour, closed=True), -int(y), -int(x)
