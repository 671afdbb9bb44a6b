"""Structure of JPEG: every segment, to the marker at the end of the picture (ISO/IEC 10918-1)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sam3_onnx.images.orientation import orientation_of
from sam3_onnx.images.structure.parts import PictureFile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_jpeg"]

_WITHIN_SCANS = frozenset({0x00, 0x01, 0xFF, *range(0xD0, 0xD8)})
"""Bytes that may follow the byte FF without starting a segment: escaped FF bytes, fill bytes and restart markers."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARK, _FILL = b"\xff", 0xFF
_START, _END, _SCAN, _COMMENT, _EXIF, _INDEX = 0xD8, 0xD9, 0xDA, 0xFE, 0xE1, 0xE2
_WITHOUT_BODY = (_START, _END)
_WITHOUT_PIXELS = frozenset({*range(0xE1, 0xEE), 0xEF, _COMMENT})
"""Markers of comments and application data, except JFIF and Adobe, which define the colours."""


def read_jpeg(data: bytes) -> PictureFile:
    """Reads the segments of a JPEG; if it contains several pictures, those of the first one.

    Raises:
        ValueError: The file is cut off, or has no frame or no scan.
        struct.error: The file ends within the header of a segment.
    """
    kept = [data[:2]]
    size: tuple[int, int] | None = None
    exif, is_mpo = b"", False
    for marker, begin, body, end in _segments(data):
        if marker == _SCAN:
            kept.append(data[begin : _end_of_scans(data, end)])
            break
        if marker in _FRAMES:
            if size is not None:
                raise ValueError("it has two frame headers")
            height, width = struct.unpack_from(">HH", data, body + 3)
            size = width, height
        if marker not in _WITHOUT_PIXELS:
            kept.append(data[begin:end])
        elif marker == _EXIF and data.startswith(b"Exif\0\0", body + 2):
            exif = exif or data[body + 2 : end]
        is_mpo = is_mpo or (marker == _INDEX and data.startswith(b"MPF\0", body + 2))
    if size is None:
        raise ValueError("it has no frame header before its pixels")
    return PictureFile(b"".join(kept), *size, orientation=orientation_of(exif), has_more_frames=is_mpo)


def _segments(data: bytes, at: int = 2) -> Iterator[tuple[int, int, int, int]]:
    """Yields the marker of each segment, its start, the start of its body, and its end."""
    while (begin := data.find(_MARK, at)) >= 0 and begin + 1 < len(data):
        marker = data[begin + 1]
        if marker in _WITHIN_SCANS:
            at = begin + (1 if marker == _FILL else 2)
            continue
        body = begin + 2
        at = body if marker in _WITHOUT_BODY else _end_of_segment(data, body)
        yield marker, begin, body, at
    raise ValueError("it is cut off: the marker that ends a JPEG is missing")


def _end_of_scans(data: bytes, at: int) -> int:
    return next(end for marker, _, _, end in _segments(data, at) if marker == _END)


def _end_of_segment(data: bytes, body: int) -> int:
    (length,) = struct.unpack_from(">H", data, body)
    if length < struct.calcsize(">H") or body + length > len(data):
        raise ValueError("it is cut off, or a segment of its header is damaged")
    return body + int(length)
