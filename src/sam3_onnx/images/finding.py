"""The picture files of a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_flag, require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import FolderError, NoPicturesError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["PICTURE_SUFFIXES", "find_left_out", "find_pictures", "is_pillows_own", "picture_suffixes"]

PICTURE_SUFFIXES = frozenset(
    {*(".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo"), *(".png", ".apng"), ".webp", ".gif"}
    | {*(".bmp", ".dib"), *(".tif", ".tiff", ".btf", ".tf8"), *(".avif", ".avifs")}
    | {*(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"), *(".pbm", ".pgm", ".ppm", ".pnm")}
)
"""Endings, in any case, of the files that are taken for pictures; those that plug-ins of Pillow add come to them."""

_OTHER_PICTURES = frozenset(
    {*(".heic", ".heif", ".hif", ".heics", ".heifs", ".jxl", ".jxr", ".wdp", ".hdp", ".jps", ".jpm", ".jph", ".bpg")}
    | {*(".raw", ".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".orf", ".rw2", ".raf", ".pef")}
    | {*(".srw", ".x3f", ".psd", ".psb", ".xcf", ".kra", ".ora", ".ai", ".eps", ".ps", ".svg", ".svgz", ".wmf", ".emf")}
    | {*(".ico", ".cur", ".icns", ".tga", ".pcx", ".dcx", ".sgi", ".ras", ".sun", ".xbm", ".xpm", ".qoi", ".dds")}
    | {*(".pam", ".pfm", ".hdr", ".pic", ".pict", ".exr", ".dcm", ".dicom", ".fits", ".fit", ".fts", ".nii", ".djvu")}
)
"""Endings of pictures that are not read."""


def picture_suffixes() -> frozenset[str]:
    """Endings of the files that are taken for pictures now: `PICTURE_SUFFIXES`, and those of plug-ins of Pillow.

    A plug-in counts from when the program has registered it; Pillow's own further formats do not.
    """
    pillow = sys.modules.get("PIL.Image")
    if pillow is None:
        return PICTURE_SUFFIXES
    added = {name for name, (factory, _) in pillow.OPEN.items() if not is_pillows_own(factory)}
    return PICTURE_SUFFIXES | {suffix.lower() for suffix, name in pillow.EXTENSION.items() if name in added}


def is_pillows_own(factory: object) -> bool:
    """Tells whether what opens a format came with Pillow."""
    return getattr(factory, "__module__", "").startswith("PIL.")


@known_keywords()
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
    root = require_path("folder", folder)
    _require_search(recursive, include, exclude)
    if not root.is_dir():
        reason = "it is a file" if root.exists() else "it is not there"
        raise FolderError(root, doing="looking for pictures", reason=reason)
    suffixes = picture_suffixes()
    kept = _of_endings(root, suffixes, recursive=recursive, include=include, exclude=exclude)
    if not kept:
        remedy = _remedy(root, suffixes, recursive, include, exclude)
        raise NoPicturesError(root, suffixes=sorted(suffixes), remedy=remedy)
    return kept


@known_keywords()
def find_left_out(
    folder: str | os.PathLike[str],
    *,
    recursive: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[Path]:
    """The files of a folder that look like pictures by their endings and are not read, as raw files of cameras.

    Args:
        folder: Where to look.
        recursive: Also in the folders within.
        include: As for `find_pictures`.
        exclude: As for `find_pictures`.

    Returns:
        Paths that begin with `folder`, sorted by the names of folders and files on the way; empty for none.

    Raises:
        FolderError: A folder may not be read.
    """
    suffixes = _OTHER_PICTURES - picture_suffixes()
    root = require_path("folder", folder)
    _require_search(recursive, include, exclude)
    return _of_endings(root, suffixes, recursive=recursive, include=include, exclude=exclude)


def _require_search(recursive: object, include: object, exclude: object) -> None:
    require_flag("recursive", recursive)
    for name, patterns in (("include", include), ("exclude", exclude)):
        named = patterns if isinstance(patterns, Collection) and not isinstance(patterns, str | bytes) else [None]
        if not all(isinstance(pattern, str) for pattern in named):
            raise OptionError(name, expected='a list of patterns, such as ["*.jpg"]', got=patterns)


def _of_endings(
    root: Path, suffixes: frozenset[str], *, recursive: bool, include: Sequence[str], exclude: Sequence[str]
) -> list[Path]:
    found = [
        path
        for path in _files(root, recursive=recursive)
        if path.suffix.lower() in suffixes
        and (not include or _matches(path.relative_to(root), include))
        and not _matches(path.relative_to(root), exclude)
    ]
    return sorted(found, key=lambda path: path.parts)


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
            if _is_folder(entry):
                place = os.path.realpath(entry.path)
                if recursive and place not in seen:
                    seen.add(place)
                    waiting.append(here / entry.name)
            else:  # links that lead nowhere are among them: reading one says so
                yield here / entry.name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself: reading it as a file says so
        return False


def _matches(path: Path, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path.as_posix() if "/" in pattern else path.name, pattern) for pattern in patterns)


def _remedy(
    root: Path,
    suffixes: frozenset[str],
    recursive: bool,  # noqa: FBT001 - told as they were given
    include: Sequence[str],
    exclude: Sequence[str],
) -> str:
    if include or exclude:
        return "Check the patterns to include and to exclude."
    if not recursive and any(path.suffix.lower() in suffixes for path in _files(root, recursive=True)):
        return "There are some in the folders within: pass recursive=True (--recursive)."
    if left_out := find_left_out(root, recursive=recursive):
        return f"There are {len(left_out)} of formats that are not read, such as {left_out[0].name}: convert them."
    return "Check the path, or give the files one of these endings."
