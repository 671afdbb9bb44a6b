"""Masks as labelme writes them into JSON: a grey picture of 0 and 1, a PNG in base64."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx.errors import PictureError
from sam3_onnx.images.loading import DEFAULT_MAX_PIXELS, load_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["mask_from_text", "mask_to_text"]


def mask_to_text(mask: NDArray[np.bool_]) -> str:
    """Returns a bool mask (h, w) as a grey PNG of 0 and 1 in base64, as labelme writes it."""
    _, encoded = cv2.imencode(".png", mask.astype(np.uint8))
    return base64.b64encode(encoded.tobytes()).decode("ascii")


def mask_from_text(text: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Returns the pixels (h, w) that are not 0 of a picture in base64.

    Its size is looked at before it is decoded, as a few bytes can claim any size.

    Args:
        text: The picture in base64.
        size: (height, width) of the picture that the mask is one of.

    Raises:
        ValueError: It is no base64, no picture, or one that is larger than `size`.
    """
    height, width = size
    data = base64.b64decode(text, validate=True)
    try:
        pixels = load_image(data, max_pixels=min(height * width, DEFAULT_MAX_PIXELS))
    except PictureError as error:
        raise ValueError(str(error)) from error
    if pixels.shape[0] > height or pixels.shape[1] > width:
        raise ValueError(f"one of {pixels.shape[1]} x {pixels.shape[0]} in a picture of {width} x {height} pixels")
    return np.asarray(pixels.any(axis=2))
