"""The overlap of the masks of two answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["smallest_iou"]

_SMALLEST_MASK = 25  # cells; one more or less says nothing about a smaller one


def smallest_iou(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    """Smallest IoU of masks (..., h, w) pair by pair; pairs of almost nothing count as 1."""
    shared = np.count_nonzero(ours & theirs, axis=(-2, -1))
    union = np.count_nonzero(ours | theirs, axis=(-2, -1))
    return float(np.where(union >= _SMALLEST_MASK, shared / np.maximum(union, 1), 1.0).min())
