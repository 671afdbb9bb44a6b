"""A polygon with holes as one ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.forking import undivided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@undivided()
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

    Holes are walked the other way round than the outline, so that the area enclosed by the ring is the polygon's.

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
    turn = np.sign(signed_area(exterior))
    return _joined(exterior, [_turned(hole, -turn) for hole in holes])


def in_one_ring(rings: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Join outlines that lie beside one another, each by a seam: a line that is walked to and fro.

    Args:
        rings: Of shape `(V, 2)`, open; at least one.

    Returns:
        One open ring with all their vertices, and two more for each ring but the first. It encloses as much as they.
    """
    first, *others = (_turned(ring, 1) for ring in rings)
    return _joined(first, others)


def _joined(ring: NDArray[np.float64], others: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """From left to right, each ring is joined to what is joined already."""
    for other in sorted(others, key=lambda other: float(other[:, 0].min())):
        start, entry = _near(ring, other)
        walk = np.roll(other, -entry, axis=0)
        ring = np.concatenate([ring[: start + 1], walk, walk[:1], ring[start:]])
    return ring


def _turned(ring: NDArray[np.float64], turn: float) -> NDArray[np.float64]:
    """The ring walked clockwise on the screen for a turn above 0, else anticlockwise."""
    return ring if signed_area(ring) * turn >= 0 else ring[::-1]


def _near(ring: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[int, int]:
    """Vertices of two rings that are near one another: from the left of the other to and fro, not every pair."""
    start = _nearest(ring, other[other[:, 0].argmin()])
    entry = _nearest(other, ring[start])
    return _nearest(ring, other[entry]), entry


def _nearest(ring: NDArray[np.float64], vertex: NDArray[np.float64]) -> int:
    return int(((ring - vertex) ** 2).sum(axis=1).argmin())
