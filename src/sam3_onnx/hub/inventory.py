"""The files of a model on this disk: where they are, their verification, and their removal."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.files import require_plain
from sam3_onnx._support.folders import LOCK_NAME
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import CacheFolderError, ModelFileMissingError, OptionError
from sam3_onnx.hub.progress import say
from sam3_onnx.hub.records import RECORDS_NAME, read_records
from sam3_onnx.hub.registry import PublishedModel, find_model
from sam3_onnx.hub.stopping import Stop
from sam3_onnx.hub.store import examine, folder_of, local_files, named_faults, notes_of, part_of, remember

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from os import PathLike
    from pathlib import Path

    from filelock import BaseFileLock

    from sam3_onnx.hub.progress import ProgressChoice
    from sam3_onnx.hub.records import Record
    from sam3_onnx.hub.registry import PublishedFile
    from sam3_onnx.hub.store import LocalFile

__all__ = ["Whereabouts", "hash_and_record", "held", "remove", "settle", "verify", "where"]

_LOCK_SECONDS = 0.1


@dataclass(frozen=True)
class Whereabouts:
    """Where a model lies or belongs."""

    model: PublishedModel
    folder: Path
    files: tuple[LocalFile, ...]
    """Every file that it needs, with what of it is there."""

    @property
    def state(self) -> str:
        """One of "bundled", "complete", "not verified" (hashed when it is next opened), "incomplete", "absent"."""
        states = {file.state for file in self.files}
        if self.model.bundled:
            return "bundled"
        if states == {"verified"}:
            return "complete"
        if states <= {"verified", "unverified"}:
            return "not verified"
        return "absent" if states == {"missing"} else "incomplete"


@known_keywords()
def where(model: str | PublishedModel, *, folder: str | PathLike[str] | None = None) -> Whereabouts:
    """Tells where a model's files lie or belong, and which are there. Nothing is hashed or fetched.

    Args:
        model: A name of `list_models`, or an entry of your own.
        folder: As in `pull`.

    Raises:
        UnknownModelError: No model has this name.
        CacheFolderError: The folder cannot be read.
    """
    published = model if isinstance(model, PublishedModel) else find_model(model)
    target = folder_of(published, folder)
    return Whereabouts(published, target, local_files(published, target))


@known_keywords()
def verify(
    model: str | PublishedModel,
    *,
    folder: str | PathLike[str] | None = None,
    progress: ProgressChoice = True,
    cancel: threading.Event | None = None,
) -> dict[str, str]:
    """Hashes every file of a model, whatever has been recorded.

    Args:
        model: A name of `list_models`, or an entry of your own.
        folder: As in `pull`.
        progress: As in `pull`.
        cancel: As in `pull`.

    Returns:
        The SHA-256 of each file by its name: as published, or else as seen first.

    Raises:
        UnknownModelError: No model has this name.
        CancelledError: `cancel` was set.
        ModelFileMissingError: A file is not there.
        ModelFileChangedError: A file is not the published one, or not the one seen first.
        WebPageError: A web page lies in place of a file.
        CacheFolderError: The folder cannot be read, or a file seen for the first time cannot be recorded.
    """
    stop = Stop(cancel)
    found = where(model, folder=folder)
    for file in found.files:
        if file.state in {"missing", "partial"}:
            remedy = f"Run sam3-onnx models pull {found.model.name}, or place it there by hand."
            raise ModelFileMissingError(file.path, role=f"file {file.published.name}", remedy=remedy)
    if found.model.bundled:
        return {
            file.name: examine(file, found.folder, None, progress=progress, stop=stop).sha256
            for file in found.model.files
        }
    records = settle(found.model, found.folder, found.model.files, progress=progress, stop=stop)
    return {name: record.sha256 for name, record in records.items()}


@known_keywords()
def remove(model: str | PublishedModel, *, folder: str | PathLike[str] | None = None) -> tuple[Path, ...]:
    """Deletes a model's files, what has come of broken-off downloads, and its records; nothing else.

    The model's folder in the cache folder goes too, if nothing else is in it.

    Args:
        model: A name of `list_models`, or an entry of your own.
        folder: As in `pull`.

    Returns:
        What was deleted.

    Raises:
        UnknownModelError: No model has this name.
        OptionError: The model ships in the package.
        CacheFolderError: Something cannot be deleted.
    """
    found = where(model, folder=folder)
    if found.model.bundled:
        raise OptionError(
            "name", expected="a downloaded model", got=found.model.name, remedy="It ships in the package."
        )
    if not found.folder.is_dir():
        return ()
    own = [path for file in found.files for path in (file.path, part_of(file.path), notes_of(file.path))]
    own.append(found.folder / RECORDS_NAME)
    with held(found.model, found.folder, progress=True, stop=Stop()):
        there = tuple(path for path in own if path.is_file())
        for path in there:
            path.unlink()
    with named_faults(found.folder):
        (found.folder / LOCK_NAME).unlink(missing_ok=True)
        if folder is None and not any(found.folder.iterdir()):
            found.folder.rmdir()
    return there


def settle(
    model: PublishedModel, folder: Path, files: Sequence[PublishedFile], *, progress: ProgressChoice, stop: Stop
) -> dict[str, Record]:
    """Hashes files that are there, and records what was seen.

    In a folder that cannot be written this is done without a record, with a warning, provided that there is a hash to
    hold every file against.

    Raises:
        ModelFileChangedError: A file is not what it should be.
        WebPageError: A web page lies in place of a file.
        CacheFolderError: A file is seen for the first time and cannot be recorded.
    """
    try:
        with held(model, folder, progress=progress, stop=stop):
            return hash_and_record(folder, files, progress=progress, stop=stop)
    except CacheFolderError as error:
        known = read_records(folder)
        if any(file.sha256 is None and file.name not in known for file in files):
            raise
        warnings.warn(
            f"The files of {model.name} are verified, and this cannot be recorded, so that they are hashed at every "
            f"opening: {error}",
            stacklevel=2,
        )
        with named_faults(folder):
            return {
                file.name: examine(file, folder, known.get(file.name), progress=progress, stop=stop) for file in files
            }


def hash_and_record(
    folder: Path, files: Sequence[PublishedFile], *, progress: ProgressChoice, stop: Stop
) -> dict[str, Record]:
    """Hashes files that are there, and records what was seen. The caller holds the folder.

    Raises:
        ModelFileChangedError: A file is not what it should be.
        WebPageError: A web page lies in place of a file.
        CacheFolderError: It cannot be recorded.
    """
    known = read_records(folder)
    seen = {file.name: examine(file, folder, known.get(file.name), progress=progress, stop=stop) for file in files}
    remember(folder, seen)
    return seen


@contextlib.contextmanager
def held(model: PublishedModel, folder: Path, *, progress: ProgressChoice, stop: Stop) -> Iterator[None]:
    """Keeps other processes and threads out of a model's folder.

    Raises:
        CacheFolderError: The lock cannot be had, or the file system refuses something in between.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - opening what has been verified needs none of it

    with named_faults(folder):
        require_plain(folder / LOCK_NAME)
        lock = FileLock(folder / LOCK_NAME, preserve_lock_file=True, fallback_to_soft=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            say(f"{model.name}: another process is at work in {folder}; waiting for it", progress)
            _wait_for(lock, stop)
        try:
            yield
        finally:
            lock.release()


def _wait_for(lock: BaseFileLock, stop: Stop) -> None:
    from filelock import Timeout  # noqa: PLC0415 - as above

    while not lock.is_locked:
        stop()
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=_LOCK_SECONDS)
