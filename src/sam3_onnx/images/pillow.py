"""PIL images as arrays of RGB."""

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
"""Values of unknown range; and modes that Pillow itself refuses to convert."""

_ROWS = 64
"""Rows that are copied at a time: few enough to stay in the processor's cache."""


def is_pil_image(picture: object) -> TypeGuard[Image]:
    """Tells whether an object comes from Pillow, without importing it: where nobody has imported it, nothing does."""
    module = sys.modules.get("PIL.Image")
    kind = getattr(module, "Image", None)  # which the module lacks while another thread imports it
    return kind is not None and isinstance(picture, kind)


def refuse_bomb(source: str, width: int, height: int, *, max_pixels: int | None) -> None:
    """Lets a picture of at most `max_pixels` pass.

    Raises:
        PictureTooLargeError: It has more.
    """
    if max_pixels is not None and width * height > max_pixels:
        raise PictureTooLargeError(source, width=width, height=height, limit=max_pixels)


def rgb_of_image(picture: Image, *, max_pixels: int | None) -> NDArray[np.uint8]:
    """Brings a PIL image that was handed over into the library's form, and decodes it if nobody has yet.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous.

    Raises:
        PictureTooLargeError: It has more than `max_pixels` pixels.
        PictureTypeError: It is of a mode whose RGB is not known.
        PictureDecodeError: Pillow cannot decode it.
        MemoryError: There is not enough memory for it.
    """
    refuse_bomb("from Pillow", picture.width, picture.height, max_pixels=max_pixels)
    if picture.mode in MODES_WITHOUT_RGB:
        raise PictureTypeError(
            expected="a PIL image that converts to RGB without loss of meaning",
            got=f"one of mode {picture.mode!r}",
            remedy="Bring it to mode 'RGB' yourself, or pass a uint8 array made from numpy.asarray(picture).",
        )
    try:
        if getattr(picture, "tile", None):
            load_strictly(cast("ImageFile", picture))  # only image files have tiles
        else:
            picture.load()
        return rgb_of_loaded(picture)
    except MemoryError:
        raise
    except Exception as error:  # each of Pillow's plug-ins has its own: RuntimeError, EOFError, struct.error, ...
        raise PictureDecodeError(
            "from Pillow", reason=f"{str(error) or type(error).__name__} (found by Pillow)"
        ) from error


def rgb_of_loaded(picture: Image, *, depth: int = 16) -> NDArray[np.uint8]:
    """Brings the pixels of a decoded PIL image into the library's form.

    Args:
        picture: Of any mode that Pillow converts to RGB, or of whole numbers from zero.
        depth: Bits of a sample where it has more than eight.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous.
    """
    if picture.mode.startswith("I"):
        deep = np.asarray(picture).astype(np.uint16)
        return rgb_of_array(deep << (16 - depth), color="rgb")
    if picture.mode in ("P", "PA"):
        picture = picture.convert("RGBA")  # which forgets nothing of the palette, where RGB may blend
    elif picture.mode == "La":
        picture = picture.convert("LA")
    if picture.mode != "RGB":
        picture = picture.convert("RGB")
    return _copied(picture)


def _copied(picture: Image) -> NDArray[np.uint8]:
    """Pixels of an image of mode RGB, as `numpy.array` copies them, which takes twice as long."""
    from PIL import Image  # noqa: PLC0415 - where pictures are read, and not before

    picture.load()
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for top in range(0, picture.height, _ROWS):
        rows = pixels[top : top + _ROWS]
        encoder: Any = Image._getencoder("RGB", "raw", ("RGB",), ())  # noqa: SLF001 - as `tobytes` makes it
        encoder.setimage(picture.im, (0, top, picture.width, top + len(rows)))
        rows[:] = np.frombuffer(encoder.encode(rows.nbytes)[2], np.uint8).reshape(rows.shape)
    return pixels
