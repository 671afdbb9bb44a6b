"""The state of the files of a model on this disk."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Literal, TypeAlias

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.files import is_inside
from sam3_onnx._support.folders import LOCK_NAME, cache_folder, free_bytes
from sam3_onnx._support.units import in_bytes
from sam3_onnx.errors import (
    CacheFolderError,
    DiskFullError,
    ModelFileChangedError,
    OptionError,
    Sam3Error,
    WebPageError,
)
from sam3_onnx.hub.progress import meter
from sam3_onnx.hub.records import RECORDS_NAME, read_records, record_of, write_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

    from sam3_onnx.hub.progress import ProgressChoice
    from sam3_onnx.hub.records import Record
    from sam3_onnx.hub.registry import PublishedFile, PublishedModel

__all__ = [
    "FileState",
    "LocalFile",
    "discard",
    "examine",
    "file_sha256",
    "folder_of",
    "local_files",
    "looks_like_page",
    "make_folder",
    "named_faults",
    "notes_of",
    "part_of",
    "remember",
    "require_space",
]

FileState: TypeAlias = Literal["verified", "unverified", "partial", "missing"]
"""State of a file on this disk: "verified" is complete and recorded; "unverified" exists and will be hashed when the
model is next opened; "partial" is an incomplete download."""

SPARE_BYTES = 64 << 20
"""Bytes that a download leaves free on the disk."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<?xml", b"<!--")
_SNIFFED = 64
_PART, _NOTES = ".part", ".part.json"
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class LocalFile:
    """A published file and its state on this disk."""

    published: PublishedFile
    path: Path
    """Path of the file, whether it exists or not."""
    state: FileState
    size: int
    """Size on this disk in bytes, also of an incomplete download."""


def folder_of(model: PublishedModel, folder: str | PathLike[str] | None = None) -> Path:
    """Returns the folder of a model's files: `folder` if passed, else one with the model's name in the cache folder.

    Raises:
        OptionError: `folder` is not a path, or the name of the model is a path outside the cache folder.
    """
    if model.bundled:
        return Path(str(files("sam3_onnx"))) / "data" / model.name
    if folder is not None:
        return require_path("folder", folder)
    if not (is_inside(model.name) and len(PureWindowsPath(model.name).parts) == 1):
        raise OptionError("PublishedModel.name", expected="a name without a folder", got=model.name)
    return cache_folder() / "models" / model.name


def part_of(path: Path) -> Path:
    """Returns the path of a file during its download, until it is complete and verified."""
    return path.with_name(f"{path.name}{_PART}")


def notes_of(path: Path) -> Path:
    """Returns the path at which the ETag of an incomplete download is stored for a later attempt."""
    return path.with_name(f"{path.name}{_NOTES}")


def discard(path: Path) -> None:
    """Removes an incomplete download of a file, but not the file itself."""
    part_of(path).unlink(missing_ok=True)
    notes_of(path).unlink(missing_ok=True)


def local_files(model: PublishedModel, folder: Path) -> tuple[LocalFile, ...]:
    """Returns the state of each file of a model in a folder, without hashing.

    Raises:
        CacheFolderError: The folder or its records cannot be read.
        OptionError: The name of a file is a path outside the folder.
    """
    _require_names(model)
    with named_faults(folder):
        records = read_records(folder)
        return tuple(_local(file, folder, records.get(file.name), bundled=model.bundled) for file in model.files)


def _require_names(model: PublishedModel) -> None:
    """Checks that file names do not lead out of the folder of the model, and are not used for other files there."""
    taken = {LOCK_NAME, RECORDS_NAME}
    for file in model.files:
        name = file.name
        plain = is_inside(name) and len(PureWindowsPath(name).parts) == 1 and ":" not in name and name.isprintable()
        if not plain or name.lower() in taken or name.lower().endswith((_PART, _NOTES)):
            expected = f"a file name without a folder, unique in {model.name} and not used by the library itself"
            raise OptionError("PublishedFile.name", expected=expected, got=name)
        taken.add(name.lower())


def _local(file: PublishedFile, folder: Path, record: Record | None, *, bundled: bool) -> LocalFile:
    path = folder / file.name
    if path.is_file():
        status = path.stat()
        trusted = record is not None and record.describes(status) and file.sha256 in {None, record.sha256}
        return LocalFile(file, path, "verified" if bundled or trusted else "unverified", status.st_size)
    if part_of(path).is_file():
        return LocalFile(file, path, "partial", part_of(path).stat().st_size)
    return LocalFile(file, path, "missing", 0)


