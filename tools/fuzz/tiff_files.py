"""TIFF files written field by field, for what Pillow does not write, and read field by field.

Layout: TIFF 6.0.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from tools.fuzz.patching import put

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HEIGHT", "WIDTH", "Field", "data_end", "fields", "strips", "tiff", "with_number"]

WIDTH, HEIGHT, BITS, COMPRESSION = 256, 257, 258, 259
STRIP_OFFSETS, STRIP_SIZES, TILE_OFFSETS, TILE_SIZES = 273, 279, 324, 325
_SHORT, _LONG = 3, 4
_LETTERS = {1: "B", 2: "B", _SHORT: "H", _LONG: "I", 5: "Q", 7: "B"}
_NEEDED = {WIDTH, HEIGHT, BITS, STRIP_OFFSETS, STRIP_SIZES, TILE_OFFSETS, TILE_SIZES, 320, 347}
"""Fields without which no pixel can be read; with the colour map and the tables of JPEG."""


class Field(NamedTuple):
    """A field of the first directory."""

    entry: int
    """Where its twelve bytes begin."""
    values_at: int
    """Where its values begin."""
    values_end: int
    values: tuple[int, ...]


def tiff(
    array: NDArray[np.uint8] | NDArray[np.uint16],
    *,
    order: str = "<",
    deflate: bool = False,
    tile: int = 0,
    rows: int = 16,
    orientation: int = 1,
) -> bytes:
    """Returns a TIFF of an array (H, W, C): grey, RGB or RGBA.

    Args:
        array: The picture as it is stored.
        order: "<" for Intel's order of bytes, ">" for Motorola's.
        deflate: Whether the data are compressed.
        tile: Side of a tile in pixels, a multiple of 16; 0 for strips.
        rows: Rows of a strip.
        orientation: Of EXIF, 1 to 8.
    """
    height, width, samples = array.shape
    body, offsets, sizes = b"", [], []
    for block in _blocks(array, tile, rows):
        plain = block.astype(block.dtype.newbyteorder(order)).tobytes()  # type: ignore[arg-type]
        packed = zlib.compress(plain) if deflate else plain
        offsets.append(8 + len(body))
        sizes.append(len(packed))
        body += packed + b"\0" * (len(packed) % 2)
    entries = {
        WIDTH: (_LONG, [width]),
        HEIGHT: (_LONG, [height]),
        BITS: (_SHORT, [8 * array.itemsize] * samples),
        COMPRESSION: (_SHORT, [8 if deflate else 1]),
        262: (_SHORT, [2 if samples > 1 else 1]),
        274: (_SHORT, [orientation]),
        277: (_SHORT, [samples]),
        284: (_SHORT, [1]),
    }
    entries |= {338: (_SHORT, [2])} if samples == 4 else {}
    if tile:
        entries |= {322: (_LONG, [tile]), 323: (_LONG, [tile])}
        entries |= {TILE_OFFSETS: (_LONG, offsets), TILE_SIZES: (_LONG, sizes)}
    else:
        entries |= {278: (_LONG, [rows]), STRIP_OFFSETS: (_LONG, offsets), STRIP_SIZES: (_LONG, sizes)}
    mark = b"II" if order == "<" else b"MM"
    return struct.pack(f"{order}2sHI", mark, 42, 8 + len(body)) + body + _directory(entries, order, 8 + len(body))


def fields(data: bytes) -> dict[int, Field]:
    """Returns the fields of the first directory of a whole file by their numbers."""
    order = "<" if data.startswith(b"II") else ">"
    (directory,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, directory)
    found = {}
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        number, kind, length = struct.unpack_from(f"{order}HHI", data, entry)
        letter = _LETTERS.get(kind)
        if letter is None:
            continue
        layout = f"{order}{length}{letter}"
        size = struct.calcsize(layout)
        at = entry + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, entry + 8)[0]
        found[number] = Field(entry, at, at + size, struct.unpack_from(layout, data, at))
    return found


def strips(data: bytes) -> list[tuple[int, int]]:
    """Returns where each strip or tile of a whole file begins and ends."""
    found = fields(data)
    starts = found[STRIP_OFFSETS if STRIP_OFFSETS in found else TILE_OFFSETS].values
    sizes = found[STRIP_SIZES if STRIP_SIZES in found else TILE_SIZES].values
    return [(start, start + size) for start, size in zip(starts, sizes, strict=True)]


def with_number(data: bytes, number: int, value: int) -> bytes:
    """Returns a whole file with another number as the first value of a field, or the largest that it has room for."""
    field = fields(data)[number]
    size = (field.values_end - field.values_at) // len(field.values)
    order: Literal["little", "big"] = "little" if data.startswith(b"II") else "big"
    return put(data, field.values_at, min(value, 256**size - 1).to_bytes(size, order))


def data_end(data: bytes) -> int:
    """Returns where the last byte lies without which the first picture cannot be read, plus one."""
    found = fields(data)
    entries = max(field.entry + 12 for field in found.values())
    values = max(field.values_end for number, field in found.items() if number in _NEEDED)
    return max(entries, values, *(end for _, end in strips(data)))


def _blocks(array: NDArray[np.uint8] | NDArray[np.uint16], tile: int, rows: int) -> list[NDArray[Any]]:
    height, width, _ = array.shape
    if not tile:
        return [array[row : row + rows] for row in range(0, height, rows)]
    padded = np.pad(array, ((0, -height % tile), (0, -width % tile), (0, 0)))
    return [
        padded[row : row + tile, column : column + tile]
        for row in range(0, height, tile)
        for column in range(0, width, tile)
    ]


def _directory(entries: dict[int, tuple[int, list[int]]], order: str, at: int) -> bytes:
    """Returns a directory that begins at a place of a file, and the values that it has no room for behind it."""
    lines, values = b"", b""
    values_at = at + 2 + 12 * len(entries) + 4
    for number in sorted(entries):
        kind, numbers = entries[number]
        packed = struct.pack(f"{order}{len(numbers)}{_LETTERS[kind]}", *numbers)
        place = packed.ljust(4, b"\0")
        if len(packed) > 4:
            place = struct.pack(f"{order}I", values_at + len(values))
            values += packed + b"\0" * (len(packed) % 2)
        lines += struct.pack(f"{order}HHI", number, kind, len(numbers)) + place
    return struct.pack(f"{order}H", len(entries)) + lines + b"\0" * 4 + values
