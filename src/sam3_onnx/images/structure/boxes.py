"""Structure of AVIF and JPEG 2000: boxes and the codestream inside (ISO/IEC 14496-12, 23008-12 and 15444-1)."""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING

from sam3_onnx.images.structure.parts import PictureFile, SampleError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_avif", "read_jpeg2000"]

_CODESTREAM = b"\xff\x4f\xff\x51"
_TILE_PART, _END = 0xFF90, b"\xff\xd9"
_SIZES = struct.Struct(">HH8IH")
_TILE = struct.Struct(">HHHIBB")
_MOST_COMPONENTS, _RGB = 4, 3
_IS_SIGNED, _EIGHT_BITS = 0x80, 8


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields the type of each box, and start and end of its content."""
    while at < end:
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        last = end if length == 0 else at + length
        if last > end or last < at + head:
            raise ValueError(f"it is cut off or damaged: its box {kind!r} announces {length} bytes")
        yield kind, at + head, last
        at = last


def read_avif(data: bytes) -> PictureFile:
    """Reads the boxes of an AVIF and the largest size in them; a grid, its tiles and a thumbnail have one each.

    Raises:
        ValueError: A box is cut off, or there is no size.
        struct.error: The file ends within the header of a box.
    """
    boxes = {kind: (begin, end) for kind, begin, end in _boxes(data, 0, len(data))}
    if b"meta" not in boxes:
        raise ValueError("it ends within its header")
    begin, end = boxes[b"meta"]
    sizes = [
        struct.unpack_from(">II", data, found.end() + 4) for found in re.compile(b"ispe").finditer(data, begin, end)
    ]
    if not sizes:
        raise ValueError("its header has no size")
    width, height = max(sizes, key=math.prod)
    return PictureFile(data, width, height, has_more_frames=b"moov" in boxes)


def read_jpeg2000(data: bytes) -> PictureFile:
    """Reads the boxes of a JPEG 2000 file if it has any, and the parts of its codestream.

    Raises:
        SampleError: Its samples are signed, have fewer than eight bits, or more of them in several channels.
        ValueError: The file is cut off, tiles are missing, or its sizes contradict each other.
        struct.error: The file ends within a header.
    """
    if data.startswith(_CODESTREAM):
        return _codestream(data, 0, len(data))
    file = None
    for kind, begin, end in _boxes(data, 0, len(data)):
        if kind == b"jp2c" and file is None:
            file = _codestream(data, begin, end)
    if file is None:
        raise ValueError("it ends within its header")
    return file


def _codestream(data: bytes, begin: int, end: int) -> PictureFile:
    if not data.startswith(_CODESTREAM, begin):
        raise ValueError("its codestream does not start with a size")
    _, _, right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, components = _SIZES.unpack_from(
        data, begin + 4
    )
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0 or not tile_width or not tile_height or components > _MOST_COMPONENTS:
        raise ValueError(f"its header says {width} x {height} pixels of {components} components")
    _require_samples(data[begin + 4 + _SIZES.size : begin + 4 + _SIZES.size + 3 * components : 3])
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    at = begin + 2
    while (marker := struct.unpack_from(">H", data, at)[0]) != _TILE_PART:
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    seen = set()
    while at + _TILE.size <= end and marker == _TILE_PART:
        marker, _, tile, length, _, _ = _TILE.unpack_from(data, at)
        if marker != _TILE_PART:
            break
        seen.add(tile)
        at = at + length if length else end - len(_END)
    if not data.startswith(_END, at) or at + len(_END) > end:
        raise ValueError("it is cut off: the marker that ends its codestream is missing")
    if len(seen) != tiles:
        raise ValueError(f"it has {len(seen)} tiles instead of {tiles}")
    return PictureFile(data, width, height)


def _require_samples(kinds: bytes) -> None:
    """Checks that Pillow converts the samples to eight bits correctly; alpha may be of any kind.

    Pillow shifts samples of fewer bits, so that white is not 255. With several channels of more bits, it rounds them,
    and white becomes black.

    Args:
        kinds: For each channel, the number of bits minus one, and whether it is signed (`Ssiz`).
    """
    colours = kinds[:_RGB] if len(kinds) >= _RGB else kinds[:1]
    bits = [(kind & ~_IS_SIGNED) + 1 for kind in colours]
    held = f"it has {len(kinds)} channels of {bits[0]} bits"
    if any(kind & _IS_SIGNED for kind in kinds):
        raise SampleError(f"{held}, signed, without values for black and white")
    if min(bits) < _EIGHT_BITS:
        raise SampleError(f"{held}, but at least eight are needed")
    if max(bits) > _EIGHT_BITS and len(kinds) > 1:
        raise SampleError(f"{held}, but more than eight are supported only for a single channel")
