"""The state of a model's files on this disk."""

from __future__ import annotations

import contextlib
import errno
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from sam3_onnx._support.folders import cache_folder, free_bytes
from sam3_onnx._support.units import in_bytes
from sam3_onnx.errors import CacheFolderError, DiskFullError, ModelFileChangedError, Sam3Error, WebPageError
from sam3_onnx.hub.records import read_records, record_of, write_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

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
    """The folder of a model's files: `folder` if it is given, else one by the model's name in the cache folder."""
    if model.bundled:
        return Path(str(files("sam3_onnx"))) / "data" / model.name
    return Path(folder).expanduser() if folder is not None else cache_folder() / "models" / model.name


def part_of(path: Path) -> Path:
    """Where a file grows until it is whole and verified."""
    return path.with_name(f"{path.name}.part")


def notes_of(path: Path) -> Path:
    """Where the ETag of what is growing is kept, for a later attempt."""
    return path.with_name(f"{path.name}.part.json")


def discard(path: Path) -> None:
    """Removes what has come of a file so far, but for the file itself."""
    part_of(path).unlink(missing_ok=True)
    notes_of(path).unlink(missing_ok=True)


def local_files(model: PublishedModel, folder: Path) -> tuple[LocalFile, ...]:
    """Returns what of each file of a model is in a folder; nothing is hashed.

    Raises:
        CacheFolderError: The folder or its records cannot be read.
    """
    with named_faults(folder):
        records = read_records(folder)
        return tuple(_local(file, folder, records.get(file.name), bundled=model.bundled) for file in model.files)


def _local(file: PublishedFile, folder: Path, record: Record | None, *, bundled: bool) -> LocalFile:
    path = folder / file.name
    if path.is_file():
        status = path.stat()
        trusted = record is not None and record.describes(status) and file.sha256 in {None, record.sha256}
        return LocalFile(file, path, "verified" if bundled or trusted else "unverified", status.st_size)
    if part_of(path).is_file():
        return LocalFile(file, path, "partial", part_of(path).stat().st_size)
    return LocalFile(file, path, "missing", 0)


def examine(file: PublishedFile, folder: Path, record: Record | None) -> Record:
    """Hashes a file and holds it against what was published, or else what was seen first.

    Args:
        file: As published.
        folder: Where it lies.
        record: Of an earlier look; None at the first one.

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
    got = file_sha256(path)
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


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    import pooch  # noqa: PLC0415 - opening what has been verified needs none of it

    return str(pooch.file_hash(str(path), alg="sha256"))


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
