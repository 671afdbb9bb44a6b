"""Arrays in a file, written so that nothing but what was written is ever read back.

A file is a prologue of 52 bytes, a header in JSON, and the arrays as they lie in memory, each padded to 64 bytes:

| Bytes | What |
|---|---|
| 8 | `sam3emb1`: the kind of file and its version |
| 4 | length of the header, little-endian as all that follows |
| 8 | length of the file |
| 32 | SHA-256 of all that this table lists but itself and the first line, header and arrays included |

Whatever a file holds is interpreted only after its SHA-256 has come out right, and the bytes that were hashed are the
ones that are used: they are read into memory, not mapped, so that nothing can change behind the check.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from math import prod
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader

    from numpy.typing import NDArray

__all__ = ["NotThisEntryError", "load", "pieces_of"]

_MAGIC = b"sam3emb1"
_LENGTHS = struct.Struct("<IQ")
_DIGEST_BYTES = 32
_PROLOGUE_BYTES = len(_MAGIC) + _LENGTHS.size + _DIGEST_BYTES
_ALIGNMENT = 64
_KINDS = frozenset("biufU")
"""NumPy's kinds of arrays that are nothing but their bytes."""

_Piece: TypeAlias = "bytes | NDArray[np.uint8]"


class NotThisEntryError(ValueError):
    """A file is not the entry that it is looked up as: damaged, cut off, another one's, or something else."""


def pieces_of(label: str, arrays: Mapping[str, NDArray[np.generic]]) -> list[_Piece]:
    """The content of a file, piece by piece in order; arrays are not copied.

    Args:
        label: Whose arrays these are.
        arrays: Of numbers, truth values or text, in C order.
    """
    described = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
    header = json.dumps({"label": label, "arrays": described}).encode()
    pieces: list[_Piece] = [header + b" " * _padding(len(header))]
    for array in arrays.values():
        pieces += [np.ascontiguousarray(array).reshape(-1).view(np.uint8), bytes(_padding(array.nbytes))]
    lengths = _LENGTHS.pack(len(pieces[0]), _PROLOGUE_BYTES + sum(map(len, pieces)))
    digest = hashlib.sha256(lengths)
    for piece in pieces:
        digest.update(piece.data if isinstance(piece, np.ndarray) else piece)
    return [_MAGIC + lengths + digest.digest(), *pieces]


def load(file: BufferedReader, label: str) -> dict[str, NDArray[np.generic]]:
    """Reads arrays back.

    Args:
        file: At its beginning.
        label: Whose arrays they have to be.

    Returns:
        The arrays to the bit, read-only, side by side in one buffer.

    Raises:
        NotThisEntryError: The file holds anything else.
        OSError: It cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    prologue = file.read(_PROLOGUE_BYTES)
    if len(prologue) < _PROLOGUE_BYTES or not prologue.startswith(_MAGIC):
        raise NotThisEntryError("it is no embedding of this version")
    lengths, digest = prologue[len(_MAGIC) : -_DIGEST_BYTES], prologue[-_DIGEST_BYTES:]
    header_bytes, told = _LENGTHS.unpack(lengths)
    if told != size:
        raise NotThisEntryError(f"it is {size} bytes long and should be {told}")
    content = np.empty(size - _PROLOGUE_BYTES, np.uint8)
    if file.readinto(content.data) != len(content):
        raise NotThisEntryError("it changed while it was read")
    actual = hashlib.sha256(lengths)
    actual.update(content.data)
    if actual.digest() != digest:
        raise NotThisEntryError("its SHA-256 is wrong")
    content.flags.writeable = False
    try:
        header = json.loads(content[:header_bytes].tobytes())
        if header["label"] != label:
            raise NotThisEntryError("it is another entry")
        return _arrays(content, header_bytes, header["arrays"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:  # its SHA-256 is right: somebody made it so
        raise NotThisEntryError(f"its header is none ({error})") from error


def _arrays(
    content: NDArray[np.uint8], start: int, described: list[tuple[str, str, list[int]]]
) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, kind, shape in described:
        dtype = np.dtype(kind)
        if dtype.kind not in _KINDS:
            raise NotThisEntryError(f"it holds an array of {dtype}")
        if not isinstance(name, str) or any(side < 0 for side in shape):
            raise NotThisEntryError(f"it holds an array {name!r} of shape {shape}")
        size = prod(shape) * dtype.itemsize
        arrays[name] = content[start : start + size].view(dtype).reshape(shape)
        start += size + _padding(size)
    if start != len(content):
        raise NotThisEntryError("its arrays do not fill it")
    return arrays


def _padding(size: int) -> int:
    return -size % _ALIGNMENT
