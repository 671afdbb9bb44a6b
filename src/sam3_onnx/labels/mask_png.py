"""How does a mask become a small picture file, and a mask again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["mask_from_png", "mask_to_png"]


def mask_to_png(mask: NDArray[np.bool_]) -> bytes:
    """A bool mask (H, W) as a grey PNG of 0 and 1, as labelme writes it."""
    _, encoded = cv2.imencode(".png", mask.astype(np.uint8))
    return encoded.tobytes()


def mask_from_png(content: bytes) -> NDArray[np.bool_]:
    """The pixels of a grey picture that are not 0.

    Raises:
        ValueError: It is no picture.
    """
    data = np.frombuffer(content, np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    if decoded is None:
        raise ValueError("no picture")
    return np.asarray(decoded) > 0
