"""Sizes that no picture can have: sides of 0, and more pixels than any limit lets pass.

Checksums are made anew, so that the size alone is what is wrong.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from tools.fuzz import tiff_files
from tools.fuzz.patching import put, put_sides
from tools.fuzz.picture_ends import gif_first_image, jpeg_frame
from tools.fuzz.png_files import with_checksums

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

__all__ = ["with_absurd_size", "with_size_of_zero"]

_Side: TypeAlias = "int | None"
"""What a side is said to be, None for what it is."""
_LARGEST = {"webp": 16383, "jpeg": 65500, "mpo": 65500, "gif": 65535}
"""Sides that a format has room for; others have for more than a million."""


def with_size_of_zero(family: str, data: bytes, chance: Random) -> bytes | None:
    """Returns a whole file that says it has no columns, no rows, or neither; None where its format has no zero."""
    width, height = chance.choice(((0, None), (None, 0), (0, 0)))
    if family == "webp" and b"VP8 " not in data[:40]:
        return None  # elsewhere sizes are written as one less than they are
    return _SIZES[family](data, width, height)


def with_absurd_size(family: str, data: bytes, _chance: Random) -> bytes:
    """Returns a whole file that says it has more pixels than any limit lets pass."""
    side = _LARGEST.get(family, 1_000_000)
    return _SIZES[family](data, side, side)


def _png(data: bytes, width: _Side, height: _Side) -> bytes:
    return with_checksums(put_sides(data, ">I", (16, width), (20, height)))


def _jpeg(data: bytes, width: _Side, height: _Side) -> bytes:
    frame = jpeg_frame(data)
    return put_sides(data, ">H", (frame + 7, width), (frame + 5, height))


def _webp(data: bytes, width: _Side, height: _Side) -> bytes:
    """Of a canvas and of lossless data, all bits of both sides are set: their largest size."""
    lossy = data.find(b"VP8 ")
    if data[12:16] == b"VP8X" and width:
        data = put(data, 24, b"\xff\xff\x3f" * 2)
    elif data[12:16] == b"VP8L":
        data = put(data, 21, b"\xff\xff\xff" + bytes([data[24] | 0x0F]))
    return data if lossy < 0 else put_sides(data, "<H", (lossy + 14, width), (lossy + 16, height))


def _tiff(data: bytes, width: _Side, height: _Side) -> bytes:
    for number, side in ((tiff_files.WIDTH, width), (tiff_files.HEIGHT, height)):
        data = data if side is None else tiff_files.with_number(data, number, side)
    return data


def _bmp(data: bytes, width: _Side, height: _Side) -> bytes:
    return put_sides(data, "<i", (18, width), (22, height))


def _gif(data: bytes, width: _Side, height: _Side) -> bytes:
    image = gif_first_image(data)
    return put_sides(data, "<H", (6, width), (8, height), (image + 5, width), (image + 7, height))


def _jp2(data: bytes, width: _Side, height: _Side) -> bytes:
    siz, box = data.index(b"\xff\x4f\xff\x51"), data.find(b"ihdr")
    data = data if box < 0 else put_sides(data, ">I", (box + 8, width), (box + 4, height))
    return put_sides(data, ">I", (siz + 8, width), (siz + 12, height))


def _avif(data: bytes, width: _Side, height: _Side) -> bytes:
    for found in re.finditer(b"ispe", data):
        data = put_sides(data, ">I", (found.end() + 4, width), (found.end() + 8, height))
    return data


def _pnm(data: bytes, width: _Side, height: _Side) -> bytes:
    first, comment, sides, rest = data.split(b"\n", 3)
    old = sides.split()
    new = [side if value is None else str(value).encode() for side, value in zip(old, (width, height), strict=True)]
    return b"\n".join([first, comment, b" ".join(new), rest])


_SIZES: dict[str, Callable[[bytes, _Side, _Side], bytes]] = {
    "png": _png,
    "apng": _png,
    "jpeg": _jpeg,
    "mpo": _jpeg,
    "webp": _webp,
    "tiff": _tiff,
    "bmp": _bmp,
    "gif": _gif,
    "jp2": _jp2,
    "avif": _avif,
    "pnm": _pnm,
}
