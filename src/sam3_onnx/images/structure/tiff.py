"""Structure of TIFF: every directory, with all its strips or tiles (TIFF 6.0, BigTIFF)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.images.structure.packed import WITH_CHECKSUM, require_unpacked
from sam3_onnx.images.structure.parts import PictureFile, SampleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["read_tiff"]

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _MEANING = 256, 257, 258, 259, 262
_FILL_ORDER, _ORIENTATION, _PALETTE = 266, 274, 320
_SAMPLES, _ROWS_PER_STRIP, _PLANAR, _KINDS_OF_SAMPLES = 277, 278, 284, 339
_STRIPS, _TILES = (273, 279), (324, 325)
_LISTS = (*_STRIPS, *_TILES)
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_ONE_VALUE = (_WIDTH, _HEIGHT, _COMPRESSION, _MEANING, _FILL_ORDER, _SAMPLES, _ROWS_PER_STRIP, _PLANAR, 317)
_ONE_VALUE_OF_TILES = (_TILE_WIDTH, _TILE_HEIGHT)
_PIXELS = frozenset(
    {*_ONE_VALUE, *_ONE_VALUE_OF_TILES, *_STRIPS, *_TILES, _BITS, _KINDS_OF_SAMPLES}
    | {292, 293, _PALETTE, 332, 338, 347, *range(512, 522), 529, 530, 531, 532}
)
"""Tags that affect pixels. The decoder receives no other tags, because they cost memory and cause warnings. The
orientation is read here, because `orientation.py` rotates pictures of all formats."""
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_BYTES = {2: 1, 5: 8, 7: 1, 10: 8, 11: 4, 12: 8} | {kind: struct.calcsize(code) for kind, code in _INTEGERS.items()}
_MOST_VALUES = 3 << 16
"""Maximum number of values of a tag other than lists of strips or tiles; a palette of 16 bits has the most."""
_RAW, _LZW, _JPEG = 1, 5, 7
_SEPARATE, _WHITE_IS_ZERO, _IS_PALETTE, _SUBSAMPLED = 2, 0, 3, 6
_COMPRESSIONS = (*range(1, 6), 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 34925, 50000, 50001)
"""Compressions that Pillow passes to libtiff, except JPEG of TIFF 6.0 (6), because a cut off one gives grey pixels."""
_KINDS_OF_PIXELS = frozenset(
    {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _MEANING, _FILL_ORDER, _SAMPLES, _PLANAR, _PALETTE, 338, _KINDS_OF_SAMPLES}
)
"""Tags that Pillow's plug-in needs: those about the kind of pixels, not about their positions."""
_LONG, _LOWEST_BIT_FIRST = 4, 2
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_BIG = 43
_EIGHT_BITS, _DEEPEST = 8, 16


@dataclass(frozen=True)
class _Layout:
    """Number formats of the two variants of TIFF."""

    order: str
    count: str
    number: str
    head: int

    @property
    def entry(self) -> struct.Struct:
        """Format of an entry: tag, type, number of values, and the values or their position."""
        return struct.Struct(f"{self.order}HH{self.number}{struct.calcsize(self.number)}s")


@dataclass(frozen=True)
class _Directory:
    entries: Mapping[int, bytes]
    """Entries that affect pixels, as bytes of the file."""
    values: Mapping[int, tuple[int, ...]]
    """Values of tags with integers, except those of strips and tiles."""
    lists: Mapping[int, NDArray[np.integer]]
    """Positions and lengths of strips and tiles, without a copy, because a file may have as many as bytes."""
    entries_within: int
    """Number of all entries in the directory."""
    following: int
    """Position of the directory of the next page; 0 if there is none."""

    def one(self, tag: int, default: int = 0) -> int:
        """Returns the value of a tag with a single value."""
        return self.values.get(tag, (default,))[0]


def read_tiff(data: bytes) -> PictureFile:
    """Reads the first directory of a TIFF.

    Raises:
        SampleError: Its samples are signed, have more than 16 bits, or are floats.
        ValueError: The file is cut off or damaged, or its header is impossible.
        struct.error: The file ends within a directory.
    """
    layout = _layout(data)
    (begin,) = struct.unpack_from(layout.order + layout.number, data, layout.head)
    directory = _directory(data, layout, begin)
    _require_samples(directory)
    if directory.one(_COMPRESSION, _RAW) not in _COMPRESSIONS:
        raise ValueError(f"its compression, number {directory.one(_COMPRESSION)}, is not supported")
    colours = len(directory.values.get(_PALETTE, ()))
    if directory.one(_MEANING) == _IS_PALETTE and colours != 3 << directory.one(_BITS, 1):
        raise ValueError(f"its palette has {colours} numbers")
    width, height = directory.one(_WIDTH), directory.one(_HEIGHT)
    if width <= 0 or height <= 0:
        raise ValueError(f"its header says {width} x {height} pixels")
    blocks = _Blocks.of(directory)
    _require_blocks(data, directory, blocks)
    _require_pages(data, layout, directory.following)
    bits = directory.one(_BITS, 1)
    return PictureFile(
        _with_directory(data, layout, directory),
        width,
        height,
        header=_header(directory),
        largest_block=(blocks.width, blocks.height),
        orientation=directory.one(_ORIENTATION, 1),
        depth=bits,
        inverted=bits > _EIGHT_BITS and directory.one(_MEANING) == _WHITE_IS_ZERO,
        has_more_frames=directory.following > 0,
    )


