"""The cache folder, and what a folder's disk has left."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import platformdirs

from sam3_onnx.errors import CacheFolderError

__all__ = ["CACHE_VARIABLE", "LOCK_NAME", "cache_folder", "free_bytes"]

CACHE_VARIABLE = "SAM3_ONNX_CACHE"
"""Environment variable that names another cache folder."""
LOCK_NAME = ".lock"
"""Name of the lock file in a folder that processes share. It is empty, and stays where it is."""


def cache_folder() -> Path:
    """The folder that CACHE_VARIABLE names, or else the user's cache folder on this system; it may not exist yet.

    Returns:
        An absolute path.

    Raises:
        CacheFolderError: It would lie in the user's home folder, and there is none.
    """
    named = os.environ.get(CACHE_VARIABLE)
    folder = Path(os.path.expanduser(named or _usual_folder()))  # noqa: PTH111 - Path.expanduser raises without a home
    if folder.parts[:1] == ("~",):
        raise CacheFolderError(folder, reason="this process has no home folder")
    return folder.absolute()


def _usual_folder() -> str:
    """The user's cache folder on this system, which begins with `~` where there is no home folder."""
    try:
        return platformdirs.user_cache_dir("sam3-onnx", appauthor=False)
    except RuntimeError:  # what newer releases of platformdirs raise for it
        return "~/.cache/sam3-onnx"


def free_bytes(folder: Path) -> int:
    """Returns how many bytes are free on the disk that a folder is on, or will be on once it is made.

    Raises:
        OSError: The disk does not tell.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free
