"""How is a polygon with holes walked as one ring?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def signed_area(ring: NDArray[np.float64]) -> float:
    """Area within a ring `(V, 2)` in square pixels, below zero if it runs anticlockwise on the screen.

    Gauss's area formula; a repeated first vertex changes nothing.

    Example:
        >>> signed_area(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 2.0]]))
        3.0
    """
    x, y = (ring - ring[0]).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def with_seams(exterior: NDArray[np.float64], holes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Join the rings of holes to the outline, each by a seam: a line that is walked to and fro.

    A seam leads from the nearest vertex of what is already joined, the nearest hole first. Holes are walked the other
    way round than the outline, so that the area enclosed by the ring is the polygon's.

    Args:
        exterior: `(V, 2)`, the ring open.
        holes: Rings like it, inside it.

    Returns:
        One open ring with all their vertices, and two more for each hole.

    Example:
        >>> square = np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0]])
        >>> ring = with_seams(square, [np.array([[1.0, 1.0], [1.0, 3.0], [3.0, 3.0], [3.0, 1.0]])])
        >>> len(ring), signed_area(ring)
        (10, 77.0)
    """
    ring = exterior
    for hole in sorted(holes, key=lambda hole: _nearest(exterior, hole)[0]):
        against = hole if signed_area(hole) * signed_area(exterior) < 0 else hole[::-1]
        _, start, entry = _nearest(ring, against)
        walk = np.roll(against, -entry, axis=0)
        ring = np.concatenate([ring[: start + 1], walk, walk[:1], ring[start:]])
    return ring


def _nearest(ring: NDArray[np.float64], hole: NDArray[np.float64]) -> tuple[float, int, int]:
    """The squared distance between the two nearest vertices, and which they are."""
    squared = ((ring[:, None] - hole[None]) ** 2).sum(axis=2)
    at, entry = np.unravel_index(int(squared.argmin()), squared.shape)
    return float(squared[at, entry]), int(at), int(entry)
