"""What was found out about this machine and its files, kept in the cache folder so that it is not found out again."""

from __future__ import annotations

import functools
import json
import logging
import os
from typing import TYPE_CHECKING

from sam3_onnx._support.files import write_atomically
from sam3_onnx._support.folders import CACHE_VARIABLE, cache_folder
from sam3_onnx.errors import CacheFolderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["keep_notes", "read_notes"]

_LOG = logging.getLogger("sam3_onnx")
_MOST_BYTES = 4 << 20
"""Of a file that is read; the notes of a hundred models take 100 kB."""
_OTHERS_MAY_WRITE = 0o022


def read_notes(name: str) -> dict[str, object]:
    """Returns what was kept under the name of a file.

    Nothing is returned where there is no such file, where it is damaged, or where somebody else could have written it.
    """
    try:
        path = cache_folder() / name
        if not _is_ours(path):
            return {}
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError, CacheFolderError):  # the last two: nested too deep, and no home folder
        return {}
    return content if isinstance(content, dict) else {}


def keep_notes(name: str, notes: Mapping[str, object]) -> None:
    """Replaces what is kept under the name of a file; what cannot be kept is said once, in the log."""
    try:
        path = cache_folder() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(notes, indent=1, sort_keys=True).encode())
        path.chmod(0o600)
    except (OSError, CacheFolderError) as error:
        _say_once(str(error))


def _is_ours(path: Path) -> bool:
    status = path.stat()
    if status.st_size > _MOST_BYTES:
        return False
    return os.name == "nt" or (status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE)


@functools.cache
def _say_once(reason: str) -> None:
    _LOG.warning(
        "What is found out about providers and model files cannot be kept (%s), and is found out again by each "
        "process. Name a folder that can be written with %s.",
        reason,
        CACHE_VARIABLE,
    )
