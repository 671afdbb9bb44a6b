"""What freezers of programs ask a package for: the folder with its hook for PyInstaller."""

from __future__ import annotations

from pathlib import Path

__all__ = ["hook_folders"]


def hook_folders() -> list[str]:
    """Returns the folders with hooks; PyInstaller calls it through the entry point `pyinstaller40`, `hook-dirs`."""
    return [str(Path(__file__).parent / "pyinstaller")]
