"""Writing of pictures to files, without replacing existing files unless requested."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx._support.checks import require_flag, require_path
from sam3_onnx._support.files import write_atomically
from sam3_onnx._support.forking import undivided
from sam3_onnx.errors import OptionError, OutputExistsError

if TYPE_CHECKING:
    import os
    from collections.abc import Collection
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["require_sheet", "require_target", "write_picture", "write_png", "write_sheet"]

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
_BEHIND_HEADER = 33
"""Number of bytes of a PNG before its second chunk."""


def _text_chunk(text: bytes) -> bytes:
    """Returns a text chunk of a PNG (PNG Specification, "tEXt")."""
    body = b"tEXt" + text
    return struct.pack(">I", len(text)) + body + struct.pack(">I", zlib.crc32(body))


_MARK = _text_chunk(b"Software\0sam3-onnx sheet")


def write_png(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Writes a picture (H, W, 3) uint8 RGB as PNG, atomically.

    Raises:
        OSError: As `write_atomically`.
    """
    write_atomically(path, _png(image))


def write_sheet(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Writes a contact sheet (H, W, 3) uint8 RGB as a PNG that `require_sheet` recognises, atomically.

    Raises:
        OSError: As `write_atomically`.
    """
    content = _png(image)
    write_atomically(path, content[:_BEHIND_HEADER] + _MARK + content[_BEHIND_HEADER:])


def require_sheet(path: Path) -> None:
    """Checks that there is no file at a path, or an earlier contact sheet, which may be replaced.

    Raises:
        OutputExistsError: There is another file.
        OSError: The file cannot be read.
    """
    if path.is_file():
        with path.open("rb") as file:
            begin = file.read(_BEHIND_HEADER + len(_MARK))
        if begin[_BEHIND_HEADER:] != _MARK:
            remedy = "Only a contact sheet of an earlier run would be replaced: choose another file."
            raise OutputExistsError(path, remedy=remedy)


def _png(image: NDArray[np.uint8]) -> bytes:
    _, encoded = cv2.imencode(".png", _bgr(image))
    return encoded.tobytes()


@undivided()
def _bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)


def write_picture(path: Path, image: NDArray[np.uint8]) -> None:
    """Writes a picture (H, W, 3) uint8 RGB in the format of the path's file extension, atomically.

    Raises:
        OptionError: The format cannot store a picture of this size.
        OSError: As `write_atomically`.
    """
    try:
        is_encoded, encoded = cv2.imencode(path.suffix.lower(), _bgr(image))
    except cv2.error:
        is_encoded = False
    if not is_encoded:
        height, width = image.shape[:2]
        expected = f"a file in a format that can store {width} x {height} pixels, such as .png"
        raise OptionError("path", expected=expected, got=str(path))
    write_atomically(path, encoded.tobytes())


def require_target(path: object, *, overwrite: object, endings: Collection[str] = _ENDINGS) -> Path:
    """Checks that a picture may be written to a path.

    Args:
        path: Path of the file.
        overwrite: Whether an existing file may be replaced.
        endings: Allowed file extensions.

    Raises:
        OptionError: It is not a path, has another file extension, is a folder, or its folder does not exist; or
            `overwrite` is neither True nor False.
        OutputExistsError: The file exists, and may not be replaced.
    """
    require_flag("overwrite", overwrite)
    target = require_path("path", path)
    if target.suffix.lower() not in endings:
        raise OptionError("path", expected=f"a file that ends with {', '.join(endings)}", got=str(target))
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise OptionError("path", expected="a file in an existing folder", got=str(target))
    if target.exists() and not overwrite:
        raise OutputExistsError(target, remedy="Pass overwrite=True to replace it, or choose another file.")
    return target
