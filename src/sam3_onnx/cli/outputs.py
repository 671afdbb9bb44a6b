"""Checks of the places where a command is asked to write its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors import OptionError, OutputExistsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["require_folder", "require_free"]


def require_folder(folder: Path) -> None:
    """Lets a folder pass, and a path at which one can be made.

    Raises:
        OptionError: A file lies there, or where a folder above it would be.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise OptionError("-o", expected="a folder", got=str(there), remedy="That is a file: name another place.")


def require_free(targets: Iterable[Path], *, picture: Path, overwrite: bool) -> None:
    """Lets paths pass to which results may be written.

    Args:
        targets: The files to be written.
        picture: What is read, and never replaced.
        overwrite: Whether other files may be replaced.

    Raises:
        OutputExistsError: A file is in the way.
    """
    for path in targets:
        if not path.exists():
            continue
        if path.samefile(picture):
            remedy = "It is the picture itself: name another folder with -o."
            raise OutputExistsError(path, remedy=remedy)
        if not overwrite:
            raise OutputExistsError(path, remedy="Pass --overwrite to replace it, or name another folder with -o.")