def _require_pages(data: bytes, layout: _Layout, begin: int) -> None:
    """Checks that further pages are within the file; each page once, also if the chain of pages is a loop."""
    seen: set[int] = set()
    bytes_of_entries = 0
    while begin and begin not in seen and bytes_of_entries <= len(data):
        seen.add(begin)
        directory = _directory(data, layout, begin)
        bytes_of_entries += directory.entries_within * layout.entry.size
        for places, lengths in (_STRIPS, _TILES):
            if not _lie_within(len(data), directory.lists.get(places), directory.lists.get(lengths)):
                raise ValueError(f"it is cut off: its page {len(seen) + 1} is beyond its end")
        begin = directory.following


def _lie_within(end: int, places: NDArray[np.integer] | None, lengths: NDArray[np.integer] | None) -> bool:
    if places is None or lengths is None or len(places) != len(lengths):
        return True
    largest = max(int(places.max(initial=0)), int(lengths.max(initial=0)))
    return largest <= end and int((places.astype(np.int64) + lengths.astype(np.int64)).max(initial=0)) <= end


def _layout(data: bytes) -> _Layout:
    order = "<" if data.startswith(b"II") else ">"
    (version,) = struct.unpack_from(order + "H", data, 2)
    return _Layout(order, "Q", "Q", 8) if version == _BIG else _Layout(order, "H", "I", 4)


def _directory(data: bytes, layout: _Layout, begin: int) -> _Directory:
    (count,) = struct.unpack_from(layout.order + layout.count, data, begin)
    at = begin + struct.calcsize(layout.count)
    if at + count * layout.entry.size > len(data):
        raise ValueError("it is cut off: its directory is beyond its end")
    entries: dict[int, bytes] = {}
    values: dict[int, tuple[int, ...]] = {}
    lists: dict[int, NDArray[np.integer]] = {}
    for _ in range(count):
        tag, kind, number, _ = layout.entry.unpack_from(data, at)
        place = _place(data, layout, at, number * _BYTES.get(kind, 0))
        if tag in _PIXELS and tag not in entries:
            entries[tag] = data[at : at + layout.entry.size]
            _require_number(tag, number)
        if kind in _INTEGERS and tag in _LISTS and tag not in lists:
            lists[tag] = np.frombuffer(data, layout.order + _INTEGERS[kind], number, place)
        elif kind in _INTEGERS and tag not in values and (tag in entries or tag == _ORIENTATION):
            values[tag] = struct.unpack_from(f"{layout.order}{number}{_INTEGERS[kind]}", data, place)
        at += layout.entry.size
    (following,) = struct.unpack_from(layout.order + layout.number, data, at)
    return _Directory(entries, {tag: found for tag, found in values.items() if found}, lists, count, following)


def _place(data: bytes, layout: _Layout, entry: int, size: int) -> int:
    """Returns the position of the values of an entry."""
    inline = struct.calcsize(layout.number)
    at = entry + layout.entry.size - inline
    if size <= inline:
        return at
    (place,) = struct.unpack_from(layout.order + layout.number, data, at)
    if place + size > len(data):
        (tag,) = struct.unpack_from(layout.order + "H", data, entry)
        raise ValueError(f"it is cut off or damaged: its tag {tag} announces {size} bytes at {place}, beyond its end")
    return int(place)


def _require_number(tag: int, number: int) -> None:
    is_single = tag in _ONE_VALUE or tag in _ONE_VALUE_OF_TILES
    if (is_single and number != 1) or (number > _MOST_VALUES and tag not in (*_LISTS, 347)):
        raise ValueError(f"its tag {tag} has {number} values")


def _require_samples(directory: _Directory) -> None:
    kinds = {"signed": 2, "floating-point": 3, "complex": 6, "complex whole": 5}
    found = directory.values.get(_KINDS_OF_SAMPLES, (1,))
    bits = max(directory.values.get(_BITS, (1,)))
    name = next((name for name, kind in kinds.items() if kind in found), "unsigned")
    if name != "unsigned" or bits > _DEEPEST:
        raise SampleError(f"it has {name} samples of {bits} bits, without values for black and white")


