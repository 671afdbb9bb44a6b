"""Structure of BMP and PNM: pictures without or with simple compression (BITMAPINFOHEADER; Netpbm)."""

from __future__ import annotations

import re
import struct

import numpy as np

from sam3_onnx.images.structure.parts import PictureFile

__all__ = ["read_bmp", "read_pnm"]

_OS2 = struct.Struct("<IHHHH")
_WINDOWS = struct.Struct("<IiiHHI12xI")
_PLAIN, _BITFIELDS = 0, 3
_EIGHT_BITS = 8


def read_bmp(data: bytes) -> PictureFile:
    """Reads the header of a BMP.

    Raises:
        ValueError: The file is cut off within its pixels, or its header is impossible.
        struct.error: The file ends within its header.
    """
    begin, length = struct.unpack_from("<II", data, 10)
    if length == _OS2.size:
        _, width, height, _, bits = _OS2.unpack_from(data, 14)
        compression = colours = 0
    else:
        _, width, height, _, bits, compression, colours = _WINDOWS.unpack_from(data, 14)
    if width <= 0 or height == 0:
        raise ValueError(f"its header says {width} x {height} pixels")
    rows = (width * bits + 31) // 32 * 4 * abs(height)
    if compression in (_PLAIN, _BITFIELDS) and begin + rows > len(data):
        raise ValueError(f"it is cut off: {begin + rows - len(data)} bytes of its pixels are missing")
    return PictureFile(data, width, abs(height), colours=colours or None if bits <= _EIGHT_BITS else None)


_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_PNM = re.compile(rb"P([1-6])" + _GAP + rb"(\d{1,10})" + _GAP + rb"(\d{1,10})" + rb"(?=\D)")
_WHITE = re.compile(_GAP + rb"(\d{1,5})(?=\D)(?:#[^\r\n]*[\r\n])?\s?")
_LONGEST_HEADER = 1 << 16
"""Maximum number of bytes before the pixels, because searching long comments takes much time."""
_BITMAPS, _GREYS = "14", {"3": "2", "6": "5"}
_DEEPEST, _ONE_BYTE = 0xFFFF, 0xFF


def read_pnm(data: bytes) -> PictureFile:
    """Reads the header of a PBM, PGM or PPM.

    A colour picture of more than eight bits is decoded as a grey picture of three times the width: the decoder keeps
    all bits of grey pictures, which can then be shifted, but rounds colours to eight bits.

    Raises:
        ValueError: The header is cut off or impossible.
    """
    head = _PNM.match(data, 0, _LONGEST_HEADER)
    if head is None:
        raise ValueError("its header is cut off, damaged, or longer than 65536 bytes")
    kind, width, height = head[1].decode(), int(head[2]), int(head[3])
    if kind in _BITMAPS:
        return PictureFile(b"P%s %d %d\n" % (head[1], width, height) + data[head.end() + 1 :], width, height)
    white = _WHITE.match(data, head.end(), _LONGEST_HEADER)
    if white is None or not 0 < int(white[1]) <= _DEEPEST:
        raise ValueError("its header has no value for white in 1 to 65535")
    if head[1] in b"56":
        _require_samples(data, white.end(), width * height * (3 if kind == "6" else 1), int(white[1]))
    is_wide = int(white[1]) > _ONE_BYTE and kind in _GREYS
    asked = (_GREYS[kind].encode() if is_wide else head[1], width * 3 if is_wide else width, height, int(white[1]))
    return PictureFile(b"P%s %d %d %d\n" % asked + data[white.end() :], width, height, grey_triples=is_wide)


def _require_samples(data: bytes, begin: int, count: int, white: int) -> None:
    kind = np.dtype(np.uint8 if white <= _ONE_BYTE else ">u2")
    if begin + count * kind.itemsize > len(data):
        raise ValueError(f"it is cut off: {begin + count * kind.itemsize - len(data)} bytes of its pixels are missing")
    if white not in (_ONE_BYTE, _DEEPEST) and np.frombuffer(data, kind, count, begin).max(initial=0) > white:
        raise ValueError(f"it has samples above {white}, the value for white in its header")
