"""Upright and rotated rectangles around a mask."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx._support.keywords import known_keywords, known_methods
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry._contours import largest_contour
from sam3_onnx.geometry._masks import as_mask, extent

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MIN_VERTICES = 3
_SNAP = 6  # decimals of a pixel at which a corner counts as level with the centre


@known_methods
@dataclass(frozen=True, eq=False)
class RotatedBox:
    """A rectangle turned by any angle.

    Corners may be given in any order; they are kept sorted, as a read-only
    copy, and boxes are compared by their corners.

    Example:
        >>> box = RotatedBox(np.array([[4.0, 2.0], [2.0, 4.0], [0.0, 2.0], [2.0, 0.0]]))
        >>> box.corners.tolist()
        [[2.0, 0.0], [4.0, 2.0], [2.0, 4.0], [0.0, 2.0]]
        >>> box.center, round(box.angle, 3)
        ((2.0, 2.0), 45.0)

    Raises:
        OptionError: `corners` is not of shape `(4, 2)`.
    """

    corners: NDArray[np.float64]
    """`(4, 2)`, x and y in pixels, by rising `atan2(y - center_y, x - center_x)`
    in `(-pi, pi]`: with y down, clockwise on the screen from the left. An upright
    box begins at its top left corner; a corner level with the centre on its left
    comes last. The first two corners are never below the centre."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "corners", _sorted_corners(self.corners))

    @property
    def center(self) -> tuple[float, float]:
        """The point in the middle, x and y in pixels."""
        x, y = self.corners.mean(axis=0).tolist()
        return x, y

    @property
    def size(self) -> tuple[float, float]:
        """Width, from corner 0 to corner 1, and height, from corner 1 to corner 2, in pixels.

        The width need not be the longer side.
        """
        first, second, third, _ = self.corners
        return math.dist(first, second), math.dist(second, third)

    @property
    def angle(self) -> float:
        """Degrees in `(-90, 90)` by which the width is turned from the x axis, clockwise on the screen.

        An upright box of `size` at `center`, turned about it by `angle`, has
        these corners. It is `direction` in other units, whereas OpenCV's angle
        differs from release to release.
        """
        return math.degrees(self._turn())

    @property
    def direction(self) -> float:
        """Radians in `[0, 2 pi)` of the way from corner 0 to corner 1, clockwise on the screen.

        What X-AnyLabeling writes as `direction` of shapes of the type `rotation`.
        """
        return self._turn() % math.tau % math.tau  # the first remainder may round up to tau itself

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RotatedBox):
            return NotImplemented
        return np.array_equal(self.corners, other.corners)

    def __hash__(self) -> int:
        return hash(tuple(self.corners.ravel().tolist()))

    def _turn(self) -> float:
        x, y = (self.corners[1] - self.corners[0]).tolist()
        return math.atan2(y, x)


@known_keywords()
def mask_to_rectangle(mask: NDArray[np.generic], *, threshold: float = 0.0) -> tuple[int, int, int, int] | None:
    """Find the smallest upright rectangle that holds all foreground, every part of it.

    Args:
        mask: `(H, W)` or `(1, H, W)`, bool, integer or floating point.
        threshold: Logits greater than this are foreground.

    Returns:
        `(x1, y1, x2, y2)` in pixels, half-open: `mask[y1:y2, x1:x2]` is the
        crop, and a single pixel gives a rectangle of one by one. None if there
        is no foreground.

    Raises:
        MaskError: `mask` is not a mask.
        OptionError: `threshold` is NaN.

    Example:
        >>> mask = np.zeros((4, 6), dtype=bool)
        >>> mask_to_rectangle(mask) is None
        True
        >>> mask[2, 3] = True
        >>> mask_to_rectangle(mask)
        (3, 2, 4, 3)
        >>> mask[2, :] = True
        >>> mask_to_rectangle(mask)
        (0, 2, 6, 3)
    """
    window = extent(as_mask(mask, threshold))
    if window is None:
        return None
    rows, columns = window
    return columns.start, rows.start, columns.stop, rows.stop


@known_keywords()
def mask_to_rotated_box(mask: NDArray[np.generic], *, threshold: float = 0.0) -> RotatedBox | None:
    """Find the rectangle of least area, turned by any angle, around the largest part.

    The part is the one that `mask_to_polygon` outlines. As in X-AnyLabeling,
    the box goes round the centres of its pixels: an upright bar of 4 by 3
    pixels gives a box of 3 by 2. Of several equally small boxes it is the one
    turned least, clockwise from upright.

    Args:
        mask: `(H, W)` or `(1, H, W)`, bool, integer or floating point.
        threshold: Logits greater than this are foreground.

    Returns:
        The box, or None where it would have no area and therefore be of no use
        in a label file: no foreground, a single pixel, or a straight line of
        pixels. `mask_to_rectangle` holds those too.

    Raises:
        MaskError: `mask` is not a mask.
        OptionError: `threshold` is NaN.

    Example:
        >>> mask = np.zeros((5, 6), dtype=bool)
        >>> mask[1:4, 1:5] = True
        >>> box = mask_to_rotated_box(mask)
        >>> box.corners.tolist()
        [[1.0, 1.0], [4.0, 1.0], [4.0, 3.0], [1.0, 3.0]]
        >>> box.center, box.size, box.angle, box.direction
        ((2.5, 2.0), (3.0, 2.0), 0.0, 0.0)
        >>> mask_to_rotated_box(np.eye(5)) is None
        True
    """
    contour = largest_contour(as_mask(mask, threshold))
    if contour is None:
        return None
    hull = np.asarray(cv2.convexHull(contour), dtype=np.float64).reshape(-1, 2)
    return None if len(hull) < _MIN_VERTICES else RotatedBox(_smallest_rectangle(hull))


def _smallest_rectangle(hull: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the corners of the rectangle of least area around a convex polygon.

    One of its sides lies on a side of the polygon (Freeman and Shapira, 1975).
    Sides are not brought to unit length, so that whole coordinates give exact
    areas, and equal ones compare as equal.
    """
    along = np.roll(hull, -1, axis=0) - hull
    across = along[:, ::-1] * (-1, 1)
    u, v = hull @ along.T, hull @ across.T
    left, right, top, bottom = u.min(axis=0), u.max(axis=0), v.min(axis=0), v.max(axis=0)
    squared_lengths = np.sum(along**2, axis=1)
    areas = (right - left) * (bottom - top) / squared_lengths
    turns = np.arctan2(along[:, 1], along[:, 0]) % (np.pi / 2)
    best = np.lexsort((turns, areas))[0]
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    axes = np.stack([along[best], across[best]]) / squared_lengths[best]
    return np.asarray(np.array([[u[best], v[best]] for u, v in corners]) @ axes)


def _sorted_corners(corners: ArrayLike) -> NDArray[np.float64]:
    array = np.array(corners, dtype=np.float64)
    if array.shape != (4, 2):
        raise OptionError("corners", expected="of shape (4, 2)", got=array.shape)
    x, y = np.round(array - array.mean(axis=0), _SNAP).T + 0.0  # adding 0.0 turns -0.0 into 0.0
    array = array[np.argsort(np.arctan2(y, x), kind="stable")]
    array.flags.writeable = False
    return array
