"""Locks that prevent two runs from writing labels to the same folder.

A run holds the lock of its label folder; the operating system releases it when the process ends. During a run there is
a hidden note file next to the lock, and in each folder that is the target of a link: it names the lock, and the folders
that the run writes to. A run first writes its own note and then looks for notes of other runs, in its folders and in
all folders above them, so that of two runs that start at the same time at least one sees the other. A note whose lock
is not held comes from a run that was killed, and is removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from sam3_onnx._support.files import write_atomically
from sam3_onnx.errors import FolderBusyError, FolderError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["sole_run"]

_LOCK_NAME = ".sam3-onnx-annotate.lock"
_NOTE_PREFIX, _NOTE_SUFFIX = ".sam3-onnx-annotate.", ".run"


@dataclass(frozen=True)
class _Run:
    """A run as described by its note; all paths are real paths."""

    lock: str
    pictures: str
    """The folder whose pictures are labelled."""
    process: int
    folders: list[str]
    """Folders to which labels are written."""

    @classmethod
    def read(cls, note: Path) -> _Run | None:
        """Reads the run of a note; returns None if the note no longer exists, or has another version."""
        try:
            match json.loads(note.read_bytes()):
                case {"lock": str(lock), "pictures": str(pictures), "process": int(process), "folders": list(folders)}:
                    return cls(lock, pictures, process, folders)
        except (FileNotFoundError, ValueError):
            pass
        return None

    def is_at_work(self) -> bool:
        """Returns whether a process holds the lock of the run."""
        if not Path(self.lock).exists():
            return False
        try:
            with FileLock(self.lock, blocking=False, fallback_to_soft=False):
                return False
        except Timeout:
            return True

    def __str__(self) -> str:
        return f"process {self.process}, which labels the pictures of {self.pictures}"


@contextlib.contextmanager
def sole_run(folder: Path, *, pictures: Path, writes: Collection[Path]) -> Iterator[None]:
    """Locks the folders to which a run writes labels against other runs.

    Args:
        folder: The label folder; it must exist.
        pictures: The folder of pictures, which identifies the run in messages.
        writes: All folders to which label files are written; they do not have to exist.

    Raises:
        FolderBusyError: Another run is writing to one of them.
        FolderError: The folder cannot be written to.
    """
    path = folder / _LOCK_NAME
    lock = FileLock(path, blocking=False, fallback_to_soft=False)
    real = os.path.realpath(folder)
    mine = sorted({real, *map(os.path.realpath, writes)})
    run = _Run(os.path.realpath(path), os.path.realpath(pictures), os.getpid(), mine)
    try:
        lock.acquire()
    except Timeout as error:  # also if the other run ended, and removed the file, between opening and locking
        others = (other for _, other in _notes_in(folder) if other.lock == run.lock)
        raise FolderBusyError(folder, by=str(next(others, ""))) from error
    except OSError as error:
        raise FolderError(folder, doing="writing labels", reason=str(error)) from error
    try:
        with contextlib.ExitStack() as stack:
            outside = [place for place in mine if Path(real) not in Path(place).parents and place != real]
            places = [real, *(place for place in outside if os.access(place, os.W_OK))]  # no run writes to the others
            notes = {stack.enter_context(_noted(run, Path(place))) for place in places}
            _require_alone(run, notes)
            yield
    finally:
        with contextlib.suppress(PermissionError):  # Windows does not delete an open file until it is released
            path.unlink(missing_ok=True)
        lock.release()


@contextlib.contextmanager
def _noted(run: _Run, folder: Path) -> Iterator[Path]:
    note = folder / f"{_NOTE_PREFIX}{secrets.token_hex(4)}{_NOTE_SUFFIX}"
    write_atomically(note, json.dumps(asdict(run)).encode())
    try:
        yield note
    finally:
        note.unlink(missing_ok=True)


def _require_alone(run: _Run, notes: Collection[Path]) -> None:
    """Checks that no other run writes to the folders of a run, and removes notes of runs that were killed.

    Args:
        run: The run, which holds its lock.
        notes: Notes of this run.

    Raises:
        FolderBusyError: Another run is writing to one of the folders.
    """
    around = {place for folder in run.folders for place in (Path(folder), *Path(folder).parents)}
    for note, other in (found for place in sorted(around) for found in _notes_in(place)):
        shared = sorted(set(run.folders) & set(other.folders))
        if note in notes or not (shared or other.lock == run.lock):
            continue
        if other.lock != run.lock and other.is_at_work():
            raise FolderBusyError(Path(shared[0]), by=str(other))
        note.unlink(missing_ok=True)


def _notes_in(folder: Path) -> list[tuple[Path, _Run]]:
    """Returns the notes of runs in a folder; none if the folder does not exist or cannot be read."""
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError:
        return []
    notes = [folder / name for name in names if name.startswith(_NOTE_PREFIX) and name.endswith(_NOTE_SUFFIX)]
    return [(note, run) for note in notes if (run := _Run.read(note)) is not None]
