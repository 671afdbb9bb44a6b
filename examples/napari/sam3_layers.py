"""What do napari's layers mean to a session, and how do results become layers?

napari counts (row, column) and puts the centre of the first pixel at 0; the library counts x, y from the picture's
corner, so that the same centre is 0.5. Outlines run through the centres of pixels in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx import Box

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sam3_onnx.results import Segmentation

__all__ = ["as_boxes", "as_clicks", "as_label_map", "as_outlines"]

_HALF_PIXEL = 0.5


def as_boxes(rectangles: Iterable[NDArray[np.floating]], *, positive: bool) -> list[Box]:
    """Boxes around drawn shapes.

    Args:
        rectangles: (V, 2) vertices of each, row and column as napari has them.
        positive: Whether they show what is meant.
    """
    boxes = []
    for vertices in rectangles:
        (top, left), (bottom, right) = vertices.min(axis=0) + _HALF_PIXEL, vertices.max(axis=0) + _HALF_PIXEL
        boxes.append(Box(float(left), float(top), float(right), float(bottom), positive))
    return boxes


def as_clicks(places: NDArray[np.floating]) -> list[tuple[float, float]]:
    """x, y of clicks.

    Args:
        places: (P, 2) row and column as napari has them.
    """
    return [(float(x), float(y)) for y, x in places + _HALF_PIXEL]


def as_label_map(found: Segmentation) -> NDArray[np.int32]:
    """(H, W): for each pixel the number of its instance from 1, 0 where there is none; the better score is on top."""
    numbers = np.zeros(found.size, np.int32)
    for index in np.argsort(found.scores, kind="stable"):
        numbers[found[int(index)].mask] = index + 1
    return numbers


def as_outlines(found: Segmentation) -> tuple[list[NDArray[np.float64]], list[int]]:
    """The outline of each instance that has one as (V, 2) row and column, and which instance it is."""
    outlines = [(polygon[:, ::-1], index) for index, one in enumerate(found) if (polygon := one.polygon()) is not None]
    return [outline for outline, _ in outlines], [index for _, index in outlines]
