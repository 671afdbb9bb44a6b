"""Claims of a file that cannot be true: parts beyond its end, and kinds of pixels that its format does not have."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from tools.fuzz import tiff_files
from tools.fuzz.patching import put
from tools.fuzz.picture_ends import jpeg_frame
from tools.fuzz.png_files import chunks, with_checksums

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Change = Callable[[bytes, Random], bytes | None]

__all__ = ["with_length_beyond", "with_unknown_kind"]

_BEYOND = (0x7FFFFFFE, 0xFFFFFFF0, 0x10000000)
_LONGEST_SEGMENT = 0xFFFF
_JPEG_2000_COMPRESSION, _NO_COMPRESSION = 34712, 99
_SAMPLES = 277


def with_length_beyond(family: str, data: bytes, chance: Random) -> bytes | None:
    """Returns a whole file with a part that is said to reach beyond its end; None where its format has no such part."""
    change = _LENGTHS.get(family)
    return None if change is None else change(data, chance)


def with_unknown_kind(family: str, data: bytes, chance: Random) -> bytes | None:
    """Returns a whole file with a kind of pixels, or of compression, that its format does not have; None as above."""
    change = _KINDS.get(family)
    return None if change is None else change(data, chance)


def _png_length(data: bytes, chance: Random) -> bytes:
    """Gives a length to one of the chunks, or to one that is put behind the header."""
    length = struct.pack(">I", chance.choice(_BEYOND))
    if chance.random() < 0.5:
        return put(data, chance.choice(list(chunks(data))).start, length)
    return data[:33] + length + b"tEXt" + data[33:]


def _jpeg_length(data: bytes, _chance: Random) -> bytes | None:
    segment = b"\xff\xe5" + struct.pack(">H", _LONGEST_SEGMENT)
    return data[:2] + segment + data[2:] if len(data) < _LONGEST_SEGMENT else None


def _webp_length(data: bytes, chance: Random) -> bytes:
    return put(data, chance.choice((4, 16)), struct.pack("<I", chance.choice(_BEYOND)))


def _tiff_length(data: bytes, chance: Random) -> bytes:
    """Puts the first strip or the directory beyond the end."""
    number = (
        tiff_files.STRIP_OFFSETS if tiff_files.STRIP_OFFSETS in tiff_files.fields(data) else tiff_files.TILE_OFFSETS
    )
    if chance.random() < 0.5:
        return put(data, 4, b"\x7f" * 4)
    return tiff_files.with_number(data, number, chance.choice(_BEYOND))


def _bmp_length(data: bytes, chance: Random) -> bytes:
    return put(data, 10, struct.pack("<I", chance.choice(_BEYOND)))


def _jp2_length(data: bytes, chance: Random) -> bytes | None:
    return _box_length(b"ftyp", data, chance) if b"ftyp" in data[:24] else None


def _avif_length(data: bytes, chance: Random) -> bytes:
    return _box_length(b"meta", data, chance)


def _box_length(kind: bytes, data: bytes, chance: Random) -> bytes:
    return put(data, data.index(kind) - 4, struct.pack(">I", chance.choice(_BEYOND)))


def _png_kind(data: bytes, chance: Random) -> bytes:
    """Gives three bits to a sample, or a type of colours or a compression that is none."""
    return with_checksums(put(data, *chance.choice(((24, b"\x03"), (25, b"\x05"), (26, b"\x01")))))


def _jpeg_kind(data: bytes, chance: Random) -> bytes:
    """Gives no bits to a sample, or no samples to a pixel."""
    return put(data, jpeg_frame(data) + chance.choice((4, 9)), b"\0")


def _tiff_kind(data: bytes, chance: Random) -> bytes:
    compression = (tiff_files.COMPRESSION, chance.choice((_JPEG_2000_COMPRESSION, _NO_COMPRESSION)))
    kinds = [compression, (_SAMPLES, 0)] if _SAMPLES in tiff_files.fields(data) else [compression]
    return tiff_files.with_number(data, *chance.choice(kinds))


def _bmp_kind(data: bytes, _chance: Random) -> bytes:
    return put(data, 28, b"\x07")


def _jp2_kind(data: bytes, _chance: Random) -> bytes:
    return put(data, data.index(b"\xff\x4f\xff\x51") + 40, b"\0\0")


def _pnm_kind(data: bytes, chance: Random) -> bytes | None:
    """Says another largest value than one from 1 to 65535."""
    value = chance.choice((b"0", b"70000", b"9" * 400, b"-1", b"x"))
    return None if data[1:2] in b"14" else re.sub(rb"\A((?:[^\n]*\n){3})\d+\n", rb"\g<1>" + value + b"\n", data)


_LENGTHS: dict[str, Change] = {
    "png": _png_length,
    "apng": _png_length,
    "jpeg": _jpeg_length,
    "mpo": _jpeg_length,
    "webp": _webp_length,
    "tiff": _tiff_length,
    "bmp": _bmp_length,
    "jp2": _jp2_length,
    "avif": _avif_length,
}
_KINDS: dict[str, Change] = {
    "png": _png_kind,
    "apng": _png_kind,
    "jpeg": _jpeg_kind,
    "mpo": _jpeg_kind,
    "tiff": _tiff_kind,
    "bmp": _bmp_kind,
    "jp2": _jp2_kind,
    "pnm": _pnm_kind,
}
