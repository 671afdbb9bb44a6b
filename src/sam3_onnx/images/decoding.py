"""Picture files decoded by Pillow."""

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
"""Module and class of Pillow for each format. `PIL.Image.open` is not asked: it tries formats that are not on the list,
and applies the host's MAX_IMAGE_PIXELS."""

_SCALE = "Scale the samples to 0 to 255 by the range that you know, and pass the array as uint8."
_GREY_AND_ALPHA = 2
_BYTES_OF_PIXEL = 16
"""Of four channels of 32 bits, the most that a decoder works with (JPEG 2000)."""

_importing = ForkSafeLock()


@undivided()
def decode_picture(data: bytes, source: str, *, max_pixels: int | None) -> NDArray[np.uint8]:
    """Decodes a picture file, and turns it upright.

    Args:
        data: The whole file.
        source: What messages call it.
        max_pixels: The most pixels that are decoded; None for any number.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous.

    Raises:
        PictureDecodeError: It is damaged, cut off, or of no format that is read.
        PictureTooLargeError: It has more than `max_pixels` pixels.
        MemoryError: There is not enough memory for it.
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
    except Exception as error:  # each of Pillow's plug-ins has its own: RuntimeError, EOFError, struct.error, ...
        _require_memory(width, height)
        raise _refusal(source, error) from error


def _require_memory(width: int, height: int) -> None:
    """Tells damage from too little memory, which decoders of WebP, AVIF and JPEG 2000 report alike.

    Raises:
        MemoryError: There is not enough for what they allocate.
    """
    np.empty((height, width, _BYTES_OF_PIXEL), np.uint8)


def _imported(module: str) -> ModuleType:
    """Imports a part of Pillow, whose parts import one another: two threads that begin at two ends get half of one."""
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
        raise ValueError(f"it has pixels of other colours than the {file.colours} of its palette")
    pixels = rgb_of_loaded(picture, depth=file.depth)
    if file.grey_triples:
        pixels = np.ascontiguousarray(pixels[..., 0].reshape(file.height, file.width, 3))
    if file.inverted:
        pixels = ~pixels
    return turned_upright(pixels, file.orientation)


def _webp(file: PictureFile) -> NDArray[np.uint8]:
    """The first frame, from the decoder that Pillow's plug-in uses: the plug-in itself asks for MAX_IMAGE_PIXELS."""
    from PIL import _webp  # noqa: PLC0415 - where pictures are read, and not before

    decoder = _webp.WebPAnimDecoder(file.data)
    size, _, _, _, mode = decoder.get_info()
    frame = decoder.get_next()
    if frame is None:
        raise ValueError("its first frame cannot be decoded")
    return _first_three(frame[0], size, len(mode))


def _avif(file: PictureFile) -> NDArray[np.uint8]:
    """The first frame, from the decoder that Pillow's plug-in uses: the plug-in itself warns of damaged EXIF.

    EXIF does not count here. AVIF says in boxes of its own how a picture is turned, which the decoder reports as EXIF
    would number it.
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
    """Decodes a file of a format that the host has added to Pillow."""
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