@dataclass(frozen=True)
class _Blocks:
    """The strips or tiles of a picture, all of the same size except the lowest strip."""

    width: int
    height: int
    across: int
    down: int
    planes: int
    bytes_of_row: int
    are_tiles: bool

    @classmethod
    def of(cls, directory: _Directory) -> _Blocks:
        width, height = directory.one(_WIDTH), directory.one(_HEIGHT)
        # as in libtiff, in which the offsets of strips and tiles are the same field
        are_tiles = _TILE_WIDTH in directory.entries or _TILE_HEIGHT in directory.entries
        if are_tiles:
            across, down = directory.one(_TILE_WIDTH), directory.one(_TILE_HEIGHT)
        else:
            across, down = width, min(height, directory.one(_ROWS_PER_STRIP, height))
        if across <= 0 or down <= 0:
            raise ValueError(f"its header says strips or tiles of {across} x {down} pixels")
        samples = directory.one(_SAMPLES, 1)
        is_separate = directory.one(_PLANAR, 1) == _SEPARATE
        bits = directory.values.get(_BITS, (1,))
        bits_of_pixel = bits[0] if is_separate else sum(bits) if len(bits) == samples else bits[0] * samples
        return cls(
            width=across,
            height=down,
            across=-(-width // across),
            down=-(-height // down),
            planes=samples if is_separate else 1,
            bytes_of_row=-(-across * bits_of_pixel // 8),
            are_tiles=are_tiles,
        )

    def rows(self, index: int, height: int) -> int:
        """Returns the number of rows of a strip or tile; the lowest strip ends with the picture."""
        row = index // self.across % self.down
        return self.height if self.are_tiles else min(self.height, height - row * self.height)


def _require_blocks(data: bytes, directory: _Directory, blocks: _Blocks) -> None:
    if _STRIPS[0] in directory.entries and _TILES[0] in directory.entries:
        raise ValueError("its header has both strips and tiles")
    places, lengths = _TILES if _TILES[0] in directory.entries else _STRIPS
    begins = directory.lists.get(places, np.empty(0, np.int64))
    announced = directory.lists.get(lengths)
    expected = blocks.across * blocks.down * blocks.planes
    if len(begins) != expected or (announced is not None and len(announced) != expected):
        raise ValueError(f"it has {len(begins)} strips or tiles instead of {expected}")
    compression = directory.one(_COMPRESSION, 1)
    is_subsampled = directory.one(_MEANING) == _SUBSAMPLED
    for index, begin in enumerate(begins.tolist()):
        needed = 0
        if compression == _RAW and not is_subsampled:
            needed = blocks.rows(index, directory.one(_HEIGHT)) * blocks.bytes_of_row
        length = needed if announced is None else int(announced[index])
        if not 0 <= begin <= begin + max(length, needed) <= len(data) or (needed and length < needed):
            raise ValueError(f"it is cut off or damaged: its strip or tile {index} is not within the file")
        if announced is None:
            continue
        if compression in WITH_CHECKSUM:
            packed = data[begin : begin + length]
            packed = packed.translate(_REVERSED) if directory.one(_FILL_ORDER) == _LOWEST_BIT_FIRST else packed
            try:
                require_unpacked(packed, compression, blocks.height * max(blocks.bytes_of_row, 1))
            except ValueError as error:
                raise ValueError(f"its strip or tile {index} {error}") from error
        if compression == _JPEG and data.find(b"\xff\xd9", begin, begin + length) < 0:
            raise ValueError(f"its strip or tile {index} is cut off: the marker that ends a JPEG is missing")


def _with_directory(data: bytes, layout: _Layout, directory: _Directory) -> bytes:
    """Returns the file with a new directory at its end that contains only the tags of the first page's pixels."""
    padding = bytes(-len(data) % 8)
    begin = struct.pack(layout.order + layout.number, len(data) + len(padding))
    body = b"".join(entry for _, entry in sorted(directory.entries.items()))
    count = struct.pack(layout.order + layout.count, len(directory.entries))
    after = bytes(struct.calcsize(layout.number))
    return b"".join([data[: layout.head], begin, data[layout.head + len(begin) :], padding, count, body, after])


def _header(directory: _Directory) -> bytes:
    """Returns a TIFF without pixels that looks like this one to Pillow's plug-in.

    The plug-in uses it to choose the mode. It is always little-endian, because the plug-in supports more modes in this
    byte order, and libtiff returns pixels in the byte order of the machine. It always has a compression: the plug-in
    reads uncompressed pixels itself, wrongly for separate planes or subsampled chroma.
    """
    values = {tag: found for tag, found in directory.values.items() if tag in _KINDS_OF_PIXELS}
    if directory.one(_COMPRESSION, _RAW) == _RAW:
        values[_COMPRESSION] = (_LZW,)
    at = struct.calcsize("<2sHIH") + len(values) * struct.calcsize("<HHII") + struct.calcsize("<I")
    entries, rest = [], b""
    for tag, found in sorted(values.items()):
        packed = struct.pack(f"<{len(found)}I", *found)
        place = packed if len(found) == 1 else struct.pack("<I", at + len(rest))
        rest += packed if len(found) > 1 else b""
        entries.append(struct.pack("<HHI", tag, _LONG, len(found)) + place)
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(entries) + bytes(4) + rest
