"""Checks of the places where a command is asked to write its results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.files import require_writable
from sam3_onnx.errors import OptionError, OutputExistsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["require_file", "require_folder", "require_free"]

_ENDINGS = frozenset({".json", ".jsonl", ".txt", ".xml", ".csv", ".yaml", ".yml", ".png", ".jpg", ".jpeg", ".zip"})
"""Endings of files, which no folder of results has."""


def require_folder(folder: Path, *, option: str = "-o") -> None:
    """Lets a folder pass in which files can be made, and a path at which there can be such a folder.

    Args:
        folder: Where results go.
        option: What names it, for messages.

    Raises:
        OptionError: It is named as a file is; a file lies there, or where a folder above it would be; or nothing can be
            written there.
    """
    if folder.suffix.lower() in _ENDINGS and not folder.is_dir():
        remedy = f"Results are written into it, under names of their own: {option} {folder.with_suffix('')}."
        raise OptionError(option, expected="a folder", got=str(folder), remedy=remedy)
    there = next((path for path in (folder, *folder.absolute().parents) if os.path.lexists(path)), folder)
    if not there.is_dir():
        what = "a link that leads nowhere" if there.is_symlink() else "a file" if there.exists() else "not there"
        raise OptionError(option, expected="a folder", got=str(there), remedy=f"That is {what}: name another place.")
    try:
        require_writable(there)
    except OSError as error:
        remedy = f"The system says: {error.strerror}. Change its permissions, or name another place."
        raise OptionError(option, expected="a folder that can be written to", got=str(there), remedy=remedy) from error


def require_file(path: Path, *, option: str, endings: Collection[str], overwrite: bool) -> None:
    """Lets a path pass at which a file can be written.

    Args:
        path: The file.
        option: What names it, for messages.
        endings: Those that it may have.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        OptionError: It has another ending, or no file can be made there.
        OutputExistsError: There is a file, and it may not be replaced.
    """
    if path.suffix.lower() not in endings:
        raise OptionError(option, expected=f"a file that ends in {', '.join(endings)}", got=str(path))
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise OptionError(option, expected="a file in a folder that is there", got=str(path))
    require_folder(path.absolute().parent, option=option)
    if path.exists() and not overwrite:
        remedy = f"Pass --overwrite to replace it, or name another file with {option}."
        raise OutputExistsError(path, remedy=remedy)


def require_free(targets: Iterable[Path], *, picture: Path, overwrite: bool) -> None:
    """Lets paths pass to which results may be written.

    Args:
        targets: The files to be written.
        picture: What is read, and never replaced.
        overwrite: Whether other files may be replaced.

    Raises:
        OutputExistsError: Something is in the way.
        OptionError: A link leads to a folder in which nothing can be written.
    """
    for path in targets:
        if not os.path.lexists(path):
            continue
        remedy = _way_out(path, picture, overwrite=overwrite)
        if remedy:
            raise OutputExistsError(path, remedy=remedy)
        if path.is_symlink():
            require_folder(Path(os.path.realpath(path)).parent)


def _way_out(path: Path, picture: Path, *, overwrite: bool) -> str:
    """Returns what to do about what is there, or nothing if it may be replaced."""
    if not path.exists():
        return "It is a link that leads nowhere: remove it, or name another folder with -o."
    if path.is_dir():
        return "It is a folder: name another folder with -o."
    if path.samefile(picture):
        return "It is the picture itself: name another folder with -o."
    if not overwrite:
        return "Pass --overwrite to replace it, or name another folder with -o."
    if not os.access(path, os.W_OK):
        return "It is write-protected: change its permissions, or name another folder with -o."
    return ""
