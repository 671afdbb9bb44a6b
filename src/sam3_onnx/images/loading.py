"""`load_image`: conversion of files, bytes, PIL images and arrays to upright (H, W, 3) uint8 RGB."""

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

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "Picture",
    "load_image",
    "path_of",
    "read_source",
    "require_pictures",
    "require_reading",
]

Picture: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | Image | NDArray[np.uint8] | NDArray[np.uint16]"
"""Pictures for `load_image`: a path, the bytes of a file, a file open for binary reading, a PIL image, or an array."""

DEFAULT_MAX_PIXELS = 178_956_970
"""Default of Pillow's limit for decompression bombs, in pixels: 512 MiB as RGB uint8."""


@known_keywords()
def load_image(
    picture: Picture, *, color: Literal["rgb", "bgr"] = "rgb", max_pixels: int | None = DEFAULT_MAX_PIXELS
) -> NDArray[np.uint8]:
    """Loads any picture as an upright (H, W, 3) uint8 RGB array.

    Files and bytes are decoded and rotated upright by their EXIF orientation, as in browsers and labelling tools; of
    several frames or pages, the first one is used. PIL images are not rotated. Alpha is dropped, not blended; colours
    that are premultiplied with alpha in a TIFF are divided by it. 16 bits become 8 by a right shift (in an AVIF by
    rounding); grey becomes three equal channels. Samples with an unknown range raise an error: signed integers, floats,
    and integers of more than 16 bits.

    Damage raises an error if the format allows to detect it: a file that is cut off, a wrong checksum, an impossible
    header. A changed byte in the scan of a JPEG or in an uncompressed BMP cannot be detected. The page "Pictures" of
    the documentation lists formats and damage.

    Args:
        picture: A path, the bytes of a picture file, a file opened for reading in binary mode, a PIL image, or an
            array of uint8 or uint16 with the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).
        color: Channel order of an array with three or four channels, "rgb" or "bgr". Ignored for files and PIL images,
            which define their own.
        max_pixels: Maximum number of pixels of a file or PIL image, also of a single tile or canvas, which is checked
            before decoding; None disables the check. Arrays are not checked, because they are already in memory.

    Returns:
        (H, W, 3) uint8, RGB, C-contiguous. Shares memory with an array that already has this form.

    Raises:
        PictureMissingError: There is no file at the path; or it is a folder, or a URL, which is not downloaded.
        PictureDecodeError: The file is empty, cut off, damaged, not in a supported format, or its samples have an
            unknown range.
        PictureTooLargeError: The picture has more than `max_pixels` pixels.
        PictureTypeError: The object is not a picture, or is an array of another shape or dtype.
        OptionError: `color` or `max_pixels` has a value that is not allowed.
        MemoryError: There is not enough memory for the picture.
    """
    require_reading(color, max_pixels)
    if isinstance(picture, np.ndarray):
        return rgb_of_array(np.asarray(picture), color=color)  # converts a matrix or a masked array to a plain array
    if is_pil_image(picture):
        return rgb_of_image(picture, max_pixels=max_pixels)
    return decode_picture(*read_source(picture), max_pixels=max_pixels)


def pinned(picture: Picture) -> Picture:
    """Returns a picture for reading later: a relative path becomes absolute, anything else is unchanged."""
    return path_of(picture).absolute() if isinstance(picture, (str, os.PathLike)) and os.fspath(picture) else picture


def require_reading(color: object, max_pixels: object) -> None:
    """Checks the options of `load_image`.

    Raises:
        OptionError: An option has a value that is not allowed.
    """
    require_choice("color", color, ("rgb", "bgr"))
    require_whole("max_pixels", max_pixels, least=1, none="for no limit")


def path_of(picture: str | os.PathLike[str]) -> Path:
    """Returns the path of a picture file, with `~` for the user's home folder."""
    return Path(os.path.expanduser(picture))  # noqa: PTH111 - Path.expanduser fails at a name such as "~backup"


def require_pictures(value: object) -> None:
    """Checks that a value is an iterable of pictures.

    Raises:
        OptionError: The value is a single picture, or is not iterable.
    """
    is_one = isinstance(value, str | bytes | bytearray | memoryview | os.PathLike | np.ndarray)
    if is_one or hasattr(value, "read") or not isinstance(value, Iterable):
        raise OptionError(
            "pictures",
            expected="a list or another iterable of pictures",
            got=value if isinstance(value, str | os.PathLike) else type(value),
            remedy="For one picture, pass [picture]; for an array of several, pass list(batch).",
        )


def read_source(picture: object) -> tuple[bytes, str]:
    """Returns the bytes of a picture file, and its name for messages.

    Raises:
        PictureMissingError: There is no file at the path.
        PictureDecodeError: The file cannot be read.
        PictureTypeError: It is not a path, bytes, or a file opened in binary mode.
    """
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return bytes(picture), f"of {len(picture)} bytes"
    if isinstance(picture, (str, os.PathLike)):
        try:
            return path_of(picture).read_bytes(), str(picture)
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
        remedy = "Pass one picture at a time; for many, use session.annotate(pictures, text)."
    expected = "a path, bytes, a file opened in binary mode, a PIL image or a numpy array"
    return PictureTypeError(expected=expected, got=type(given).__name__, remedy=remedy)


def _missing(path: str) -> PictureMissingError:
    if re.match(r"\w+://", path):
        return PictureMissingError(path, reason="URLs are not downloaded", remedy="Download it, and pass the file.")
    if not path:
        return PictureMissingError(path, reason="the path is empty", remedy="Pass the path of a picture file.")
    if path_of(path).is_dir():
        remedy = "Pass one of its files at a time."
        return PictureMissingError(path, reason="it is a folder, not a file", remedy=remedy)
    remedy = f"Check the path; relative ones start at {Path.cwd()}."
    return PictureMissingError(path, reason="no such file", remedy=remedy)
