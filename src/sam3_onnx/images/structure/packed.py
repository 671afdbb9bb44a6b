"""Deflate and LZMA: compressions with a checksum at their end, where libtiff stops with the last row."""

from __future__ import annotations

import lzma
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["WITH_CHECKSUM", "require_unpacked"]

_BLOCK = 1 << 20
_MOST_MEMORY = 1 << 27
"""Bytes that the dictionary of LZMA may have; the highest level of its writers takes half of it."""


def require_unpacked(packed: bytes, compression: int, most: int) -> None:
    """Lets compressed data pass that can be read to their checksum.

    Args:
        packed: The data.
        compression: One of `WITH_CHECKSUM`.
        most: The bytes that they are expected to hold; some more are let pass.

    Raises:
        ValueError: They are damaged or cut off, or hold far more.
    """
    found = 0
    try:
        for length in WITH_CHECKSUM[compression](packed):
            found += length
            if found > 2 * most + _BLOCK:
                raise ValueError("holds more pixels than it announces")
    except (zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"is damaged ({error})") from error


def _deflated(packed: bytes) -> Iterator[int]:
    unpacking = zlib.decompressobj()
    rest = packed
    while not unpacking.eof:
        piece = unpacking.decompress(rest, _BLOCK)
        if not piece and not unpacking.unconsumed_tail and not unpacking.eof:
            raise zlib.error("it ends early")
        yield len(piece)
        rest = unpacking.unconsumed_tail


def _lzma(packed: bytes) -> Iterator[int]:
    unpacking = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
    rest = packed
    while not unpacking.eof:
        piece = unpacking.decompress(rest, _BLOCK)
        if not piece and unpacking.needs_input:
            raise lzma.LZMAError("it ends early")
        yield len(piece)
        rest = b""


WITH_CHECKSUM: dict[int, Callable[[bytes], Iterator[int]]] = {8: _deflated, 32946: _deflated, 34925: _lzma}
"""TIFF's numbers of these compressions, and what yields the lengths of the pieces that data unpack to."""
