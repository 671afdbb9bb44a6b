"""SHA-256 of model files: taken once, and remembered for as long as a file is the same."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

from sam3_onnx._support.notes import keep_notes, read_notes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["known_hashes", "sha256_of_files"]

_FILE = "hashes.json"
_CHUNK = 1 << 20
_SETTLED_NS = 2_000_000_000
"""Age that a change has to have when a file is hashed, for the hash to be remembered: FAT counts time in steps of two
seconds, and a second change within one step would look like the first."""
_seen: dict[str, str] = {}
"""Of this process: hashes by what `_identity` says of a file."""


def known_hashes(paths: Iterable[Path]) -> list[str] | None:
    """Returns the hashes of files if all of them are remembered; reads none of the files.

    Args:
        paths: Absolute.

    Raises:
        OSError: A file cannot be looked at.
    """
    identities = [_identity(path, path.stat()) for path in paths]
    if not all(identity in _seen for identity in identities):
        _seen.update({key: value for key, value in read_notes(_FILE).items() if isinstance(value, str)})
    hashes = [_seen.get(identity) for identity in identities]
    known = [value for value in hashes if value is not None]
    return known if len(known) == len(hashes) else None


def sha256_of_files(paths: Iterable[Path]) -> list[str]:
    """Reads the files that are not remembered, about a second for each gigabyte, and remembers them.

    Args:
        paths: Absolute.

    Returns:
        SHA-256 of each, hexadecimal.

    Raises:
        OSError: A file cannot be read.
    """
    hashes, new = [], {}
    for path in paths:
        status = path.stat()
        identity = _identity(path, status)
        sha256 = _seen.get(identity) or _sha256(path)
        hashes.append(sha256)
        is_settled = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS
        if identity not in _seen and is_settled and _identity(path, path.stat()) == identity:
            new[identity] = sha256
    if new:
        _seen.update(new)
        keep_notes(_FILE, {**_of_present_files(read_notes(_FILE)), **new})
    return hashes


def _identity(path: Path, status: os.stat_result) -> str:
    """What changes whenever a file does, also where somebody sets its time of change back."""
    numbers = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
    return " ".join((*map(str, numbers), os.fsdecode(path).encode("unicode_escape").decode()))


def _of_present_files(notes: dict[str, object]) -> dict[str, object]:
    """Notes without those of files that are gone, so that their number stays small."""
    return {identity: value for identity, value in notes.items() if os.path.exists(_path_in(identity))}  # noqa: PTH110 - of any text


def _path_in(identity: str) -> str:
    return identity.split(" ", 5)[-1].encode().decode("unicode_escape")


def _sha256(path: Path) -> str:
    digest, chunk = hashlib.sha256(), memoryview(bytearray(_CHUNK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(chunk):
            digest.update(chunk[:count])
    return digest.hexdigest()
