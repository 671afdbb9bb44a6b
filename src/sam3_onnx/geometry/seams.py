"""Joining of several rings to one, by seams: for polygons with holes in formats that allow only one ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.forking import undivided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@undivided()
def signed_area(ring: NDArray[np.float64]) -> float:
    """Returns the area of a ring `(V, 2)` in square pixels, negative if the ring runs anticlockwise on the screen.

    Computed by Gauss's area formula; a repeated first vertex does not change the result.

    Example:
        >>> signed_area(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 2.0]]))
        3.0
    """
    x, y = (ring - ring[0]).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def with_seams(exterior: NDArray[np.float64], holes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Joins the rings of holes to the outline, each by a seam: a line that the ring follows in both directions.

    Holes run in the opposite direction to the outline, so that the ring encloses the area of the polygon.

    Args:
        exterior: `(V, 2)`, an open ring.
        holes: Open rings inside `exterior`.

    Returns:
        One open ring with all vertices of the rings, and two more for each hole.

    Example:
        >>> square = np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0]])
        >>> ring = with_seams(square, [np.array([[1.0, 1.0], [1.0, 3.0], [3.0, 3.0], [3.0, 1.0]])])
        >>> len(ring), signed_area(ring)
        (10, 77.0)
    """
    turn = np.sign(signed_area(exterior))
    return _joined(exterior, [_turned(hole, -turn) for hole in holes])


def in_one_ring(rings: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Joins separate outlines, each by a seam: a line that the ring follows in both directions.

    Args:
        rings: At least one open ring of shape `(V, 2)`.

    Returns:
        One open ring with all vertices of the rings, and two more for each ring after the first. It encloses the
        same area.
    """
    first, *others = (_turned(ring, 1) for ring in rings)
    return _joined(first, others)


def _joined(ring: NDArray[np.float64], others: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Joins the rings from left to right, each to the ones that are already joined."""
    for other in sorted(others, key=lambda other: float(other[:, 0].min())):
        start, entry = _near(ring, other)
        walk = np.roll(other, -entry, axis=0)
        ring = np.concatenate([ring[: start + 1], walk, walk[:1], ring[start:]])
    return ring


def _turned(ring: NDArray[np.float64], turn: float) -> NDArray[np.float64]:
    """Returns the ring in clockwise direction on the screen if `turn` is above 0, else anticlockwise."""
    return ring if signed_area(ring) * turn >= 0 else ring[::-1]


def _near(ring: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[int, int]:
    """Returns the indices of two close vertices, one of each ring; a quick search that does not try every pair."""
    start = _nearest(ring, other[other[:, 0].argmin()])
    entry = _nearest(other, ring[start])
    return _nearest(ring, other[entry]), entry


def _nearest(ring: NDArray[np.float64], vertex: NDArray[np.float64]) -> int:
    return int(((ring - vertex) ** 2).sum(axis=1).argmin())
