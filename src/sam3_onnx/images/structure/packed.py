"""Checksums of Deflate and LZMA data, which libtiff does not check, because it stops after the last row."""

from __future__ import annotations

import lzma
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["WITH_CHECKSUM", "require_unpacked"]

_BLOCK = 1 << 20
_MOST_MEMORY = 1 << 27
"""Maximum size of the LZMA dictionary in bytes, twice that of the highest compression level."""


def require_unpacked(packed: bytes, compression: int, most: int) -> None:
    """Checks that compressed data can be unpacked up to its checksum.

    Args:
        packed: The compressed data.
        compression: One of `WITH_CHECKSUM`.
        most: Expected number of unpacked bytes; a few more are allowed.

    Raises:
        ValueError: The data is damaged or cut off, or unpacks to far more bytes.
    """
    found = 0
    try:
        for length in WITH_CHECKSUM[compression](packed):
            found += length
            if found > 2 * most + _BLOCK:
                raise ValueError("contains more pixels than its header says")
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
"""Functions that unpack data and yield the lengths of the pieces, by the compression number of TIFF."""
