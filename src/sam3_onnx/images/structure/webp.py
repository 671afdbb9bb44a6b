"""Structure of WebP: every chunk with its stated length (WebP container specification)."""

from __future__ import annotations

import struct

from sam3_onnx.images.orientation import orientation_of
from sam3_onnx.images.structure.parts import PictureFile

__all__ = ["read_webp"]

_LOSSY_MARK = b"\x9d\x01\x2a"
_SIDE = 0x3FFF


def read_webp(data: bytes) -> PictureFile:
    """Reads the chunks of a WebP.

    Raises:
        ValueError: The file is cut off, or its chunks are longer than its stated length.
        struct.error: The file ends within the header of a chunk.
    """
    (announced,) = struct.unpack_from("<I", data, 4)
    end = announced + 8
    if end > len(data):
        raise ValueError(f"it is cut off: its header says {end} bytes, but it has {len(data)}")
    size, exif, frames, at = None, b"", 0, 12
    while at < end:
        kind, length = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if body + length > end:
            raise ValueError(f"the stated length of its chunk {kind!r}, {length} bytes, is beyond the end of the file")
        size = size or _size(data, kind, body)
        frames += kind == b"ANMF"
        if kind == b"EXIF":
            exif = exif or data[body : body + length]
        at = body + length + length % 2
    if size is None:
        raise ValueError("it contains no picture")
    return PictureFile(data[:end], *size, orientation=orientation_of(exif), has_more_frames=frames > 1)


def _size(data: bytes, kind: bytes, body: int) -> tuple[int, int] | None:
    """Returns width and height in a chunk; those of the canvas if there is one, because it comes first."""
    if kind == b"VP8X":
        return tuple(int.from_bytes(data[at : at + 3], "little") + 1 for at in (body + 4, body + 7))  # type: ignore[return-value]
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, body + 1)
        return (bits & _SIDE) + 1, (bits >> 14 & _SIDE) + 1
    if kind == b"VP8 ":
        if not data.startswith(_LOSSY_MARK, body + 3):
            raise ValueError("its first frame has no header")
        width, height = struct.unpack_from("<HH", data, body + 6)
        return width & _SIDE, height & _SIDE
    return None
