"""Resizing of pictures to the input of a model as in SAM 3's reference: bilinear with antialiasing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import require_size
from sam3_onnx._support.forking import undivided
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import OptionError
from sam3_onnx.images.arrays import require_rgb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["resize_bilinear", "resize_plane", "to_model_input"]

_MOST_PIXELS = 1 << 30
"""Maximum number of pixels, the same as in OpenCV."""


@known_keywords()
@undivided()
def resize_bilinear(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resizes a picture bilinearly with antialiasing: with a triangle filter that widens when the picture shrinks.

    Pixel centres are at half-integers; at the border, the weights inside the picture are normalised. This is `BILINEAR`
    of Pillow and `antialias=True` of torchvision, which SAM 3's reference uses (`INTER_LINEAR` of OpenCV does not
    widen its filter). As there, rows are resized first and rounded to integers before columns are; a picture of equal
    size is not changed.

    Args:
        image: (H, W, 3) uint8.
        size: New height and width in pixels.

    Returns:
        (height, width, 3) uint8, C-contiguous, never the input itself.

    Raises:
        PictureTypeError: The image has another shape or dtype, or is empty.
        OptionError: A value of `size` is not an integer of at least 1, or the result would have too many pixels.
    """
    require_rgb(image)
    size = require_size("size", size)
    if size[0] * size[1] > _MOST_PIXELS:
        raise OptionError("size", expected=f"of at most {_MOST_PIXELS} pixels", got=size)
    bands = list(_triangle_bands(image.shape[1], size[1]))
    stretched = np.empty((image.shape[0], size[1], 3), np.uint8)
    for start in range(0, len(image), _STRIP):
        # a strip of rows at a time stays in the processor's cache while it is transposed
        strip = image[start : start + _STRIP].swapaxes(0, 1).astype(np.float32, order="C")
        for columns, sources, weights in bands:
            stretched[start : start + _STRIP, columns] = _blended(weights, strip[sources]).swapaxes(0, 1)
    resized = np.empty((*size, 3), np.uint8)
    for rows, sources, weights in _triangle_bands(image.shape[0], size[0]):
        resized[rows] = _blended(weights, stretched[sources].astype(np.float32))
    return resized


def _blended(weights: NDArray[np.float32], levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns weights (T, S) times levels (S, W, 3), rounded half up to integers: (T, W, 3)."""
    blended = weights @ levels.reshape(len(levels), -1)
    blended += np.float32(0.5)
    return blended.astype(np.uint8).reshape(-1, *levels.shape[1:])


@known_keywords()
def to_model_input(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resizes a picture to the input size of a model, and moves the channels to the first axis.

    Args:
        image: (H, W, 3) uint8, RGB.
        size: Height and width of the model's input in pixels.

    Returns:
        (3, height, width) uint8, RGB planes, C-contiguous.

    Raises:
        PictureTypeError: As for `resize_bilinear`.
        OptionError: As for `resize_bilinear`.
    """
    return np.ascontiguousarray(resize_bilinear(image, size).transpose(2, 0, 1))


def resize_plane(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Stretch one plane of numbers as `resize_bilinear` stretches pictures, without rounding to levels.

    This is `torch.nn.functional.interpolate` with `mode="bilinear"`, `antialias=True` and `align_corners=False`.

    Args:
        plane: (H, W) float32.
        size: Height and width to stretch to.

    Returns:
        (height, width) float32.
    """
    stretched = np.empty((plane.shape[0], size[1]), np.float32)
    for columns, sources, weights in _triangle_bands(plane.shape[1], size[1]):
        stretched[:, columns] = plane[:, sources] @ weights.T
    resized = np.empty(size, np.float32)
    for rows, sources, weights in _triangle_bands(plane.shape[0], size[0]):
        resized[rows] = weights @ stretched[sources]
    return resized


_BLOCK_TARGETS, _BLOCK_SOURCES = 32, 128


_STRIP = 64


def _triangle_bands(source: int, target: int) -> Iterator[tuple[slice, slice, NDArray[np.float32]]]:
    """Yields the blocks of the (target, source) matrix of triangle weights that are not zero, along its diagonal.

    A block covers fewer targets for a larger scale, so that the size of all blocks is proportional to the source.

    Yields:
        Target indices, source indices, and their weights: float32, each row sums to 1.
    """
    scale = source / target
    support = max(scale, 1.0)
    block = max(1, min(_BLOCK_TARGETS, int(_BLOCK_SOURCES / scale)))
    for start in range(0, target, block):
        stop = min(start + block, target)
        centres = (np.arange(start, stop) + 0.5) * scale
        first, last = max(0, int(centres[0] - support)), min(source, int(centres[-1] + support) + 1)
        distances = np.arange(first, last) + 0.5 - centres[:, None]
        weights = np.maximum(0.0, 1.0 - np.abs(distances) / support)
        weights /= weights.sum(axis=1, keepdims=True)
        yield slice(start, stop), slice(first, last), weights.astype(np.float32)
