"""Where the first picture of a whole file ends: a file that is cut before has lost something that it needs.

Layouts: ISO/IEC 10918-1 (JPEG), PNG Specification 3rd edition, WebP container specification, TIFF 6.0, GIF89a,
BITMAPINFOHEADER (BMP), ISO/IEC 15444-1 (JPEG 2000), ISO/IEC 14496-12 (AVIF), Netpbm (PNM).
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from tools.fuzz import tiff_files

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["first_picture_end", "gif_first_image", "jpeg_frame"]

_SCAN, _END = 0xDA, 0xD9
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


def first_picture_end(family: str, data: bytes) -> int:
    """Returns the number of bytes that a reader needs at least of a whole file.

    Args:
        family: First word of the name of its format.
        data: The file, as `whole_picture` made it.
    """
    return _ENDS[family](data)


def jpeg_frame(data: bytes) -> int:
    """Returns where the segment with the size of the first JPEG in a whole file begins."""
    return next(at for marker, at in _jpeg_segments(data) if marker in _FRAMES)


def _jpeg_segments(data: bytes) -> list[tuple[int, int]]:
    """Returns marker and place of each segment of the first JPEG in a whole file, the last one its end."""
    segments, at = [], 2
    while True:
        marker = data[at + 1]
        segments.append((marker, at))
        if marker == _END:
            return segments
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            found = _MARKER_IN_SCAN.search(data, at)
            at = found.start() if found else len(data)


def gif_first_image(data: bytes) -> int:
    """Returns where the descriptor of the first image of a whole file begins."""
    at = 13 + _gif_colours(data[10])
    while data[at] != 0x2C:
        at = _past_blocks(data, at + 2)
    return at


def _gif(data: bytes) -> int:
    descriptor = gif_first_image(data)
    blocks = descriptor + 10 + _gif_colours(data[descriptor + 9]) + 1
    return _past_blocks(data, blocks) - 1  # without the empty block at their end, which no pixel needs


def _gif_colours(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _past_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


def _jpeg(data: bytes) -> int:
    return _jpeg_segments(data)[-1][1] + 2


def _webp(data: bytes) -> int:
    """Leaves out the byte that pads the last chunk."""
    at, end = 12, 12
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length
        at = end + length % 2
    return end


def _bmp(data: bytes) -> int:
    """Leaves out what pads the last row."""
    (offset,) = struct.unpack_from("<I", data, 10)
    width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
    row = (width * bits + 7) // 8
    return int(offset + (row + 3) // 4 * 4 * (abs(height) - 1) + row)


def _pnm(data: bytes) -> int:
    """Of samples in text it is the first character of the last one: a number that lost digits is a number."""
    if data[1:2] in b"123":
        return len(data.rstrip()) - len(data.split()[-1]) + 1
    return len(data)


_ENDS: dict[str, Callable[[bytes], int]] = {
    "jpeg": _jpeg,
    "mpo": _jpeg,
    "png": len,
    "apng": len,
    "webp": _webp,
    "tiff": tiff_files.data_end,
    "bmp": _bmp,
    "gif": _gif,
    "jp2": len,
    "avif": len,
    "pnm": _pnm,
}
