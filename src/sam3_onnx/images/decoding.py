"""Decoding of picture files with Pillow."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.forking import ForkSafeLock, undivided
from sam3_onnx.errors import PictureDecodeError, PictureError
from sam3_onnx.images.finding import is_pillows_own
from sam3_onnx.images.formats import format_of
from sam3_onnx.images.orientation import orientation_of, turned_upright
from sam3_onnx.images.pillow import MODES_WITHOUT_RGB, refuse_bomb, rgb_of_loaded
from sam3_onnx.images.strict import load_by_libtiff, load_strictly
from sam3_onnx.images.structure.parts import SampleError

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

    from sam3_onnx.images.formats import PictureFormat
    from sam3_onnx.images.structure.parts import PictureFile

__all__ = ["decode_picture"]

_PLUG_INS = {
    "JPEG": ("JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PngImagePlugin", "PngImageFile"),
    "TIFF": ("TiffImagePlugin", "TiffImageFile"),
    "BMP": ("BmpImagePlugin", "BmpImageFile"),
    "GIF": ("GifImagePlugin", "GifImageFile"),
    "JPEG2000": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "PPM": ("PpmImagePlugin", "PpmImageFile"),
}
"""Module and class of Pillow for each format. `PIL.Image.open` is not used: it tries formats that are not in this list,
and applies the MAX_IMAGE_PIXELS of the program."""

_SCALE = "Scale the samples from their range to 0 to 255, and pass the array as uint8."
_GREY_AND_ALPHA = 2
_BYTES_OF_PIXEL = 16
"""Largest number of bytes per pixel in a decoder: four channels of 32 bits (JPEG 2000)."""

_importing = ForkSafeLock()


@undivided()
def decode_picture(data: bytes, source: str, *, max_pixels: int | None) -> NDArray[np.uint8]:
    """Decodes a picture file, and rotates it upright.

    Args:
        data: Bytes of the complete file.
        source: Name of the picture in messages.
        max_pixels: Maximum number of pixels; None disables the check.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous.

    Raises:
        PictureDecodeError: The file is damaged, cut off, or not in a supported format.
        PictureTooLargeError: The picture has more than `max_pixels` pixels.
        MemoryError: There is not enough memory for the picture.
    """
    if not data:
        raise PictureDecodeError(source, reason="it is empty")
    _imported("PIL.ImageFile")
    found = format_of(data)
    if found is None:
        return _by_plug_in(data, source, max_pixels=max_pixels)
    try:
        file = found.read(data)
    except SampleError as error:
        raise PictureDecodeError(source, reason=str(error), remedy=_SCALE) from error
    except ValueError as error:
        raise PictureDecodeError(source, reason=str(error)) from error
    width, height = file.allocated
    refuse_bomb(source, width, height, max_pixels=max_pixels)
    try:
        return _pixels(found, file)
    except MemoryError:
        raise
    except Exception as error:  # plug-ins of Pillow raise different ones: RuntimeError, EOFError, struct.error, ...
        _require_memory(width, height)
        raise _refusal(source, error) from error


def _require_memory(width: int, height: int) -> None:
    """Checks the free memory, because decoders of WebP, AVIF and JPEG 2000 report too little memory as damage.

    Raises:
        MemoryError: There is not enough memory for what the decoder allocates.
    """
    np.empty((height, width, _BYTES_OF_PIXEL), np.uint8)


def _imported(module: str) -> ModuleType:
    """Imports a module of Pillow under a lock: without it, two threads could get incomplete modules."""
    with _importing:
        return importlib.import_module(module)


def _refusal(source: str, error: Exception) -> PictureDecodeError:
    from PIL import __version__  # noqa: PLC0415 - where pictures are read, and not before

    return PictureDecodeError(source, reason=f"{str(error) or type(error).__name__} (found by Pillow {__version__})")


def _pixels(found: PictureFormat, file: PictureFile) -> NDArray[np.uint8]:
    if found.name == "WEBP":
        return turned_upright(_webp(file), file.orientation)
    if found.name == "AVIF":
        return _avif(file)
    module, name = _PLUG_INS[found.name]
    plug_in = getattr(_imported(f"PIL.{module}"), name)
    picture: ImageFile = plug_in(io.BytesIO(file.header or file.data))
    expected = (file.width * (3 if file.grey_triples else 1), file.height)
    if picture.size != expected:
        raise ValueError(f"its headers say {picture.size} and {expected} pixels")
    if found.name == "TIFF":
        load_by_libtiff(picture, file.data)
    else:
        load_strictly(picture)
    if file.colours is not None and picture.mode == "P" and np.asarray(picture).max() >= file.colours:
        raise ValueError(f"it has pixels with a number above the {file.colours} colours of its palette")
    pixels = rgb_of_loaded(picture, depth=file.depth)
    if file.grey_triples:
        pixels = np.ascontiguousarray(pixels[..., 0].reshape(file.height, file.width, 3))
    if file.inverted:
        pixels = ~pixels
    return turned_upright(pixels, file.orientation)


def _webp(file: PictureFile) -> NDArray[np.uint8]:
    """Decodes the first frame with the decoder of Pillow's plug-in; the plug-in itself would check MAX_IMAGE_PIXELS."""
    from PIL import _webp  # noqa: PLC0415 - where pictures are read, and not before

    decoder = _webp.WebPAnimDecoder(file.data)
    size, _, _, _, mode = decoder.get_info()
    frame = decoder.get_next()
    if frame is None:
        raise ValueError("its first frame cannot be decoded")
    return _first_three(frame[0], size, len(mode))


