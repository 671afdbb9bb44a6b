"""The size and orientation of an encoded picture, read before anything is decoded.

The size is needed before decoding to refuse decompression bombs. The orientation is read here because what OpenCV does
about it depends on format and release: up to 4.12 it ignores EXIF in WebP, and in a JPEG that has XMP before its EXIF;
in AVIF every release up to 5.0 ignores it.

Layouts: ISO/IEC 10918-1 (JPEG), PNG Specification 3rd edition, WebP container specification, TIFF 6.0, EXIF 2.32,
ISO/IEC 15444-1 (JPEG 2000), ISO/IEC 23008-12 (AVIF), GIF89a, BITMAPINFOHEADER (BMP), Netpbm (PNM).
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PictureHeader", "read_picture_header"]


@dataclass(frozen=True)
class PictureHeader:
    """What a picture file says of itself."""

    width: int
    """Columns as stored, before turning."""

    height: int
    """Rows as stored, before turning."""

    quarter_turns: int = 0
    """Counter-clockwise turns by 90 degrees that bring the stored picture upright, 0 to 3."""

    mirrored: bool = False
    """Whether left and right are exchanged after turning."""


def read_picture_header(data: bytes) -> PictureHeader:
    """Read the stored size of a picture and how it has to be turned.

    A TIFF is reported as not to be turned: every release of OpenCV turns it while decoding, whatever its flags.

    Args:
        data: The whole file: AVIF, BMP, GIF, JPEG, JPEG 2000, PNG, PNM, TIFF or WebP.

    Returns:
        The header.

    Raises:
        ValueError: The bytes are none of these formats, end within the header, or are a JPEG without an end, which
            decoders fill up with grey.
    """
    for signature, read in _READERS:
        if signature.match(data):
            try:
                return read(data)
            except (struct.error, IndexError) as error:
                raise ValueError("it ends within its header") from error
    raise ValueError("its first bytes are not those of AVIF, BMP, GIF, JPEG, JPEG 2000, PNG, PNM, TIFF or WebP")


_INTEGERS = {3: "H", 4: "I"}
_TIFF_WIDTH, _TIFF_HEIGHT, _ORIENTATION = 256, 257, 274
_TURNS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}


def _tiff_fields(tiff: bytes) -> dict[int, int]:
    """Fields in the first image file directory that hold one SHORT or LONG."""
    order = "<" if tiff.startswith(b"II") else ">"
    (directory,) = struct.unpack_from(order + "I", tiff, 4)
    (entries,) = struct.unpack_from(order + "H", tiff, directory)
    fields = {}
    for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
        tag, kind = struct.unpack_from(order + "HH", tiff, entry)
        if kind in _INTEGERS:
            (fields[tag],) = struct.unpack_from(order + _INTEGERS[kind], tiff, entry + 8)
    return fields


def _exif_turns(exif: bytes) -> tuple[int, bool]:
    """Turns that EXIF asks for; none where it is damaged, since the pixels are not."""
    try:
        return _TURNS.get(_tiff_fields(exif.removeprefix(b"Exif\0\0")).get(_ORIENTATION, 1), (0, False))
    except struct.error:
        return 0, False


_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN, _JPEG_APP1, _JPEG_END = 0xDA, 0xE1, b"\xff\xd9"


def _jpeg(data: bytes) -> PictureHeader:
    size, turns, at = None, None, 2
    while found := _JPEG_MARKER.search(data, at):
        marker, body = found[1][0], found.end()
        (length,) = struct.unpack_from(">H", data, body)
        at = body + length
        if marker in _JPEG_FRAMES:
            size = struct.unpack_from(">HH", data, body + 3)
        elif marker == _JPEG_APP1 and turns is None and data.startswith(b"Exif\0\0", body + 2):
            turns = _exif_turns(data[body + 2 : at])
        elif marker == _JPEG_SCAN:
            break
    if size is None:
        raise IndexError("no frame header")
    if data.find(_JPEG_END, at) < 0:
        raise ValueError("it is cut off: the marker that ends a JPEG is missing")
    return PictureHeader(size[1], size[0], *(turns or (0, False)))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, slice(at + 8, at + 8 + length)
        at += length + 12


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, slice(at + 8, at + 8 + length)
        at += 8 + length + length % 2


def _png(data: bytes) -> PictureHeader:
    width, height = struct.unpack_from(">II", data, 16)
    exif = next((data[body] for kind, body in _png_chunks(data) if kind == b"eXIf"), b"")
    return PictureHeader(width, height, *_exif_turns(exif))


def _webp(data: bytes) -> PictureHeader:
    first = data[12:16]
    if first == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif first == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    exif = next((data[body] for kind, body in _webp_chunks(data) if kind == b"EXIF"), b"")
    return PictureHeader(width, height, *_exif_turns(exif))


def _avif(data: bytes) -> PictureHeader:
    """Largest of the sizes, since a grid, its tiles and a thumbnail have one each."""
    start = data.find(b"meta")
    (length,) = struct.unpack_from(">I", data, start - 4)
    meta = data[start : start - 4 + length]
    sizes = [struct.unpack_from(">II", meta, found.end() + 4) for found in re.finditer(b"ispe", meta)]
    width, height = max(sizes, key=math.prod, default=(0, 0))
    turned, mirrored = meta.find(b"irot"), meta.find(b"imir")
    turns = meta[turned + 4] & 3 if turned >= 0 else 0
    if mirrored < 0:
        return PictureHeader(width, height, turns)
    swaps_top_and_bottom = meta[mirrored + 4] & 1 == 0
    return PictureHeader(width, height, (turns + 2 * swaps_top_and_bottom) % 4, mirrored=True)


def _jpeg2000(data: bytes) -> PictureHeader:
    right, bottom, left, top = struct.unpack_from(">4I", data, data.find(b"\xff\x4f\xff\x51") + 8)
    return PictureHeader(right - left, bottom - top)


def _tiff(data: bytes) -> PictureHeader:
    fields = _tiff_fields(data)
    return PictureHeader(fields.get(_TIFF_WIDTH, 0), fields.get(_TIFF_HEIGHT, 0))


def _bmp(data: bytes) -> PictureHeader:
    (length,) = struct.unpack_from("<I", data, 14)
    is_os2 = length == struct.calcsize("<IHHHH")
    width, height = struct.unpack_from("<HH" if is_os2 else "<ii", data, 18)
    return PictureHeader(width, abs(height))


def _gif(data: bytes) -> PictureHeader:
    return PictureHeader(*struct.unpack_from("<HH", data, 6))


_PNM = re.compile(rb"P[1-6](?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)")


def _pnm(data: bytes) -> PictureHeader:
    found = _PNM.match(data)
    if found is None:
        raise IndexError("no size")
    return PictureHeader(int(found[1]), int(found[2]))


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], PictureHeader]], ...] = (
    (re.compile(rb"\xff\xd8\xff"), _jpeg),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    (re.compile(rb"II\*\0|MM\0\*"), _tiff),
    (re.compile(rb"BM"), _bmp),
    (re.compile(rb"GIF8[79]a"), _gif),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), _avif),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), _jpeg2000),
    (re.compile(rb"P[1-6]\s"), _pnm),
)
