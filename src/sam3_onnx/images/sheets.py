"""Several pictures beside each other on one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx._support.forking import undivided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["contact_sheet", "fitted"]

_TILE = (300, 400)
_GAP = 8
_BACKGROUND = 32


def contact_sheet(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Returns pictures as tiles of 400 x 300 pixels, in rows and columns of about the same number.

    Args:
        images: (H, W, 3) uint8 RGB each, at least one.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    height, width = _TILE
    pitch = (height + _GAP, width + _GAP)
    sheet = np.full((rows * pitch[0] + _GAP, columns * pitch[1] + _GAP, 3), _BACKGROUND, np.uint8)
    for place, tile in enumerate(map(fitted, images)):
        top, left = (place // columns) * pitch[0] + _GAP, (place % columns) * pitch[1] + _GAP
        top, left = top + (height - tile.shape[0]) // 2, left + (width - tile.shape[1]) // 2
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet


@undivided()
def fitted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns a picture shrunk, or enlarged, until it just fits into a tile."""
    height, width = image.shape[:2]
    scale = min(_TILE[0] / height, _TILE[1] / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)
