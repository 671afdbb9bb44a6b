"""A folder of entries that stays within its bytes, however many processes use it.

Who writes or deletes holds the folder's lock; who reads needs none, because an entry appears whole or not at all and
never changes. The time at which a file was last modified says when its entry was last used.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sam3_onnx._support.folders import LOCK_NAME
from sam3_onnx._support.forking import undivided
from sam3_onnx.errors import EmbeddingFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import BufferedReader
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EntryFolder"]

_ENTRY = re.compile(r"[0-9a-f]{40}\.embedding")
_DRAFT = re.compile(r"\.[0-9a-f]{40}\.draft")
_PATIENCE = 60.0


@dataclass(frozen=True, order=True)
class _Held:
    used: int
    """Nanoseconds since the epoch."""
    size: int
    path: Path


class EntryFolder:
    """Files of entries, the least recently used of which go first. Files of other names are left alone.

    Attributes:
        path: The folder. It may be deleted at any time, and is made again when something is written.
        budget: Bytes that entries may occupy together.
    """

    def __init__(self, path: Path, budget: int) -> None:
        """Makes the folder unless it is there.

        Raises:
            EmbeddingFolderError: Nothing can be written there.
        """
        self.path = path
        self.budget = budget
        try:
            path.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666))
        except OSError as error:
            raise EmbeddingFolderError(path, reason=str(error)) from error
        with undivided():
            from filelock import FileLock  # noqa: PLC0415 - a session without a folder needs none of it

        self._lock = partial(
            FileLock, path / LOCK_NAME, timeout=_PATIENCE, preserve_lock_file=True, fallback_to_soft=False
        )

    def open(self, name: str) -> BufferedReader:
        """An entry for reading.

        Raises:
            FileNotFoundError: It is not there.
        """
        return self._path(name).open("rb")

    def mark_used(self, name: str) -> None:
        """Notes that an entry was used now."""
        with contextlib.suppress(OSError):  # it is gone, or belongs to somebody else: only the order of going suffers
            _stamp(self._path(name))

    def discard(self, name: str) -> None:
        """Deletes an entry, if it is there and can be."""
        with contextlib.suppress(OSError):  # Windows keeps what another process has open; it is not used all the same
            self._path(name).unlink()

    def write(self, name: str, pieces: Sequence[bytes | NDArray[np.uint8]]) -> None:
        """Puts an entry in place in one step, unless it is there; others go for it as far as needed.

        Nothing is forced to the disk: what a power failure cuts off is noticed when it is read.

        Args:
            name: 40 hexadecimal digits.
            pieces: Its content, no longer than the budget.

        Raises:
            OSError: It cannot be written; no part of it is left.
        """
        try:
            self._write(name, pieces)
        except FileNotFoundError:  # somebody has deleted the folder meanwhile
            self._write(name, pieces)

    def tidy(self) -> None:
        """Deletes the drafts of processes that ended while they wrote, and what is beyond the budget.

        Raises:
            OSError: It cannot be deleted.
        """
        if self.path.is_dir():  # locking would make it
            with contextlib.suppress(FileNotFoundError), self._locked():
                self._make_room(0)

    def entries(self) -> tuple[int, int]:
        """How many there are, and their bytes."""
        held = self._held()
        return len(held), sum(entry.size for entry in held)

    def _path(self, name: str) -> Path:
        return self.path / f"{name}.embedding"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self._lock()
        try:
            lock.acquire()
        except TimeoutError as error:
            holder = f"the lock {self.path / LOCK_NAME} for more than {_PATIENCE:g} seconds"
            reason = f"another process or thread has held {holder}"
            raise TimeoutError(reason) from error
        try:
            yield
        finally:
            lock.release()

    def _write(self, name: str, pieces: Sequence[bytes | NDArray[np.uint8]]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if self._path(name).exists():
                return
            self._make_room(sum(map(len, pieces)))
            draft = self.path / f".{name}.draft"
            try:
                with draft.open("xb") as file:
                    for piece in pieces:
                        file.write(piece if isinstance(piece, bytes) else piece.data)
                _stamp(draft)
                draft.replace(self._path(name))
            except BaseException:
                draft.unlink(missing_ok=True)
                raise

    def _make_room(self, size: int) -> None:
        for path in [path for path in self.path.iterdir() if _DRAFT.fullmatch(path.name)]:
            path.unlink()
        held = sorted(self._held())
        excess = sum(entry.size for entry in held) + size - self.budget
        failure: OSError | None = None
        for entry in held:
            if excess <= 0:
                return
            try:
                entry.path.unlink(missing_ok=True)
                excess -= entry.size
            except OSError as error:  # on Windows: another process has it open just now
                failure = error
        if excess > 0 and failure is not None:
            raise failure

    def _held(self) -> list[_Held]:
        held = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self.path) as found:
            for file in found:
                if _ENTRY.fullmatch(file.name):
                    with contextlib.suppress(FileNotFoundError):
                        state = file.stat()
                        held.append(_Held(state.st_mtime_ns, state.st_size, self.path / file.name))
        return held


def _stamp(path: Path) -> None:
    """Notes that a file was used now. What a kernel notes of itself may be some milliseconds behind the clock."""
    now = time.time_ns()
    os.utime(path, ns=(now, now))
