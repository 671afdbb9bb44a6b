"""Mutations of whole pictures. What a mutation does says what a reader has to make of the file."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING

from tools.fuzz import tiff_files
from tools.fuzz.inputs import Duty
from tools.fuzz.patching import put
from tools.fuzz.picture_claims import with_length_beyond, with_unknown_kind
from tools.fuzz.picture_ends import first_picture_end
from tools.fuzz.picture_sizes import with_absurd_size, with_size_of_zero
from tools.fuzz.png_files import chunk, chunks, with_checksums

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tools.fuzz.picture_files import WholePicture

__all__ = ["MUTATIONS", "mutated"]

_LATER_FRAMES = {b"fcTL", b"fdAT"}
_BOMB_MEGABYTES = 1024


def mutated(name: str, whole: WholePicture, chance: Random) -> tuple[bytes, Duty] | None:
    """Returns a changed file and the duty of its reader; None where a mutation cannot be done to the format."""
    change, duty = MUTATIONS[name]
    data = change(whole.format.split()[0], whole.data, chance)
    return None if data is None else (data, duty)


def _whole(_family: str, data: bytes, _chance: Random) -> bytes:
    return data


def _cut(family: str, data: bytes, chance: Random) -> bytes:
    end = first_picture_end(family, data)
    return data[: chance.randrange(end) if chance.random() < 0.6 else max(0, end - chance.randint(1, 8))]


def _cut_behind(family: str, data: bytes, chance: Random) -> bytes | None:
    end = first_picture_end(family, data)
    if family == "pnm":  # behind the last number, which would be another one without its last digits
        end = max(end, len(data.rstrip()))
    return data[: chance.randrange(end, len(data))] if end < len(data) else None


def _checksum(family: str, data: bytes, chance: Random) -> bytes | None:
    """Changes a bit that a checksum guards, or the checksum itself."""
    if family in {"png", "apng"}:
        guarded = chance.choice([piece for piece in chunks(data) if piece.kind not in _LATER_FRAMES])
        return _bit_changed(data, chance.randrange(guarded.start + 4, guarded.end), chance)
    return None


def _deflate_checksum(family: str, data: bytes, chance: Random) -> bytes | None:
    """Changes the checksum at the end of a strip or tile, the only one that a TIFF has."""
    if family == "tiff" and tiff_files.fields(data)[tiff_files.COMPRESSION].values[0] == 8:
        _, end = chance.choice(tiff_files.strips(data))
        return _bit_changed(data, end - chance.randint(1, 4), chance)
    return None


def _inner_checksum(family: str, data: bytes, chance: Random) -> bytes | None:
    """Changes the checksum of a PNG's compressed pixels, and makes that of its chunk anew: no pixel is another one."""
    if family in {"png", "apng"}:
        pixels = [piece for piece in chunks(data) if piece.kind == b"IDAT"][-1]
        at = pixels.end - 4 - chance.randint(1, 4)
        return with_checksums(_bit_changed(data, at, chance)) if at >= pixels.start + 8 else None
    return None


def _bit_changed(data: bytes, at: int, chance: Random) -> bytes:
    return put(data, at, bytes([data[at] ^ 1 << chance.randrange(8)]))


def _byte_changed(_family: str, data: bytes, chance: Random) -> bytes:
    return put(data, _place(data, chance), bytes([chance.randrange(256)]))


def _zeroed(_family: str, data: bytes, chance: Random) -> bytes:
    start = _place(data, chance)
    return put(data, start, bytes(min(len(data) - start, chance.randint(2, 40))))


def _removed(_family: str, data: bytes, chance: Random) -> bytes:
    start = _place(data, chance)
    return data[:start] + data[start + chance.randint(1, 40) :]


def _doubled(_family: str, data: bytes, chance: Random) -> bytes:
    start = _place(data, chance)
    return data[: start + chance.randint(1, 200)] + data[start:]


def _place(data: bytes, chance: Random) -> int:
    """Returns a place in a file; every other one in its first 128 bytes, where headers are."""
    return chance.randrange(min(len(data), 128) if chance.random() < 0.5 else len(data))


def _longer(_family: str, data: bytes, chance: Random) -> bytes:
    return data + chance.randbytes(chance.randint(1, 300))


def _bomb(family: str, data: bytes, chance: Random) -> bytes | None:
    """Adds a part that has nothing to do with the pixels, and that takes a gigabyte where it is read."""
    if family in {"png", "apng"}:
        kind, start = chance.choice(((b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"iCCP", b"a\0\0")))
        place = 33 if chance.random() < 0.5 else max(piece.start for piece in chunks(data))
        return data[:place] + chunk(kind, start + _zeros(_BOMB_MEGABYTES)) + data[place:]
    if family == "tiff":
        order = "<" if data.startswith(b"II") else ">"
        field = tiff_files.fields(data).get(284) or tiff_files.fields(data)[274]
        entry = struct.pack(f"{order}HHII", 700, 7, _BOMB_MEGABYTES << 20, 8)
        return put(data, field.entry, entry)
    return None


@cache
def _zeros(megabytes: int) -> bytes:
    """Returns zeros, compressed with zlib: one block, many times over, as no block refers to another one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = ((megabytes << 20) % 65521) << 16 | 1
    return b"\x78\xda" + block * megabytes + packer.flush() + struct.pack(">I", checksum)


MUTATIONS: dict[str, tuple[Callable[[str, bytes, Random], bytes | None], Duty]] = {
    "whole": (_whole, Duty.AGREE),
    "cut": (_cut, Duty.REFUSE),
    "checksum": (_checksum, Duty.REFUSE),
    "checksum of Deflate": (_deflate_checksum, Duty.REFUSE),
    "checksum within a chunk": (_inner_checksum, Duty.AGREE_OR_REFUSE),
    "size of 0": (with_size_of_zero, Duty.REFUSE),
    "absurd size": (with_absurd_size, Duty.REFUSE),
    "length beyond the end": (with_length_beyond, Duty.REFUSE),
    "unknown kind": (with_unknown_kind, Duty.REFUSE),
    "cut behind the picture": (_cut_behind, Duty.AGREE_OR_REFUSE),
    "longer": (_longer, Duty.AGREE_OR_REFUSE),
    "bomb": (_bomb, Duty.AGREE_OR_REFUSE),
    "byte changed": (_byte_changed, Duty.EITHER),
    "bytes zeroed": (_zeroed, Duty.EITHER),
    "bytes removed": (_removed, Duty.EITHER),
    "bytes doubled": (_doubled, Duty.EITHER),
}
