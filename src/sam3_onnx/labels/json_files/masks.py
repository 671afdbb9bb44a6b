"""Masks in labelme's JSON files: a grey PNG with the values 0 and 1, in base64."""

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
    """Encodes a bool mask (h, w) as a grey PNG with the values 0 and 1, in base64, as labelme does."""
    _, encoded = cv2.imencode(".png", mask.astype(np.uint8))
    return base64.b64encode(encoded.tobytes()).decode("ascii")


def mask_from_text(text: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Decodes a picture in base64 and returns a mask (h, w) of its pixels that are not 0.

    The size is checked before decoding, because a few bytes can claim any size.

    Args:
        text: The picture in base64.
        size: (height, width) of the labelled picture.

    Raises:
        ValueError: The text is not base64, not a picture, or the picture is larger than `size`.
    """
    height, width = size
    data = base64.b64decode(text, validate=True)
    try:
        pixels = load_image(data, max_pixels=min(height * width, DEFAULT_MAX_PIXELS))
    except PictureError as error:
        raise ValueError(str(error)) from error
    if pixels.shape[0] > height or pixels.shape[1] > width:
        raise ValueError(f"{pixels.shape[1]} x {pixels.shape[0]} pixels for a picture of {width} x {height} pixels")
    return np.asarray(pixels.any(axis=2))
