"""The supported formats of picture files, which are recognised by their content.

The list is limited on purpose. Pillow supports dozens of other formats: some are programs that an interpreter runs
(EPS, WMF), others are no longer in use, and their readers are hardly tested. Formats that the program adds to Pillow
with plug-ins, such as HEIF, are supported as well.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx.images.structure.bitmaps import read_bmp, read_pnm
from sam3_onnx.images.structure.boxes import read_avif, read_jpeg2000
from sam3_onnx.images.structure.gif import read_gif
from sam3_onnx.images.structure.jpeg import read_jpeg
from sam3_onnx.images.structure.png import read_png
from sam3_onnx.images.structure.tiff import read_tiff
from sam3_onnx.images.structure.webp import read_webp

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from sam3_onnx.images.structure.parts import PictureFile

__all__ = ["PictureFormat", "format_of", "has_more_frames"]


@dataclass(frozen=True)
class PictureFormat:
    """A format of picture files."""

    name: str
    """Name of the format in Pillow."""
    signature: re.Pattern[bytes]
    """Pattern of the first bytes of a file."""
    structure: Callable[[bytes], PictureFile]
    """Function that reads the structure of a file without decoding it, and raises an error for damage."""

    def read(self, data: bytes) -> PictureFile:
        """Reads the structure of a file without decoding it.

        Raises:
            ValueError: The file is cut off or damaged.
        """
        try:
            return self.structure(data)
        except (struct.error, IndexError) as error:
            raise ValueError("it ends within its header, or its header is damaged") from error


_FORMATS = (
    PictureFormat("JPEG", re.compile(rb"\xff\xd8\xff"), read_jpeg),
    PictureFormat("PNG", re.compile(rb"\x89PNG\r\n\x1a\n"), read_png),
    PictureFormat("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL), read_webp),
    PictureFormat("TIFF", re.compile(rb"II[*+]\0|MM\0[*+]"), read_tiff),
    PictureFormat("BMP", re.compile(rb"BM"), read_bmp),
    PictureFormat("GIF", re.compile(rb"GIF8[79]a"), read_gif),
    PictureFormat("AVIF", re.compile(rb"....ftypavi[fs]", re.DOTALL), read_avif),
    PictureFormat("JPEG2000", re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), read_jpeg2000),
    PictureFormat("PPM", re.compile(rb"P[1-6][\s#]"), read_pnm),
)


def format_of(data: bytes) -> PictureFormat | None:
    """Returns the format of a picture file by its first bytes; None if it is not in the list."""
    return next((found for found in _FORMATS if found.signature.match(data)), None)


def has_more_frames(path: str | os.PathLike[str]) -> bool:
    """Returns whether a picture file contains more frames, pages or pictures than the one that `load_image` returns.

    Args:
        path: A file that `load_image` can read; for any other file the result is False.
    """
    try:
        data = Path(path).read_bytes()
        found = format_of(data)
        return found is not None and found.read(data).has_more_frames
    except (OSError, ValueError):
        return False
