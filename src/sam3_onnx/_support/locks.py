"""How do two processes keep out of each other's way in one folder?"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["LOCK_NAME", "file_lock"]

LOCK_NAME = ".lock"
"""Of the lock file in a folder. It is empty, and stays: to delete it could let two processes in."""

_POLL_SECONDS = 0.2

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextlib.contextmanager
def file_lock(
    path: Path, *, waiting: Callable[[], None] = lambda: None, patience: float | None = None
) -> Iterator[int]:
    """Holds the operating system's lock on a file, which ends with the process whatever happens to it.

    Args:
        path: The lock file; made if it is not there.
        waiting: Called once if somebody else holds the lock.
        patience: Seconds to wait for the lock; None for as long as it takes.

    Yields:
        The descriptor of the open file.

    Raises:
        TimeoutError: Somebody else held the lock for longer than that.
        OSError: The file cannot be made, or the file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        told, began = False, time.monotonic()
        while not _locked(descriptor):
            if not told:
                waiting()
                told = True
            if patience is not None and time.monotonic() - began > patience:
                raise TimeoutError(f"another process has held the lock {path} for more than {patience:g} seconds")
            time.sleep(_POLL_SECONDS)
        try:
            yield descriptor
        finally:
            _unlock(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        _try_lock(descriptor)
    except (BlockingIOError, PermissionError):  # what POSIX and Windows say of a lock that is held
        return False
    return True
