"""What a process that forks needs: blocks that no fork divides, and objects that begin anew in the child.

`os.fork` copies the memory of a process and one thread of it. Whatever the other threads were doing stays half done in
the child for ever: a lock that one of them held is never released there, and what they worked for never comes.
"""

from __future__ import annotations

import contextlib
import logging  # noqa: F401 - its own hook takes locks at a fork, and has to be registered before this module's
import os
import threading
import weakref
from collections import Counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ForkSafeLock", "Renewable", "renew_in_children", "undivided"]


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


_blocks = _Blocks()
_renewables: weakref.WeakSet[Renewable] = weakref.WeakSet()


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
    _renewables.add(thing)


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


def _renew_all() -> None:
    for thing in list(_renewables):
        thing.begin_anew()


if hasattr(os, "register_at_fork"):  # not on Windows, where no process forks
    os.register_at_fork(
        before=_blocks.before_fork,
        after_in_parent=_blocks.after_in_parent,
        after_in_child=_blocks.after_in_child,
    )
    os.register_at_fork(after_in_child=_renew_all)
