"""Conversion of arrays to the form that the library works on: (H, W, 3) uint8 RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import PictureTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["require_rgb", "rgb_of_array"]


def rgb_of_array(array: NDArray[np.generic], *, color: str) -> NDArray[np.uint8]:
    """Converts an array to (H, W, 3) uint8 RGB: 16 bits become 8 by a right shift, alpha is dropped.

    Args:
        array: uint8 or uint16, (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).
        color: Channel order of the array, "rgb" or "bgr".

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous. Shares memory with an array that already has this form.

    Raises:
        PictureTypeError: The array has another shape or dtype.
    """
    remedy = _dtype_remedy(array.dtype) or _shape_remedy(array.shape)
    if remedy:
        expected = "a uint8 or uint16 array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
        raise PictureTypeError(expected=expected, got=_described(array), remedy=remedy)
    pixels = np.atleast_3d(np.right_shift(array, 8) if array.itemsize > 1 else array)[..., :3]
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels[..., ::-1] if color == "bgr" else pixels, dtype=np.uint8)


def require_rgb(image: object) -> None:
    """Checks that an image has the form that `load_image` returns.

    Raises:
        PictureTypeError: It is not a uint8 array (H, W, 3), or it is empty.
    """
    if isinstance(image, np.ndarray) and image.size and image.dtype == np.uint8 and image.shape[2:] == (3,):
        return
    raise PictureTypeError(
        expected="a uint8 array (H, W, 3)",
        got=_described(image) if isinstance(image, np.ndarray) else type(image).__name__,
        remedy="Convert it with load_image(picture).",
    )


def _described(array: NDArray[np.generic]) -> str:
    return f"a {array.dtype} array {array.shape}"


def _dtype_remedy(dtype: np.dtype[np.generic]) -> str:
    """Returns how to convert an unsupported dtype; an empty string for a supported one."""
    match dtype.kind, dtype.itemsize:
        case "u", 1 | 2:
            return ""
        case "b", _:
            return "Convert it with array.astype(np.uint8) * 255."
        case "f", _:
            return (
                "Convert it with np.rint(array * 255).astype(np.uint8) if it spans 0 to 1; otherwise scale it to "
                "0 to 255 first."
            )
        case _:
            return "Convert it with array.astype(np.uint8) if its values are in 0 to 255."


def _shape_remedy(shape: tuple[int, ...]) -> str:
    """Returns how to convert an unsupported shape; an empty string for a supported one."""
    match shape:
        case _ if 0 in shape:
            return "It has no pixels; check how it was read or cropped."
        case (_, _) | (_, _, 1 | 3 | 4):
            return ""
        case (1 | 3, _, _):
            return "Move the channels to the last axis: array.transpose(1, 2, 0)."
        case (_, _, _):
            return "The last axis must have 1, 3 or 4 channels: select them with array[..., :3] or array[..., 0]."
        case _:
            return "Pass one picture at a time, such as array[0] of a batch; pass the content of a file as bytes."
