"""Records of verified model files, so that gigabytes are not hashed at every opening."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from sam3_onnx._support.files import require_plain, write_atomically
from sam3_onnx.errors import CacheFolderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["RECORDS_NAME", "Record", "read_records", "record_of", "write_records"]

RECORDS_NAME = "verified.json"
"""File name of the records in the folder of a model."""
_LARGEST_BYTES = 1 << 20
"""Maximum size of a records file in bytes; records of six files take 2 kB."""
_SHA256 = re.compile("[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Record:
    """State of a file at the time when it was hashed."""

    size: int
    """Size in bytes."""
    mtime_ns: int
    """Time of the last change in nanoseconds since 1970, from the file system."""
    sha256: str
    """Hexadecimal."""
    verified: str
    """Time of hashing as ISO 8601 in UTC."""

    def describes(self, status: os.stat_result) -> bool:
        """Returns whether a file still has the recorded size and time of change."""
        return (self.size, self.mtime_ns) == (status.st_size, status.st_mtime_ns)


def record_of(status: os.stat_result, sha256: str) -> Record:
    """Returns the record of a file that has just been hashed.

    Args:
        status: File status from before hashing, so that a change in the meantime is detected.
        sha256: Hash in hexadecimal.
    """
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Record(status.st_size, status.st_mtime_ns, sha256, now)


def read_records(folder: Path) -> dict[str, Record]:
    """Returns the records of a folder by file name; empty if no file has been verified.

    Records that another user may have written are ignored, so that the files are hashed again.

    Raises:
        CacheFolderError: The records cannot be read.
    """
    path = folder / RECORDS_NAME
    try:
        require_plain(path)
        status = path.stat()
        with path.open("rb") as file:
            entries: dict[str, dict[str, object]] = json.loads(file.read(_LARGEST_BYTES))["files"]
        records = {name: _record(entry) for name, entry in entries.items()}
        return records if _is_our_own(status) else {name: replace(one, mtime_ns=-1) for name, one in records.items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CacheFolderError(folder, reason=f"{RECORDS_NAME} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{RECORDS_NAME}, which contains the hashes of its files, is damaged; delete it if you trust the files"
        raise CacheFolderError(folder, reason=reason) from error


def _record(entry: Mapping[str, object]) -> Record:
    size, mtime_ns, sha256, verified = (entry[key] for key in ("size", "mtime_ns", "sha256", "verified"))
    if not (isinstance(size, int) and isinstance(mtime_ns, int)):
        raise TypeError("size and mtime_ns are integers")
    if not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise TypeError("sha256 is hexadecimal")
    return Record(size, mtime_ns, sha256, str(verified))


def _is_our_own(status: os.stat_result) -> bool:
    """Returns whether only this user or an administrator can have written a file."""
    if not hasattr(os, "geteuid"):
        return True  # Windows protects files by access lists, which `stat` does not show
    return status.st_uid in {os.geteuid(), 0} and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def write_records(folder: Path, records: Mapping[str, Record]) -> None:
    """Replaces the records of a folder atomically.

    Raises:
        OSError: The folder is not writable, or the disk is full.
    """
    content = {"files": {name: asdict(record) for name, record in sorted(records.items())}}
    path = folder / RECORDS_NAME
    require_plain(path)
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode(), mode=0o644)
