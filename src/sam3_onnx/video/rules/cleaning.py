"""Small holes and specks of masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx.video.rules.planes import Plane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["cleaned"]

_FILLED, _REMOVED = np.float32(0.1), np.float32(-0.1)
"""Logits of filled holes and of removed specks: `fill_holes_in_mask_scores` in transformers and Meta."""
_DIAGONALS_TOUCH = 8


def cleaned(plane: Plane, area: int) -> Plane:
    """Returns a mask with its small holes filled, and then its small specks removed.

    Args:
        plane: The mask.
        area: Holes of at most so many cells are filled; specks of at most so many cells, and of at most half the
            mask, are removed. 0 leaves both.
    """
    if area <= 0 or plane.is_empty:
        return plane
    place = _looked_at(plane, area)
    logits = plane.logits[place]
    labels, small = _parts(logits <= 0, area)
    for rim in _inner_rims(place, labels, plane.logits.shape):
        small[rim] = False  # these go on outside, and are larger
    holes = small.any()
    if holes:
        logits = np.where(small[labels], _FILLED, logits)
    foreground = logits > 0
    labels, small = _parts(foreground, min(area, int(np.count_nonzero(foreground)) // 2))
    if small.any():
        logits = np.where(small[labels], _REMOVED, logits)
    elif not holes:
        return plane
    changed = plane.logits.copy()
    changed[place] = logits
    return Plane(changed)


def _looked_at(plane: Plane, area: int) -> tuple[slice, slice]:
    """Returns the rectangle that holds the mask; all, if what lies outside of it could be as small as a hole.

    What lies outside are at most two strips, each from one side of the whole to the other.
    """
    height, width = plane.logits.shape
    if min(height, width) <= area:
        return slice(0, height), slice(0, width)
    window = plane.window
    return slice(window.y, window.y + window.mask.shape[0]), slice(window.x, window.x + window.mask.shape[1])


def _inner_rims(
    place: tuple[slice, slice], labels: NDArray[np.int32], shape: tuple[int, int]
) -> Iterator[NDArray[np.int32]]:
    """Yields the labels along those sides of a rectangle that do not lie on the rim of the whole."""
    (rows, columns), (height, width) = place, shape
    if rows.start > 0:
        yield labels[0]
    if rows.stop < height:
        yield labels[-1]
    if columns.start > 0:
        yield labels[:, 0]
    if columns.stop < width:
        yield labels[:, -1]


def _parts(mask: NDArray[np.bool_], most: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Returns the number of the connected part of each cell, and by number whether it has at most so many cells."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=_DIAGONALS_TOUCH)
    small = statistics[:, cv2.CC_STAT_AREA] <= most
    small[0] = False  # what is not in the mask
    return np.asarray(labels, np.int32), small
