"""The cache folder, and what a folder's disk has left."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CACHE_VARIABLE", "LOCK_NAME", "cache_folder", "free_bytes", "parents_made"]

CACHE_VARIABLE = "SAM3_ONNX_CACHE"
"""Environment variable that names another cache folder."""
LOCK_NAME = ".lock"
"""Name of the lock file in a folder that processes share. It is empty, and stays where it is."""


def cache_folder() -> Path:
    """The folder that CACHE_VARIABLE names, or else the user's cache folder on this system; it may not exist yet."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("sam3-onnx", appauthor=False))


def free_bytes(folder: Path) -> int:
    """Returns how many bytes are free on the disk that a folder is on, or will be on once it is made.

    Raises:
        OSError: The disk does not tell.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


@contextlib.contextmanager
def parents_made(path: Path) -> Iterator[None]:
    """Makes the folders above a path; those that were not there go again if the block raises.

    Raises:
        OSError: They cannot be made.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # somebody else has put something there
            for folder in missing:
                folder.rmdir()
        raise
