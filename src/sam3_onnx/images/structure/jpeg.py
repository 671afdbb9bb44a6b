"""JPEG: every segment, to the marker that ends the picture (ISO/IEC 10918-1)."""

from __future__ import annotations

import re
import struct

from sam3_onnx.images.orientation import orientation_of
from sam3_onnx.images.structure.parts import PictureFile

__all__ = ["read_jpeg"]

_MARKER = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd7])", re.DOTALL)
"""What begins a segment. Restarts, and bytes that are written like the end of one, are part of a scan."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START, _END, _SCAN, _COMMENT, _EXIF, _INDEX = 0xD8, 0xD9, 0xDA, 0xFE, 0xE1, 0xE2
_WITHOUT_PIXELS = frozenset({*range(0xE1, 0xEE), 0xEF, _COMMENT})
"""Comments, and what applications add; but for JFIF and Adobe, which say what the colours mean."""


def read_jpeg(data: bytes) -> PictureFile:
    """Reads the segments of a JPEG, of the first picture if there are several.

    Raises:
        ValueError: The file is cut off, or has no frame or no scan.
        struct.error: The file ends within a segment's head.
    """
    kept = [data[:2]]
    size, exif, scans_begin, at, is_mpo = None, b"", None, 2, False
    while found := _MARKER.search(data, at):
        marker, body = found[1][0], found.end()
        if marker == _END:
            break
        at = body if marker == _START else _end_of_segment(data, body)
        if scans_begin is not None:
            continue
        if marker in _FRAMES:
            if size is not None:
                raise ValueError("it has two frame headers")
            size = struct.unpack_from(">HH", data, body + 3)
        if marker == _SCAN:
            scans_begin = found.start()
        elif marker == _EXIF and data.startswith(b"Exif\0\0", body + 2):
            exif = exif or data[body + 2 : at]
        elif marker == _INDEX and data.startswith(b"MPF\0", body + 2):
            is_mpo = True
        elif marker not in _WITHOUT_PIXELS:
            kept.append(data[found.start() : at])
    if size is None or scans_begin is None:
        raise ValueError("it ends within its header")
    if found is None:
        raise ValueError("it is cut off: the marker that ends a JPEG is missing")
    kept.append(data[scans_begin : found.end()])
    width, height = size[1], size[0]
    return PictureFile(b"".join(kept), width, height, orientation=orientation_of(exif), has_more_frames=is_mpo)


def _end_of_segment(data: bytes, body: int) -> int:
    (length,) = struct.unpack_from(">H", data, body)
    if length < struct.calcsize(">H") or body + length > len(data):
        raise ValueError("it is cut off, or a segment of its header is damaged")
    return body + int(length)
