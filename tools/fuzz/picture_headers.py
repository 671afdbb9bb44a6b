"""Headers that no picture can have: sides of 0, sides beyond every limit, lengths beyond the file, unknown kinds.

Each function takes a whole file as `whole_picture` made it, and returns it changed; None where its format has no such
field. Checksums are made anew, so that the header alone is what is wrong.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

from tools.fuzz import tiff_files
from tools.fuzz.picture_ends import gif_first_image, jpeg_segments
from tools.fuzz.png_files import chunks

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

__all__ = ["put", "with_absurd_size", "with_checksums", "with_lengths_beyond", "with_size_of_zero", "with_unknown_kind"]

_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LONGEST_SEGMENT = 0xFFFF
_BEYOND = (0x7FFFFFFF, 0xFFFFFFF0, 0x10000000)


def with_size_of_zero(family: str, data: bytes, chance: Random) -> bytes | None:
    """Returns a file that says it has no columns, no rows, or neither."""
    width, height = chance.choice(((0, None), (None, 0), (0, 0)))
    if family == "webp" and b"VP8 " not in data[:40]:
        return None  # elsewhere sizes are written as one less than they are
    return _SIZES[family](data, width, height)


def with_absurd_size(family: str, data: bytes, _chance: Random) -> bytes | None:
    """Returns a file that says it has more pixels than any limit lets pass."""
    side = {"webp": 16383, "jpeg": 65500, "mpo": 65500, "gif": 65535}.get(family, 1_000_000)
    return _SIZES[family](data, side, side)


def with_lengths_beyond(family: str, data: bytes, chance: Random) -> bytes | None:
    """Returns a file with a part that is said to reach beyond the end of the file."""
    beyond = chance.choice(_BEYOND)
    match family:
        case "png" | "apng":
            place = chance.choice(list(chunks(data))).start
            if chance.random() < 0.5:
                return put(data, place, struct.pack(">I", beyond))
            return data[:33] + struct.pack(">I", beyond) + b"tEXt" + data[33:]
        case "jpeg" | "mpo":
            segment = b"\xff\xe5" + struct.pack(">H", _LONGEST_SEGMENT)
            return data[:2] + segment + data[2:] if len(data) < _LONGEST_SEGMENT else None
        case "webp":
            return put(data, chance.choice((4, 16)), struct.pack("<I", beyond - beyond % 2))
        case "tiff":
            fields = tiff_files.fields(data)
            offsets = fields.get(tiff_files.STRIP_OFFSETS) or fields[tiff_files.TILE_OFFSETS]
            return _with_number(data, offsets, beyond) if chance.random() < 0.5 else put(data, 4, b"\x7f" * 4)
        case "bmp":
            return put(data, 10, struct.pack("<I", beyond))
        case "jp2" if b"ftyp" in data[:24]:
            return put(data, data.index(b"ftyp") - 4, struct.pack(">I", beyond))
        case "avif":
            return put(data, data.index(b"meta") - 4, struct.pack(">I", beyond))
        case _:
            return None


def with_unknown_kind(family: str, data: bytes, chance: Random) -> bytes | None:
    """Returns a file with a kind of pixels, or of compression, that its format does not have."""
    match family:
        case "png" | "apng":
            return with_checksums(put(data, *chance.choice(((24, b"\x03"), (25, b"\x05"), (26, b"\x01")))))
        case "jpeg" | "mpo":
            frame = next(at for marker, at in jpeg_segments(data) if marker in _FRAMES)
            return put(data, frame + chance.choice((4, 9)), b"\0")
        case "tiff":
            number, value = chance.choice(((tiff_files.COMPRESSION, 34712), (tiff_files.COMPRESSION, 99), (277, 0)))
            field = tiff_files.fields(data).get(number)
            return None if field is None else _with_number(data, field, value)
        case "bmp":
            return put(data, 28, b"\x07")
        case "jp2":
            return put(data, data.index(b"\xff\x4f\xff\x51") + 40, b"\0\0")
        case "pnm" if data[1:2] not in b"14":
            value = chance.choice((b"0", b"70000", b"9" * 400, b"-1", b"x"))
            return re.sub(rb"\A((?:[^\n]*\n){3})\d+\n", rb"\g<1>" + value + b"\n", data)
        case _:
            return None


def put(data: bytes, at: int, part: bytes) -> bytes:
    """Returns bytes with others in their place."""
    return data[:at] + part + data[at + len(part) :]


def with_checksums(data: bytes) -> bytes:
    """Returns a PNG with the checksums of its chunks made anew."""
    for piece in chunks(data):
        data = put(data, piece.end - 4, struct.pack(">I", zlib.crc32(data[piece.start + 4 : piece.end - 4])))
    return data


def _with_number(data: bytes, field: tiff_files.Field, value: int) -> bytes:
    """Returns a TIFF with another number as the first value of a field, as large as the field can hold."""
    order = "little" if data.startswith(b"II") else "big"
    size = (field.values_end - field.values_at) // len(field.values)
    return put(data, field.values_at, min(value, 256**size - 1).to_bytes(size, order))


def _packed(layout: str, value: int | None, old: bytes) -> bytes:
    return old if value is None else struct.pack(layout, value)


def _put_sides(
    data: bytes, layout: str, width_at: int, width: int | None, height_at: int, height: int | None
) -> bytes:
    size = struct.calcsize(layout)
    for at, side in ((width_at, width), (height_at, height)):
        data = put(data, at, _packed(layout, side, data[at : at + size]))
    return data


def _png(data: bytes, width: int | None, height: int | None) -> bytes:
    return with_checksums(_put_sides(data, ">I", 16, width, 20, height))


def _jpeg(data: bytes, width: int | None, height: int | None) -> bytes:
    frame = next(at for marker, at in jpeg_segments(data) if marker in _FRAMES)
    return _put_sides(data, ">H", frame + 7, width, frame + 5, height)


def _webp(data: bytes, width: int | None, height: int | None) -> bytes:
    """Of a canvas and of lossless data, all bits of both sides are set: their largest size."""
    lossy = data.find(b"VP8 ")
    if data[12:16] == b"VP8X" and width:
        data = put(data, 24, b"\xff\xff\x3f" * 2)
    elif data[12:16] == b"VP8L":
        data = put(data, 21, b"\xff\xff\xff" + bytes([data[24] | 0x0F]))
    return data if lossy < 0 else _put_sides(data, "<H", lossy + 14, width, lossy + 16, height)


def _tiff(data: bytes, width: int | None, height: int | None) -> bytes:
    for number, side in ((tiff_files.WIDTH, width), (tiff_files.HEIGHT, height)):
        if side is not None:
            data = _with_number(data, tiff_files.fields(data)[number], side)
    return data


def _bmp(data: bytes, width: int | None, height: int | None) -> bytes:
    return _put_sides(data, "<i", 18, width, 22, height)


def _gif(data: bytes, width: int | None, height: int | None) -> bytes:
    image = gif_first_image(data)
    return _put_sides(_put_sides(data, "<H", 6, width, 8, height), "<H", image + 5, width, image + 7, height)


def _jp2(data: bytes, width: int | None, height: int | None) -> bytes:
    siz = data.index(b"\xff\x4f\xff\x51")
    header = data.find(b"ihdr")
    data = data if header < 0 else _put_sides(data, ">I", header + 8, width, header + 4, height)
    return _put_sides(data, ">I", siz + 8, width, siz + 12, height)


def _avif(data: bytes, width: int | None, height: int | None) -> bytes:
    for found in re.finditer(b"ispe", data):
        data = _put_sides(data, ">I", found.end() + 4, width, found.end() + 8, height)
    return data


def _pnm(data: bytes, width: int | None, height: int | None) -> bytes:
    first, comment, sides, rest = data.split(b"\n", 3)
    old = sides.split()
    new = [side if value is None else str(value).encode() for side, value in zip(old, (width, height), strict=True)]
    return b"\n".join([first, comment, b" ".join(new), rest])


_SIZES: dict[str, Callable[[bytes, int | None, int | None], bytes]] = {
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
