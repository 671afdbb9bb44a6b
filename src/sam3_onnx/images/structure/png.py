"""Structure of PNG: every chunk with its checksum (PNG Specification, third edition)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from sam3_onnx.images.orientation import orientation_of
from sam3_onnx.images.structure.parts import PictureFile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Allowed bits per sample for each colour type: grey, RGB, palette, grey with alpha, RGB with alpha."""
_PALETTE, _MOST_COLOURS = 3, 256
_HEADER = struct.Struct(">IIBBBBB")


def read_png(data: bytes) -> PictureFile:
    """Reads the chunks of a PNG.

    The decoder receives only the chunks with the pixels of the first frame, without transparency, because alpha is
    dropped.

    Raises:
        ValueError: The file is cut off, or a chunk is damaged or in a wrong place.
        struct.error: The file ends within the header of a chunk.
    """
    header, palette, exif, has_more_frames = b"", b"", b"", False
    pixels: list[memoryview] = []
    before = b""
    for kind, body in _chunks(data):
        if not header and kind != b"IHDR":
            raise ValueError("it does not start with the chunk IHDR")
        match kind:
            case b"IHDR" if not header:
                header = bytes(body)
            case b"PLTE" if not palette and not pixels:
                palette = bytes(body)
            case b"IDAT" if not pixels or before == b"IDAT":
                pixels.append(body)
            case b"eXIf":
                exif = exif or bytes(body)
            case b"fdAT":
                has_more_frames = True
            case b"IEND":
                pass
            case _ if kind[:1].isupper():
                raise ValueError(f"a chunk {kind!r} is in a wrong place")
        before = kind
    picture = _picture(header, palette, pixels)
    return replace(picture, orientation=orientation_of(exif), has_more_frames=has_more_frames)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yields type and body of each chunk up to the last one, and checks its checksum."""
    view = memoryview(data)
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = _CHUNK.unpack_from(data, at)
        _require_whole(data, at, length, kind)
        yield kind, view[at + 8 : at + 8 + length]
        at += length + 12


def _require_whole(data: bytes, at: int, length: int, kind: bytes) -> None:
    end = at + 12 + length
    if end > len(data):
        raise ValueError(f"it is cut off: of the {length} bytes of its chunk {kind!r}, {end - len(data)} are missing")
    (announced,) = struct.unpack_from(">I", data, end - 4)
    if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != announced:
        raise ValueError(f"the checksum of its chunk {kind!r} at byte {at} is wrong")


def _picture(header: bytes, palette: bytes, pixels: list[memoryview]) -> PictureFile:
    width, height, bits, kind, compression, filtering, interlace = _HEADER.unpack(header)
    if bits not in _BITS.get(kind, ()):
        raise ValueError(f"its header says {bits} bits per sample for the colour type {kind}")
    if compression or filtering or interlace > 1:
        raise ValueError(f"its header asks for compression {compression}, filter {filtering}, interlace {interlace}")
    if not any(pixels):
        raise ValueError("it contains no pixels")
    colours, rest = divmod(len(palette), 3)
    if kind == _PALETTE and (rest or not 0 < colours <= _MOST_COLOURS):
        raise ValueError(f"its palette has {len(palette)} bytes")
    # The last byte of the checksum is left out, so that the decoder ends with the last row and not with the data.
    # With this byte, missing rows in too short data would stay black, without an error.
    pixels = [*pixels[:-1], pixels[-1][:-1]]
    parts: list[bytes | memoryview] = [_SIGNATURE, *_chunk(b"IHDR", header), *_chunk(b"PLTE", palette)]
    # The decoder does not check the checksum of pixels, which would be that of other chunks.
    parts += [_CHUNK.pack(sum(map(len, pixels)), b"IDAT"), *pixels, bytes(4), *_chunk(b"IEND", b"")]
    return PictureFile(b"".join(parts), width, height, colours=colours if kind == _PALETTE else None)


def _chunk(kind: bytes, body: bytes) -> tuple[bytes, bytes, bytes]:
    return _CHUNK.pack(len(body), kind), body, struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
