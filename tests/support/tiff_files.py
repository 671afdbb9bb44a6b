"""TIFF files written field by field, for what Pillow does not write (TIFF 6.0, BigTIFF)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    Fields: TypeAlias = Mapping[int, Sequence[int]]

WIDTH, HEIGHT, BITS, COMPRESSION, MEANING, FILL_ORDER, STRIPS, ORIENTATION = 256, 257, 258, 259, 262, 266, 273, 274
SAMPLES, ROWS, SIZES, PLANAR, PALETTE, TILE_WIDTH, TILE_HEIGHT = 277, 278, 279, 284, 320, 322, 323
TILES, TILE_SIZES, EXTRA, SAMPLE_FORMAT, SUBSAMPLING = 324, 325, 338, 339, 530
GREY, RGB = 1, 2
_KINDS = {"B": 1, "H": 3, "I": 4, "Q": 16, "h": 8, "i": 9}


def tiff(
    blocks: Sequence[bytes], fields: Fields, *, order: str = "<", big: bool = False, kind: str = "I", ending: str = ""
) -> bytes:
    """Makes a TIFF of strips or tiles and of the fields of its directory.

    Args:
        blocks: Strips, or tiles where the fields name the width of one.
        fields: Values by tag. Where blocks lie and how long they are is added to them.
        order: "<" for Intel's order of bytes, ">" for Motorola's.
        big: Whether it is a BigTIFF.
        kind: How the numbers are written, as `struct` has it.
        ending: "strips" or "tiles" to name the blocks so, whatever they are.
    """
    head = struct.pack(order + "2sH", b"II" if order == "<" else b"MM", 43 if big else 42)
    head += struct.pack(order + "HH", 8, 0) if big else b""
    number = "Q" if big else "I"
    inline = struct.calcsize(number)
    body, places = b"", []
    for block in blocks:
        places.append(len(head) + inline + len(body))
        body += block + bytes(len(block) % 2)
    are_tiles = ending == "tiles" if ending else TILE_WIDTH in fields
    where, sizes = (TILES, TILE_SIZES) if are_tiles else (STRIPS, SIZES)
    entries = {where: places, sizes: [len(block) for block in blocks], **fields}
    at = len(head) + inline + len(body)
    directory = struct.pack(order + ("Q" if big else "H"), len(entries))
    values_at = at + len(directory) + len(entries) * (4 + 2 * inline) + inline
    values = b""
    for tag, found in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(found)}{kind}", *found)
        directory += struct.pack(order + "HH" + number, tag, _KINDS[kind], len(found))
        if len(packed) > inline:
            directory += struct.pack(order + number, values_at + len(values))
            values += packed
        else:
            directory += packed.ljust(inline, b"\0")
    return head + struct.pack(order + number, at) + body + directory + bytes(inline) + values


def array_fields(array: NDArray[np.generic]) -> dict[int, list[int]]:
    """Fields of an array (H, W, C) that is written as one strip: grey, grey and alpha, RGB or RGBA."""
    height, width, samples = array.shape
    fields = {WIDTH: [width], HEIGHT: [height], BITS: [8 * array.itemsize] * samples, COMPRESSION: [1]}
    fields |= {MEANING: [GREY if samples < 3 else RGB], SAMPLES: [samples], ROWS: [height], PLANAR: [1]}
    return fields | ({EXTRA: [2]} if samples in (2, 4) else {})


def array_bytes(array: NDArray[np.generic], order: str = "<") -> bytes:
    return array.astype(array.dtype.newbyteorder(order)).tobytes()  # type: ignore[arg-type]


def tile_bytes(array: NDArray[np.generic], side: int, order: str = "<") -> list[bytes]:
    """The tiles of an array (H, W, C) from left to right and top to bottom, padded with zeros."""
    padded = np.pad(array, ((0, -array.shape[0] % side), (0, -array.shape[1] % side), (0, 0)))
    return [
        array_bytes(padded[row : row + side, column : column + side], order)
        for row in range(0, array.shape[0], side)
        for column in range(0, array.shape[1], side)
    ]
