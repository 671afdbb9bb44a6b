"""PNG files written chunk by chunk (PNG Specification, third edition)."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int, bits: int, kind: int, *, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced))


def lines(samples: NDArray[np.integer], bits: int) -> bytes:
    """Rows (H, W * channels) without filters, each behind the number of its filter."""
    if bits == 16:
        rows = samples.astype(">u2").view(np.uint8)
    elif bits == 8:
        rows = samples.astype(np.uint8)
    else:
        places = (samples[..., None] >> np.arange(bits - 1, -1, -1)) & 1
        rows = np.packbits(places.reshape(len(samples), -1).astype(np.bool_), axis=1)
    return np.pad(rows, ((0, 0), (1, 0))).tobytes()


def png(
    samples: NDArray[np.integer], bits: int, kind: int, *, before: bytes = b"", after: bytes = b"", pieces: int = 1
) -> bytes:
    """A PNG of samples (H, W) or (H, W, C), with chunks before its pixels or after them."""
    height, width = samples.shape[:2]
    packed = zlib.compress(lines(samples.reshape(height, -1), bits))
    length = -(-len(packed) // pieces)
    pixels = b"".join(chunk(b"IDAT", packed[at : at + length]) for at in range(0, len(packed), length))
    return SIGNATURE + header(width, height, bits, kind) + before + pixels + after + chunk(b"IEND", b"")
