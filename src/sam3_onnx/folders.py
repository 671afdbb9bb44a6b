"""Where the library keeps what it downloads and what it has learnt about this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["CACHE_VARIABLE", "cache_folder"]

CACHE_VARIABLE = "SAM3_ONNX_CACHE"
"""Environment variable that names another cache folder."""


def cache_folder() -> Path:
    """The folder that CACHE_VARIABLE names, or else the user's cache folder on this system; it may not exist yet."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("sam3-onnx", appauthor=False))
