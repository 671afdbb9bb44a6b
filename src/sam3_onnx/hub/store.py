"""The state of a model's files on this disk."""

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
"""Of a file on this disk: "verified" is whole and as recorded; "unverified" is there and will be hashed when the model
is next opened; "partial" is a download that broke off."""

SPARE_BYTES = 64 << 20
"""What a download leaves free on the disk."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<?xml", b"<!--")
_SNIFFED = 64
_PART, _NOTES = ".part", ".part.json"
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class LocalFile:
    """A published file and what of it is on this disk."""

    published: PublishedFile
    path: Path
    """Where it lies or belongs."""
    state: FileState
    size: int
    """Bytes on this disk, also of a broken-off download."""


def folder_of(model: PublishedModel, folder: str | PathLike[str] | None = None) -> Path:
    """The folder of a model's files: `folder` if it is given, else one by the model's name in the cache folder.

    Raises:
        OptionError: `folder` is no path, or the model's name leads out of the cache folder.
    """
    if model.bundled:
        return Path(str(files("sam3_onnx"))) / "data" / model.name
    if folder is not None:
        return require_path("folder", folder)
    if not (is_inside(model.name) and len(PureWindowsPath(model.name).parts) == 1):
        raise OptionError("PublishedModel.name", expected="a name without a folder", got=model.name)
    return cache_folder() / "models" / model.name


def part_of(path: Path) -> Path:
    """Where a file grows until it is whole and verified."""
    return path.with_name(f"{path.name}{_PART}")


def notes_of(path: Path) -> Path:
    """Where the ETag of what is growing is kept, for a later attempt."""
    return path.with_name(f"{path.name}{_NOTES}")


def discard(path: Path) -> None:
    """Removes what has come of a file so far, but for the file itself."""
    part_of(path).unlink(missing_ok=True)
    notes_of(path).unlink(missing_ok=True)


def local_files(model: PublishedModel, folder: Path) -> tuple[LocalFile, ...]:
    """Returns what of each file of a model is in a folder; nothing is hashed.

    Raises:
        CacheFolderError: The folder or its records cannot be read.
        OptionError: A file would not lie in the folder under its name.
    """
    _require_names(model)
    with named_faults(folder):
        records = read_records(folder)
        return tuple(_local(file, folder, records.get(file.name), bundled=model.bundled) for file in model.files)


def _require_names(model: PublishedModel) -> None:
    """Refuses names of files that lead out of the model's folder, or are in use there."""
    taken = {LOCK_NAME, RECORDS_NAME}
    for file in model.files:
        name = file.name
        plain = is_inside(name) and len(PureWindowsPath(name).parts) == 1 and ":" not in name and name.isprintable()
        if not plain or name.lower() in taken or name.lower().endswith((_PART, _NOTES)):
            expected = f"a file name, without a folder, that {model.name} uses once and this library does not"
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
    """Hashes a file and holds it against what was published, or else what was seen first.

    Args:
        file: As published.
        folder: Where it lies.
        record: Of an earlier look; None at the first one.
        progress: Who hears how far it is.
        stop: Asked again and again; raises to end it.

    Returns:
        The record of this look. A file without a published hash is taken as it is at the first one.

    Raises:
        ModelFileChangedError: It is another file.
        WebPageError: It is a web page, saved in place of the file.
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
    """Adds records to those of a folder. The caller holds the folder's lock.

    Raises:
        CacheFolderError: They cannot be written.
    """
    with named_faults(folder):
        write_records(folder, {**read_records(folder), **new})


def file_sha256(
    path: Path, *, moved: Callable[[int, int | None], None] | None = None, stop: Callable[[], None] | None = None
) -> str:
    """The SHA-256 of a file in hexadecimal.

    Args:
        path: The file.
        moved: Called with the bytes so far and the size in bytes.
        stop: Asked again and again; raises to end it.
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
    """Whether a file begins as HTML or XML does. A lone "<" does not tell: weights may begin with that byte."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE_STARTS)


def make_folder(folder: Path) -> None:
    """Makes a model's folder, if it is not there.

    Raises:
        CacheFolderError: It cannot be made.
    """
    with named_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)


def require_space(folder: Path, needed: int) -> None:
    """Sees to it that a download fits.

    Args:
        folder: Where it goes.
        needed: Bytes yet to come.

    Raises:
        DiskFullError: Less than that and SPARE_BYTES is free.
    """
    with named_faults(folder):
        free = free_bytes(folder)
    if needed + SPARE_BYTES > free:
        raise DiskFullError(folder, needed=f"{in_bytes(needed)} and {in_bytes(SPARE_BYTES)} spare", free=in_bytes(free))


@contextlib.contextmanager
def named_faults(folder: Path) -> Iterator[None]:
    """Turns what the file system refuses into errors of this library.

    Raises:
        DiskFullError: The disk, or a quota, is full.
        CacheFolderError: Anything else.
    """
    try:
        yield
    except Sam3Error:
        raise
    except OSError as error:
        if error.errno in _FULL:
            free = in_bytes(free_bytes(folder))
            raise DiskFullError(folder, needed="more than there is", free=free) from error
        where = f" ({error.filename})" if error.filename else ""
        raise CacheFolderError(folder, reason=f"{error.strerror or error}{where}") from error