def _avif(file: PictureFile) -> NDArray[np.uint8]:
    """Decodes the first frame with the decoder of Pillow's plug-in; the plug-in itself would warn of damaged EXIF.

    The EXIF orientation is not used here: AVIF stores the rotation in its own boxes, and the decoder returns it as an
    EXIF orientation.
    """
    from PIL import _avif  # noqa: PLC0415 - where pictures are read, and not before

    decoder = _avif.AvifDecoder(file.data, "auto", 1)
    size, _, mode, _, _, orientation, _ = decoder.get_info()
    if size != (file.width, file.height):
        raise ValueError(f"its headers say {size} and {(file.width, file.height)} pixels")
    return turned_upright(_first_three(decoder.get_frame(0)[0], size, len(mode)), orientation)


def _first_three(pixels: bytes, size: tuple[int, int], channels: int) -> NDArray[np.uint8]:
    found = np.frombuffer(pixels, np.uint8).reshape(size[1], size[0], channels)
    return np.array(found[..., :3]) if channels > _GREY_AND_ALPHA else np.repeat(found[..., :1], 3, axis=2)


def _by_plug_in(data: bytes, source: str, *, max_pixels: int | None) -> NDArray[np.uint8]:
    """Decodes a file in a format that the program has added to Pillow with a plug-in."""
    from PIL import Image  # noqa: PLC0415 - where pictures are read, and not before

    try:
        for factory, accept in Image.OPEN.values():
            if is_pillows_own(factory) or accept is None or accept(data[:16]) is not True:
                continue
            picture = factory(io.BytesIO(data), "")
            refuse_bomb(source, *picture.size, max_pixels=max_pixels)
            _require_mode(source, picture)
            load_strictly(picture)
            return turned_upright(rgb_of_loaded(picture), orientation_of(picture.info.get("exif", b"")))
    except (MemoryError, PictureError):
        raise
    except Exception as error:
        raise _refusal(source, error) from error
    raise PictureDecodeError(
        source,
        reason="its first bytes are not those of AVIF, BMP, GIF, JPEG, JPEG 2000, PNG, PNM, TIFF or WebP",
    )


def _require_mode(source: str, picture: ImageFile) -> None:
    if picture.mode in MODES_WITHOUT_RGB:
        raise PictureDecodeError(source, reason=f"it is of mode {picture.mode!r}", remedy=_SCALE)
