"""The picture files of a folder."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx.errors import FolderError, NoPicturesError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["PICTURE_SUFFIXES", "find_pictures"]

PICTURE_SUFFIXES = frozenset(
    {*(".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"), *(".gif", ".avif", ".jp2")}
    | {".pbm", ".pgm", ".ppm", ".pnm"}
)
"""Endings, in any case, of the files that are taken for pictures."""


def find_pictures(
    folder: str | os.PathLike[str],
    *,
    recursive: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[Path]:
    """The picture files of a folder, by their endings.

    Symbolic links are followed, each folder is gone through once however many links lead to it. What begins with a
    dot is left out.

    Args:
        folder: Where to look.
        recursive: Also in the folders within.
        include: Patterns such as "*.jpg" or "train/*", of which a file has to match one; none for every picture. Those
            with a slash are held against the path seen from `folder`, where `*` stands for slashes too; the others
            against the name alone. Case counts.
        exclude: Patterns of which a file may match none.

    Returns:
        Paths that begin with `folder`, sorted by the names of folders and files on the way.

    Raises:
        FolderError: The folder is not there, or may not be read.
        NoPicturesError: There is no such picture.
    """
    root = Path(folder)
    if not root.is_dir():
        reason = "it is a file" if root.exists() else "it is not there"
        raise FolderError(root, doing="looking for pictures", reason=reason)
    kept = [
        path
        for path in _files(root, recursive=recursive)
        if path.suffix.lower() in PICTURE_SUFFIXES
        and (not include or _matches(path.relative_to(root), include))
        and not _matches(path.relative_to(root), exclude)
    ]
    if not kept:
        raise NoPicturesError(
            root, suffixes=sorted(PICTURE_SUFFIXES), remedy=_remedy(root, recursive, include, exclude)
        )
    return sorted(kept, key=lambda path: path.parts)


def _files(root: Path, *, recursive: bool) -> Iterator[Path]:
    seen = {os.path.realpath(root)}
    waiting = [root]
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            raise FolderError(here, doing="looking for pictures", reason=str(error)) from error
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                place = os.path.realpath(entry.path)
                if recursive and place not in seen:
                    seen.add(place)
                    waiting.append(here / entry.name)
            else:  # links that lead nowhere are among them: reading one says so
                yield here / entry.name


def _matches(path: Path, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path.as_posix() if "/" in pattern else path.name, pattern) for pattern in patterns)


def _remedy(root: Path, recursive: bool, include: Sequence[str], exclude: Sequence[str]) -> str:  # noqa: FBT001 - told as they were given
    if include or exclude:
        return "Check the patterns to include and to exclude."
    if not recursive and any(path.suffix.lower() in PICTURE_SUFFIXES for path in _files(root, recursive=True)):
        return "There are some in the folders within: pass recursive=True (--recursive)."
    return "Check the path, or give the files one of these endings."
