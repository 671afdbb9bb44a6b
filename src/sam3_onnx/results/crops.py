"""One instance cut out of its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sam3_onnx.results.instance import Instance

__all__ = ["cut_out"]


def cut_out(image: NDArray[np.uint8], instance: Instance, *, pad: int, transparent: bool) -> NDArray[np.uint8]:
    """Returns a copy of the part of a picture that holds an instance; see `Segmentation.crop`.

    Args:
        image: (H, W, 3) uint8, the picture.
        instance: What is cut out.
        pad: Pixels added on each side, as far as the picture reaches.
        transparent: Whether a fourth channel is 255 on the mask and 0 beside it.

    Returns:
        (h, w, 3) uint8, or (h, w, 4) with `transparent`.
    """
    height, width = instance.source.size
    left, top, right, bottom = instance.rectangle() or _whole_pixels(instance.box, width, height)
    rows = slice(max(0, top - pad), min(height, bottom + pad))
    columns = slice(max(0, left - pad), min(width, right + pad))
    part = image[rows, columns]
    if not transparent:
        return part.copy()
    return np.dstack([part, np.where(instance.mask[rows, columns], 255, 0).astype(np.uint8)])


def _whole_pixels(box: NDArray[np.float32], width: int, height: int) -> tuple[int, int, int, int]:
    """Returns the pixels that a box (x1, y1, x2, y2) touches, at least one."""
    left, top = min(int(box[0]), width - 1), min(int(box[1]), height - 1)
    return left, top, max(left + 1, int(np.ceil(box[2]))), max(top + 1, int(np.ceil(box[3])))
