"""Conversion of outlines to masks: polygons, rectangles and circles filled with pixels.

Outlines run through pixel centres, as in tracing, so that a vertex at `(3, 2)` is
the pixel in column 3 and row 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_FAR = 1 << 20  # pixels; cv2 computes with 16 more bits for fractions


def rings_to_mask(rings: Sequence[NDArray[np.float64]], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Fills a polygon that may have holes, including the pixels on its rings.

    Vertices are rounded to the nearest pixel centre first. Pixels inside an even
    number of rings are left out, except for pixels on the rings, because holes are
    traced along the pixels around them. So a polygon that was traced with an
    epsilon of 0 gives exactly its part.

    Args:
        rings: Each `(V, 2)` as x, y in pixels; the first vertex may be repeated.
        size: Height and width of the picture; anything outside is cut off.

    Returns:
        Bool array `(H, W)`.

    Example:
        >>> square = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
        >>> rings_to_mask([square], (4, 5)).astype(int).tolist()[0]
        [1, 1, 1, 0, 0]
    """
    canvas = np.zeros(size, np.uint8)
    vertices = [np.rint(np.clip(ring, -_FAR, _FAR)).astype(np.int32) for ring in rings]
    cv2.fillPoly(canvas, vertices, 1)
    return canvas.view(np.bool_)


def rectangle_to_mask(corners: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Fills the upright, half-open rectangle around some points: all pixels whose centres are inside.

    Args:
        corners: `(V, 2)` as x, y of the edges between pixels.
        size: Height and width of the picture; anything outside is cut off.

    Returns:
        Bool array `(H, W)`.

    Example:
        >>> rectangle_to_mask(np.array([[1.0, 0.0], [3.0, 2.0]]), (2, 4)).astype(int).tolist()
        [[0, 1, 1, 0], [0, 1, 1, 0]]
    """
    height, width = size
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    return np.asarray(((top <= rows) & (rows < bottom))[:, None] & ((left <= columns) & (columns < right)))


def circle_to_mask(center: NDArray[np.float64], edge: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Fills a circle: all pixels whose centres are inside or on it.

    Args:
        center: `(2,)` x, y in pixels.
        edge: `(2,)` x, y of any point on the circle.
        size: Height and width of the picture.

    Returns:
        Bool array `(H, W)`.
    """
    rows, columns = np.ogrid[: size[0], : size[1]]
    x, y = center
    return np.asarray((columns - x) ** 2 + (rows - y) ** 2 <= np.sum((edge - center) ** 2))
