"""Conversion of PIL images to RGB arrays."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import numpy as np

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError, PictureTypeError
from sam3_onnx.images.arrays import rgb_of_array
from sam3_onnx.images.strict import load_strictly

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

__all__ = ["MODES_WITHOUT_RGB", "is_pil_image", "refuse_bomb", "rgb_of_image", "rgb_of_loaded"]

MODES_WITHOUT_RGB = ("I", "F", "LAB", "La", "RGBa")
"""Modes with values of unknown range, and modes that Pillow cannot convert."""

_ROWS = 64
"""Number of rows that are copied at a time, small enough for the processor's cache."""


def is_pil_image(picture: object) -> TypeGuard[Image]:
    """Returns whether an object is a PIL image, without importing Pillow: if it is not imported, there are none."""
    module = sys.modules.get("PIL.Image")
    kind = getattr(module, "Image", None)  # missing while another thread is importing the module
    return kind is not None and isinstance(picture, kind)


def refuse_bomb(source: str, width: int, height: int, *, max_pixels: int | None) -> None:
    """Checks that a picture has at most `max_pixels` pixels.

    Raises:
        PictureTooLargeError: The picture has more pixels.
    """
    if max_pixels is not None and width * height > max_pixels:
        raise PictureTooLargeError(source, width=width, height=height, limit=max_pixels)


def rgb_of_image(picture: Image, *, max_pixels: int | None) -> NDArray[np.uint8]:
    """Converts a PIL image from a caller to RGB, and decodes it if necessary.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous.

    Raises:
        PictureTooLargeError: The image has more than `max_pixels` pixels.
        PictureTypeError: The conversion of its mode to RGB is not defined.
        PictureDecodeError: Pillow cannot decode the image.
        MemoryError: There is not enough memory for the image.
    """
    refuse_bomb("from Pillow", picture.width, picture.height, max_pixels=max_pixels)
    if picture.mode in MODES_WITHOUT_RGB:
        raise PictureTypeError(
            expected="a PIL image with a mode that can be converted to RGB",
            got=f"mode {picture.mode!r}",
            remedy="Convert it to mode 'RGB' yourself, or pass a uint8 array made from numpy.asarray(picture).",
        )
    try:
        if getattr(picture, "tile", None):
            load_strictly(cast("ImageFile", picture))  # only image files have tiles
        else:
            picture.load()
        return rgb_of_loaded(picture)
    except MemoryError:
        raise
    except Exception as error:  # plug-ins of Pillow raise different ones: RuntimeError, EOFError, struct.error, ...
        raise PictureDecodeError(
            "from Pillow", reason=f"{str(error) or type(error).__name__} (found by Pillow)"
        ) from error


def rgb_of_loaded(picture: Image, *, depth: int = 16) -> NDArray[np.uint8]:
    """Converts the pixels of a decoded PIL image to RGB.

    Args:
        picture: An image of any mode that Pillow converts to RGB, or of unsigned integers.
        depth: Bits of a sample, if it has more than eight.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous.
    """
    if picture.mode.startswith("I"):
        deep = np.asarray(picture).astype(np.uint16)
        return rgb_of_array(deep << (16 - depth), color="rgb")
    if picture.mode in ("P", "PA"):
        picture = picture.convert("RGBA")  # keeps the colours of the palette; a conversion to RGB may blend them
    elif picture.mode == "La":
        picture = picture.convert("LA")
    if picture.mode != "RGB":
        picture = picture.convert("RGB")
    return _copied(picture)


def _copied(picture: Image) -> NDArray[np.uint8]:
    """Copies the pixels of an image of mode RGB, twice as fast as `numpy.array`."""
    from PIL import Image  # noqa: PLC0415 - where pictures are read, and not before

    picture.load()
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for top in range(0, picture.height, _ROWS):
        rows = pixels[top : top + _ROWS]
        encoder: Any = Image._getencoder("RGB", "raw", ("RGB",), ())  # noqa: SLF001 - as `tobytes` makes it
        encoder.setimage(picture.im, (0, top, picture.width, top + len(rows)))
        rows[:] = np.frombuffer(encoder.encode(rows.nbytes)[2], np.uint8).reshape(rows.shape)
    return pixels
