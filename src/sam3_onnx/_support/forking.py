"""What a process that forks needs: blocks that no fork divides, and objects that begin anew in the child.

`os.fork` copies the memory of a process and one thread of it. Whatever the other threads were doing stays half done in
the child for ever: a lock that one of them held is never released there, and what they worked for never comes.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging  # noqa: F401 - its own hook takes locks at a fork, and has to be registered before this module's
import os
import sys
import threading
import weakref
from collections import Counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ForkSafeLock", "Renewable", "keep_for_ever", "renew_in_children", "undivided"]


class Renewable(Protocol):
    """Anything whose locks and threads are of no use to the child of a fork."""

    def begin_anew(self) -> None:
        """Takes the state of an object that was made just now. Called in the child, before anything else runs."""
        ...


class _Blocks:
    """The threads that are inside `undivided`, each with the number of its blocks."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.inside: Counter[int] = Counter()

    def before_fork(self) -> None:
        """Waits for the blocks of other threads, and lets nobody in until `after_in_parent`."""
        self.changed.acquire()
        self.changed.wait_for(lambda: self.inside.keys() <= {threading.get_ident()})

    def after_in_parent(self) -> None:
        self.changed.release()

    def after_in_child(self) -> None:
        self.changed = threading.Condition()


class _Renewables:
    """The objects that begin anew in children."""

    def __init__(self) -> None:
        self.known: weakref.WeakSet[Renewable] = weakref.WeakSet()
        self.held: list[Renewable] = []

    def before_fork(self) -> None:
        """Holds all of them: the child must not free one, as garbage, before it has begun anew."""
        self.held = list(self.known)

    def after_in_parent(self) -> None:
        self.held = []

    def after_in_child(self) -> None:
        for thing in self.held:
            thing.begin_anew()
        self.held = []


class _OpenCvThreads:
    """The threads of OpenCV, which end before a fork and are there again, on both sides, when they are needed.

    The child would lack them, and wait for ever for a lock that one of them held just then.
    """

    def __init__(self) -> None:
        self.number = 0

    def before_fork(self) -> None:
        opencv = sys.modules.get("cv2")
        if opencv is not None and hasattr(opencv, "setNumThreads"):  # it may be half imported
            self.number = opencv.getNumThreads()
            opencv.setNumThreads(1)

    def after_fork(self) -> None:
        if self.number:
            sys.modules["cv2"].setNumThreads(self.number)
        self.number = 0


_blocks = _Blocks()
_renewables = _Renewables()
_opencv_threads = _OpenCvThreads()


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """A block that is over before another thread forks the process; a fork waits for it.

    It is for calls of native code and imports, which hold locks that a child could never have: OpenBLAS, for example,
    ends its threads at a fork, and one that works for another thread at that moment never ends. Nothing inside may wait
    for another thread.
    """
    me = threading.get_ident()
    with _blocks.changed:
        _blocks.inside[me] += 1
    try:
        yield
    finally:
        with _blocks.changed:
            _blocks.inside[me] -= 1
            if not _blocks.inside[me]:
                del _blocks.inside[me]
            _blocks.changed.notify_all()


def renew_in_children(thing: Renewable) -> None:
    """Has `thing.begin_anew` called in the child of every fork, for as long as the thing is there."""
    with _blocks.changed:  # a fork lists them meanwhile
        _renewables.known.add(thing)


def keep_for_ever(thing: object) -> None:
    """Keeps an object from ever being freed, at the end of the interpreter either.

    It is for native objects of a parent with threads of their own: their end in a child would wait for these threads.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


class ForkSafeLock:
    """A lock that is open in the child of a fork, whoever held it."""

    def __init__(self) -> None:
        self.begin_anew()
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Makes it an open lock."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _before_fork() -> None:
    _blocks.before_fork()
    _renewables.before_fork()
    _opencv_threads.before_fork()


def _after_in_parent() -> None:
    _opencv_threads.after_fork()
    _renewables.after_in_parent()
    _blocks.after_in_parent()


def _after_in_child() -> None:
    _blocks.after_in_child()
    _opencv_threads.after_fork()
    _renewables.after_in_child()


if hasattr(os, "register_at_fork"):  # not on Windows, where no process forks
    os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
