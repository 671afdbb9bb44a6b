"""Boxes of graphs whose traced size became a constant, brought into pixels of the picture.

Meta's code multiplies boxes by the picture's size. Exporters that traced it baked the size of the
traced picture in, 1008 x 1008 as a rule, so that boxes of any other picture are off by exactly
1008 / W and 1008 / H. Masks come at the picture's own size and tell which side it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sam3_onnx.geometry.window import Window

__all__ = ["TRACED_SIDE", "rescaled"]

TRACED_SIDE = 1008
"""Side of the picture that the published exporters trace with."""
_CLEARLY_BETTER = 0.1
"""Mean IoU by which another side must fit the masks better before it is believed."""


def rescaled(
    boxes: NDArray[np.float32], windows: Sequence[Window], *, size: tuple[int, int], input_size: tuple[int, int]
) -> NDArray[np.float32]:
    """Turns boxes of traced pixels into boxes of the picture's pixels.

    The traced side is taken for 1008, unless the masks fit clearly better to the model's own input size.

    Args:
        boxes: (N, 4) xyxy as the graph gives them.
        windows: The N masks in the picture.
        size: (height, width) of the picture.
        input_size: (height, width) of the model's input.
    """
    candidates = ((TRACED_SIDE, TRACED_SIDE), input_size)
    scaled = [boxes * _factors(size, traced) for traced in candidates]
    fits = [_fit(tried, windows) for tried in scaled]
    best = int(np.argmax(fits))
    return scaled[best] if fits[best] > fits[0] + _CLEARLY_BETTER else scaled[0]


def _factors(size: tuple[int, int], traced: tuple[int, int]) -> NDArray[np.float32]:
    down, across = size[0] / traced[0], size[1] / traced[1]
    return np.array([across, down, across, down], np.float32)


def _fit(boxes: NDArray[np.float32], windows: Sequence[Window]) -> float:
    """Mean IoU of boxes and the rectangles of their masks; 0 without any mask."""
    there = [index for index, window in enumerate(windows) if window.mask.size]
    if not there:
        return 0.0
    corners = [(windows[i].x, windows[i].y, *windows[i].mask.shape[::-1]) for i in there]
    rectangles = np.array(corners, np.float64)
    rectangles[:, 2:] += rectangles[:, :2]
    mine = boxes[there].astype(np.float64)
    sides = np.minimum(mine[:, 2:], rectangles[:, 2:]) - np.maximum(mine[:, :2], rectangles[:, :2])
    shared = sides.clip(0).prod(1)
    areas = (mine[:, 2:] - mine[:, :2]).clip(0).prod(1) + (rectangles[:, 2:] - rectangles[:, :2]).prod(1)
    return float((shared / (areas - shared)).mean())