def examine(
    file: PublishedFile,
    folder: Path,
    record: Record | None,
    *,
    progress: ProgressChoice = False,
    stop: Callable[[], None] | None = None,
) -> Record:
    """Hashes a file and compares the hash with the published one, or with the first recorded one.

    Args:
        file: The published file.
        folder: Folder of the file.
        record: Record of an earlier verification; None for the first one.
        progress: How to show the progress.
        stop: Function that is called repeatedly, and raises an error to end the work.

    Returns:
        The new record. The first hash of a file without a published hash is accepted.

    Raises:
        ModelFileChangedError: The hash differs.
        WebPageError: The file is a web page that was saved instead of the model file.
    """
    path = folder / file.name
    with path.open("rb") as content:
        head = content.read(_SNIFFED)
    if looks_like_page(head):
        raise WebPageError(str(path), url=file.url or "the package", begins=head[:_SNIFFED].decode("latin-1"))
    status = path.stat()
    with meter(f"verifying {file.name}", total=status.st_size, progress=progress) as moved:
        got = file_sha256(path, moved=moved, stop=stop)
    if file.sha256 is not None and got != file.sha256:
        expected = f"SHA-256 {file.sha256}" + (f", {file.size} bytes" if file.size is not None else "")
        raise ModelFileChangedError(
            path, expected=expected, got=f"{got}, {status.st_size} bytes", known_from="as published"
        )
    if file.sha256 is None and record is not None and got != record.sha256:
        expected = f"SHA-256 {record.sha256}, {record.size} bytes"
        known_from = f"as recorded on {record.verified}"
        raise ModelFileChangedError(
            path, expected=expected, got=f"{got}, {status.st_size} bytes", known_from=known_from
        )
    return record_of(status, got)


def remember(folder: Path, new: Mapping[str, Record]) -> None:
    """Adds records to those of a folder. The caller must hold the lock of the folder.

    Raises:
        CacheFolderError: The records cannot be written.
    """
    with named_faults(folder):
        write_records(folder, {**read_records(folder), **new})


def file_sha256(
    path: Path, *, moved: Callable[[int, int | None], None] | None = None, stop: Callable[[], None] | None = None
) -> str:
    """Returns the SHA-256 of a file in hexadecimal.

    Args:
        path: The file.
        moved: Function that is called with the bytes so far and the size in bytes.
        stop: Function that is called repeatedly, and raises an error to end the work.
    """
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as content:
        size = os.fstat(content.fileno()).st_size
        while piece := content.read(_PIECE_BYTES):
            if stop is not None:
                stop()
            digest.update(piece)
            done += len(piece)
            if moved is not None:
                moved(done, size)
    return digest.hexdigest()


def looks_like_page(head: bytes) -> bool:
    """Returns whether a file starts like HTML or XML; "<" alone is not enough, because weights may start with it."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE_STARTS)


def make_folder(folder: Path) -> None:
    """Creates the folder of a model if it does not exist.

    Raises:
        CacheFolderError: The folder cannot be created.
    """
    with named_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)


def require_space(folder: Path, needed: int) -> None:
    """Checks that the disk has enough free space for a download.

    Args:
        folder: Folder of the download.
        needed: Number of bytes to download.

    Raises:
        DiskFullError: Less than `needed` plus SPARE_BYTES is free.
    """
    with named_faults(folder):
        free = free_bytes(folder)
    if needed + SPARE_BYTES > free:
        raise DiskFullError(folder, needed=f"{in_bytes(needed)} and {in_bytes(SPARE_BYTES)} spare", free=in_bytes(free))


@contextlib.contextmanager
def named_faults(folder: Path) -> Iterator[None]:
    """Converts errors of the file system to errors of the library.

    Raises:
        DiskFullError: The disk or a quota is full.
        CacheFolderError: Any other error occurred.
    """
    try:
        yield
    except Sam3Error:
        raise
    except OSError as error:
        if error.errno in _FULL:
            free = in_bytes(free_bytes(folder))
            raise DiskFullError(folder, needed="more than is free", free=free) from error
        where = f" ({error.filename})" if error.filename else ""
        raise CacheFolderError(folder, reason=f"{error.strerror or error}{where}") from error
