"""PNG: every chunk with its checksum (PNG Specification, third edition)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

from sam3_onnx.images.orientation import orientation_of
from sam3_onnx.images.structure.parts import PictureFile

__all__ = ["read_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_HEADER = struct.Struct(">IIBBBBB")


def read_png(data: bytes) -> PictureFile:
    """Reads the chunks of a PNG.

    The decoder gets the chunks that make the first frame's pixels; not the transparency, since alpha is dropped.

    Raises:
        ValueError: The file is cut off, or a chunk is damaged or where none may be.
        struct.error: The file ends within a chunk's head.
    """
    view = memoryview(data)
    pixels: list[memoryview] = []
    header, palette, exif, has_more_frames = b"", b"", b"", False
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        before = kind
        length, kind = _CHUNK.unpack_from(data, at)
        body = view[at + 8 : at + 8 + length]
        _require_whole(data, at, length, kind)
        if not header and kind != b"IHDR":
            raise ValueError("it does not begin with the chunk IHDR")
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
                raise ValueError(f"a chunk {kind!r} lies where none may be")
        at += length + 12
    picture = _picture(header, palette, b"".join(pixels))
    return replace(picture, orientation=orientation_of(exif), has_more_frames=has_more_frames)


def _require_whole(data: bytes, at: int, length: int, kind: bytes) -> None:
    end = at + 12 + length
    if end > len(data):
        raise ValueError(f"it is cut off: the chunk {kind!r} announces {length} bytes, {end - len(data)} are missing")
    (announced,) = struct.unpack_from(">I", data, end - 4)
    if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != announced:
        raise ValueError(f"the checksum of its chunk {kind!r} at byte {at} does not hold")


def _picture(header: bytes, palette: bytes, pixels: bytes) -> PictureFile:
    width, height, _, _, compression, filtering, interlace = _HEADER.unpack(header)
    if compression or filtering or interlace > 1:
        raise ValueError(f"its header asks for compression {compression}, filter {filtering}, interlace {interlace}")
    # Without the last byte of the checksum that ends it, the decoder ends with the last row and not with the data.
    # With it, the rows that are missing in too short data stay black, without an error.
    parts = [_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", pixels[:-1]), _chunk(b"IEND", b"")]
    if palette:
        parts.insert(2, _chunk(b"PLTE", palette))
    return PictureFile(b"".join(parts), width, height)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return _CHUNK.pack(len(body), kind) + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
