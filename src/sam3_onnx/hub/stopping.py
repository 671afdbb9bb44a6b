"""What ends a download or a verification early, and blocking calls that can be left when it does."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from sam3_onnx.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Background", "Stop"]

_POLL_SECONDS = 0.05
Value = TypeVar("Value")


class Stop:
    """Whether to end early: the caller asks for it, or the program is about to end."""

    def __init__(self, cancel: threading.Event | None = None) -> None:
        """Remembers what to watch.

        Args:
            cancel: Setting it ends the work; None for work that nobody calls off.
        """
        self._cancel = cancel

    def __call__(self) -> None:
        """Ends the work if it has to end.

        Python waits for threads before it exits. Without the second condition a window that was closed would leave a
        process that downloads on, for an hour perhaps.

        Raises:
            CancelledError: `cancel` was set, or the main thread is over and this is another one.
        """
        if (self._cancel is not None and self._cancel.is_set()) or not threading.main_thread().is_alive():
            raise CancelledError("the download, verification or opening", left="what has come is kept for the next one")

    def wait(self, seconds: float) -> None:
        """Waits, unless the work has to end.

        Raises:
            CancelledError: As above.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self()
            time.sleep(min(left, _POLL_SECONDS))


class _Outcome(Generic[Value]):
    def __init__(self, work: Callable[[], Value]) -> None:
        self._work = work
        self.done = threading.Event()
        self._value: Value
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the outcome is asked for
            self._error = error
        self.done.set()

    def get(self) -> Value:
        if self._error is not None:
            raise self._error
        return self._value


class Background:
    """A thread that runs blocking calls one after the other; whoever waits for one may leave before it returns.

    A connection cannot be woken from a read. The thread ends when the call that it is left with returns, at the latest
    after the time-out of the connection, and keeps no program from ending.
    """

    def __enter__(self) -> Self:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="sam3-onnx-download", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls.put(None)

    def call(self, work: Callable[[], Value], stop: Callable[[], None]) -> Value:
        """Runs a call in the thread and returns what it returns.

        Args:
            work: What to run.
            stop: Asked again and again while it runs; raises to leave it.
        """
        outcome = _Outcome(work)
        self._calls.put(outcome.run)
        stop()
        while not outcome.done.wait(_POLL_SECONDS):
            stop()
        return outcome.get()

    def leave(self, work: Callable[[], None]) -> None:
        """Runs a call when those before it are over, and waits for nothing."""
        self._calls.put(_Outcome(work).run)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
