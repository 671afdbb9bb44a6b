"""Files, bytes, PIL images and arrays in one form: upright RGB, uint8, (H, W, 3)."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

import numpy as np

from sam3_onnx._support.checks import require_choice, require_whole
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import (
    OptionError,
    PictureDecodeError,
    PictureMissingError,
    PictureTypeError,
)
from sam3_onnx.images.arrays import rgb_of_array
from sam3_onnx.images.decoding import decode_picture
from sam3_onnx.images.pillow import is_pil_image, rgb_of_image

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = ["DEFAULT_MAX_PIXELS", "Picture", "load_image", "read_source", "require_pictures", "require_reading"]

Picture: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | Image | NDArray[np.uint8] | NDArray[np.uint16]"
"""What `load_image` takes: a path, a picture file's bytes, a file open for binary reading, a PIL image, an array."""

DEFAULT_MAX_PIXELS = 178_956_970
"""Where Pillow by default refuses a picture as a decompression bomb: 512 MiB as RGB uint8."""


@known_keywords()
def load_image(
    picture: Picture, *, color: Literal["rgb", "bgr"] = "rgb", max_pixels: int | None = DEFAULT_MAX_PIXELS
) -> NDArray[np.uint8]:
    """Brings any picture into the one form that the library works on.

    Files and bytes are decoded and turned upright by their EXIF orientation, as browsers and labelling tools do; of
    several frames or pages the first is taken. PIL images are taken as they are: their owner has turned them or not.
    Alpha is dropped, not blended; colours that a TIFF holds multiplied with alpha are divided by it. 16 bits become 8
    by a right shift (in an AVIF by rounding); grey becomes three equal channels. Samples of an unknown range are
    refused: signed ones, floats, and whole numbers of more than 16 bits.

    Damage is an error where the format shows it: a file that is cut off, a checksum that does not hold, a header that
    cannot be true. A changed byte in the scan of a JPEG or in an uncompressed BMP is not noticed. The page "Pictures"
    of the documentation lists formats and damage.

    Args:
        picture: A path, the bytes of a picture file, a file opened for reading in binary mode, a PIL image, or an
            array of uint8 or uint16 with the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).
        color: Channel order of an array with three or four channels. Files and PIL images know their own.
        max_pixels: Files and PIL images with more pixels, also of a single tile or canvas, are refused before they are
            decoded; None refuses none. Arrays are in memory already and never refused.

    Returns:
        (H, W, 3) uint8, RGB, C-contiguous. Shares memory with an array that has this form already.

    Raises:
        PictureMissingError: There is no file at the path: nothing, a folder, or a URL, which is not fetched.
        PictureDecodeError: The file is empty, cut off, damaged, of samples without a known range, or not in a format
            that is read.
        PictureTooLargeError: The picture has more than `max_pixels` pixels.
        PictureTypeError: The object is no picture, or an array of another shape or dtype.
        OptionError: `color` or `max_pixels` is out of range.
        MemoryError: There is not enough memory for the picture.
    """
    require_reading(color, max_pixels)
    if isinstance(picture, np.ndarray):
        return rgb_of_array(np.asarray(picture), color=color)  # a matrix or a masked array as a plain one
    if is_pil_image(picture):
        return rgb_of_image(picture, max_pixels=max_pixels)
    return decode_picture(*read_source(picture), max_pixels=max_pixels)


def pinned(picture: Picture) -> Picture:
    """Returns a picture for a later reading: a relative path means what it means now, anything else is as it was."""
    return Path(picture).absolute() if isinstance(picture, (str, os.PathLike)) and os.fspath(picture) else picture


def require_reading(color: object, max_pixels: object) -> None:
    """Lets the options of `load_image` pass.

    Raises:
        OptionError: One of them is out of range.
    """
    require_choice("color", color, ("rgb", "bgr"))
    require_whole("max_pixels", max_pixels, least=1, none="for no limit")


def require_pictures(value: object) -> None:
    """Lets an iterable of pictures pass.

    Raises:
        OptionError: It is one picture, or nothing that can be gone through.
    """
    is_one = isinstance(value, str | bytes | bytearray | memoryview | os.PathLike | np.ndarray)
    if is_one or hasattr(value, "read") or not isinstance(value, Iterable):
        raise OptionError(
            "pictures",
            expected="a list or another iterable of pictures",
            got=value if isinstance(value, str | os.PathLike) else type(value),
            remedy="Pass [picture] for one picture, list(batch) for an array of several.",
        )


def read_source(picture: object) -> tuple[bytes, str]:
    """Returns the bytes of a picture file, and what messages call it.

    Raises:
        PictureMissingError: There is no file at the path.
        PictureDecodeError: The file cannot be read.
        PictureTypeError: It is no path, no bytes and no file opened in binary mode.
    """
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return bytes(picture), f"of {len(picture)} bytes"
    if isinstance(picture, (str, os.PathLike)):
        try:
            return Path(picture).read_bytes(), str(picture)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise _missing(os.fspath(picture)) from error
        except (OSError, ValueError) as error:
            raise PictureDecodeError(str(picture), reason=f"the file cannot be read ({error})") from error
    read = getattr(picture, "read", None)
    if isinstance(picture, type | io.TextIOBase) or not callable(read):
        raise _no_picture(picture)
    content = read()
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise _no_picture(picture)
    return bytes(content), str(getattr(picture, "name", "in a file object"))


def _no_picture(given: object) -> PictureTypeError:
    remedy = "Open a file with mode 'rb'; convert anything else to a uint8 array (H, W, 3)."
    if isinstance(given, list | tuple):
        remedy = "Pass one picture at a time; session.annotate(pictures, text) takes many."
    expected = "a path, bytes, a file opened in binary mode, a PIL image or a numpy array"
    return PictureTypeError(expected=expected, got=type(given).__name__, remedy=remedy)


def _missing(path: str) -> PictureMissingError:
    if re.match(r"\w+://", path):
        return PictureMissingError(path, reason="a URL is not fetched", remedy="Download it first, and pass the file.")
    if not path:
        return PictureMissingError(path, reason="the path is empty", remedy="Pass the path of a picture file.")
    if Path(path).is_dir():
        remedy = "Pass one of the files in it at a time."
        return PictureMissingError(path, reason="it is a folder, not a file", remedy=remedy)
    remedy = f"Check the path; relative ones start at {Path.cwd()}."
    return PictureMissingError(path, reason="no such file", remedy=remedy)
