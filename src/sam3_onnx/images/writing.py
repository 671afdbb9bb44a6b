"""Pictures written to files, never over another file unless that is asked for."""

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
"""Bytes of a PNG before its second chunk."""


def _text_chunk(text: bytes) -> bytes:
    """Returns a chunk of text (PNG Specification, "tEXt")."""
    body = b"tEXt" + text
    return struct.pack(">I", len(text)) + body + struct.pack(">I", zlib.crc32(body))


_MARK = _text_chunk(b"Software\0sam3-onnx sheet")


def write_png(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Writes a picture (H, W, 3) uint8 RGB as PNG, in one step.

    Raises:
        OSError: As `write_atomically`.
    """
    write_atomically(path, _png(image))


def write_sheet(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Writes a sheet of pictures (H, W, 3) uint8 RGB as a PNG that `require_sheet` knows again, in one step.

    Raises:
        OSError: As `write_atomically`.
    """
    content = _png(image)
    write_atomically(path, content[:_BEHIND_HEADER] + _MARK + content[_BEHIND_HEADER:])


def require_sheet(path: Path) -> None:
    """Lets a path pass at which there is nothing, or an earlier sheet, which may be replaced.

    Raises:
        OutputExistsError: There is another file.
        OSError: It cannot be read.
    """
    if path.is_file():
        with path.open("rb") as file:
            begin = file.read(_BEHIND_HEADER + len(_MARK))
        if begin[_BEHIND_HEADER:] != _MARK:
            remedy = "It is no sheet of an earlier run, which would be replaced: name another file."
            raise OutputExistsError(path, remedy=remedy)


def _png(image: NDArray[np.uint8]) -> bytes:
    _, encoded = cv2.imencode(".png", _bgr(image))
    return encoded.tobytes()


@undivided()
def _bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)


def write_picture(path: Path, image: NDArray[np.uint8]) -> None:
    """Writes a picture (H, W, 3) uint8 RGB in the format of the path's ending, in one step.

    Raises:
        OptionError: The format cannot hold a picture of this size.
        OSError: As `write_atomically`.
    """
    try:
        is_encoded, encoded = cv2.imencode(path.suffix.lower(), _bgr(image))
    except cv2.error:
        is_encoded = False
    if not is_encoded:
        height, width = image.shape[:2]
        expected = f"a file in a format that holds {width} x {height} pixels, such as .png"
        raise OptionError("path", expected=expected, got=str(path))
    write_atomically(path, encoded.tobytes())


def require_target(path: object, *, overwrite: object, endings: Collection[str] = _ENDINGS) -> Path:
    """Lets a path pass at which a picture may be written.

    Args:
        path: Where to write.
        overwrite: Whether a file that is there may be replaced.
        endings: Those that the file may have.

    Raises:
        OptionError: It is no path, has another ending, is a folder, or its folder is not there; or `overwrite` is no
            flag.
        OutputExistsError: There is a file, and it may not be replaced.
    """
    require_flag("overwrite", overwrite)
    target = require_path("path", path)
    if target.suffix.lower() not in endings:
        raise OptionError("path", expected=f"a file that ends in {', '.join(endings)}", got=str(target))
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise OptionError("path", expected="a file in a folder that is there", got=str(target))
    if target.exists() and not overwrite:
        raise OutputExistsError(target, remedy="Pass overwrite=True to replace it, or name another file.")
    return target
