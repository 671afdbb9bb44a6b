"""PNG files written chunk by chunk, for what Pillow does not write, and taken apart into chunks.

Layout: PNG Specification, third edition.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tools.fuzz.patching import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["SIGNATURE", "Chunk", "chunk", "chunks", "png", "with_checksums"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row, first column, step of rows and step of columns of Adam7's passes."""


class Chunk(NamedTuple):
    """Where a chunk lies: its length begins at `start`, its data are `start + 8` to `end - 4`, then comes the CRC."""

    kind: bytes
    start: int
    end: int


def chunk(kind: bytes, data: bytes) -> bytes:
    """Returns a chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks(data: bytes) -> Iterator[Chunk]:
    """Yields the chunks of a whole file in their order."""
    at = len(SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield Chunk(kind, at, at + 12 + length)
        at += 12 + length


def with_checksums(data: bytes) -> bytes:
    """Returns a whole file with the checksums of its chunks made anew."""
    for piece in chunks(data):
        data = put(data, piece.end - 4, struct.pack(">I", zlib.crc32(data[piece.start + 4 : piece.end - 4])))
    return data


def png(array: NDArray[np.uint8] | NDArray[np.uint16], *, interlaced: bool = False) -> bytes:
    """Returns a PNG without filters of an array (H, W, C), C from 1 to 4."""
    height, width, channels = array.shape
    fields = (width, height, 8 * array.itemsize, _COLOUR_TYPES[channels], 0, 0, int(interlaced))
    parts = [array[row::rows, column::columns] for row, column, rows, columns in _PASSES] if interlaced else [array]
    lines = b"".join(_lines(part) for part in parts)
    body = chunk(b"IHDR", struct.pack(">IIBBBBB", *fields)) + chunk(b"IDAT", zlib.compress(lines))
    return SIGNATURE + body + chunk(b"IEND", b"")


def _lines(part: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Returns the rows of a pass, each behind the number of its filter; none where the pass has no pixels."""
    if not part.size:
        return b""
    rows = part.astype(part.dtype.newbyteorder(">")).reshape(len(part), -1).view(np.uint8)
    return np.pad(rows, ((0, 0), (1, 0))).tobytes()
