"""Children of a fork, and what they answer."""

from __future__ import annotations

import os
import pickle
import signal
import time
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["forks", "in_child"]

_PATIENCE = 120.0
"""Seconds; a child needs about one unless it hangs."""
_Answer = TypeVar("_Answer")


def forks(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test that forks, which Windows cannot, and of which Python 3.12 warns where there are threads."""
    unwarned = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    marked: Callable[..., None] = pytest.mark.skipif(not hasattr(os, "fork"), reason="no process forks here")(
        unwarned(test)
    )
    return marked


def in_child(work: Callable[[], _Answer]) -> _Answer:
    """Calls a function in a child of this process; returns its answer, raises its error, and fails if it hangs."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        try:
            answer: tuple[bool, object] = (True, work())
        except BaseException as error:  # noqa: BLE001 - handed over
            answer = (False, error)
        os.write(writing, pickle.dumps(answer))
        os._exit(0)
    os.close(writing)
    until = time.monotonic() + _PATIENCE
    while not os.waitpid(process, os.WNOHANG)[0]:
        if time.monotonic() > until:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)
    with os.fdopen(reading, "rb") as pipe:
        fine, value = pickle.load(pipe)  # noqa: S301 - of the child of this very process
    if not fine:
        raise value
    answered: _Answer = value
    return answered
