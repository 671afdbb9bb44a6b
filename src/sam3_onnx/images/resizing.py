"""Pictures stretched to a model's input as SAM 3's reference does: bilinear with antialiasing."""

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
"""As OpenCV reads at most."""


@undivided()
def resize_bilinear(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Stretch a picture with a triangle filter that widens as the picture shrinks.

    Pixel centres lie at half-integers; at the border the weights inside the picture are normalised. This is `BILINEAR`
    of Pillow and `antialias=True` of torchvision, which SAM 3's reference uses (`INTER_LINEAR` of OpenCV does not
    widen its filter). As there, rows are stretched first and rounded to whole levels before columns are; at equal size
    the picture comes back unchanged.

    Args:
        image: (H, W, 3) uint8.
        size: Height and width to stretch to, in pixels.

    Returns:
        (height, width, 3) uint8, C-contiguous, never the input itself.

    Raises:
        PictureTypeError: The image is not of that shape and dtype, or empty.
        OptionError: A side of `size` is no whole number of at least 1, or there are too many pixels.
    """
    require_rgb(image)
    size = require_size("size", size)
    if size[0] * size[1] > _MOST_PIXELS:
        raise OptionError("size", expected=f"of at most {_MOST_PIXELS} pixels", got=size)
    bands = list(_triangle_bands(image.shape[1], size[1]))
    stretched = np.empty((image.shape[0], size[1], 3), np.uint8)
    for start in range(0, len(image), _STRIP):
        # a strip of rows at a time stays in the processor's cache while it is turned to have its columns first
        strip = image[start : start + _STRIP].swapaxes(0, 1).astype(np.float32, order="C")
        for columns, sources, weights in bands:
            stretched[start : start + _STRIP, columns] = _blended(weights, strip[sources]).swapaxes(0, 1)
    resized = np.empty((*size, 3), np.uint8)
    for rows, sources, weights in _triangle_bands(image.shape[0], size[0]):
        resized[rows] = _blended(weights, stretched[sources].astype(np.float32))
    return resized


def _blended(weights: NDArray[np.float32], levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(T, S) weights times (S, W, 3) levels, rounded half up to whole levels: (T, W, 3)."""
    blended = weights @ levels.reshape(len(levels), -1)
    blended += np.float32(0.5)
    return blended.astype(np.uint8).reshape(-1, *levels.shape[1:])


@known_keywords()
def to_model_input(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Stretch a picture to a model's input size, channels first.

    Args:
        image: (H, W, 3) uint8, RGB.
        size: Height and width of the model's input, in pixels.

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
    """Cut the (target, source) matrix of triangle weights into the blocks along its diagonal that are not zero.

    A block covers fewer targets as the scale grows, so that all blocks together stay in proportion to the source.

    Yields:
        Target indices, source indices, and the weights between them: float32, rows add up to 1.
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
