"""Contours of a mask: closed chains of its boundary pixels.

Only the window with foreground is traced, so that a small object in a large
picture takes little time; coordinates are those of the whole mask.
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
    """Boundary pixels `(N, 2)` as x, y; each is a neighbour of the previous one."""

_PARENT = 3  # column of OpenCV's hierarchy rows: next, previous, first child, parent


class Part(NamedTuple):
    """A part of a mask: foreground pixels connected by sides or corners."""

    exterior: Contour
    """The outermost pixels of the part."""
    holes: list[Contour]
    """The pixels of the part around each of its holes."""
    pixels: int
    """Number of pixels of the part, without its holes."""


def largest_contour(mask: NDArray[np.bool_]) -> Contour | None:
    """Traces the outer contour of the largest part.

    The largest part is the one whose contour encloses the largest area, with
    its holes; among equal areas the one with the longer contour, then the
    upper one, then the left one.

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
    """Traces every part with its holes, including parts inside the holes of other parts.

    Args:
        mask: Bool array `(H, W)`.

    Returns:
        The parts, largest first; `largest_contour` says how they are compared.
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
    """Returns all contours and, for each hole, the index of the part's outer contour; -1 for an outer contour."""
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
