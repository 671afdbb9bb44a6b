"""Early end of a download or verification, and blocking calls that can be left at that time."""

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
    """A check whether to end early, because the caller has cancelled the work or the program is ending."""

    def __init__(self, cancel: threading.Event | None = None) -> None:
        """Creates a check of an event.

        Args:
            cancel: Event that ends the work when it is set; None if the work cannot be cancelled.
        """
        self._cancel = cancel

    def __call__(self) -> None:
        """Raises an error if the work has to end.

        Python waits for threads before it exits. Without the check of the main thread, a program whose window was
        closed could continue to download for an hour.

        Raises:
            CancelledError: `cancel` was set, or the main thread has ended and this is another thread.
        """
        if (self._cancel is not None and self._cancel.is_set()) or not threading.main_thread().is_alive():
            raise CancelledError("the download, verification or opening", left="the part that was downloaded is kept")

    def wait(self, seconds: float) -> None:
        """Waits, but ends early if the work has to end.

        Raises:
            CancelledError: The work has to end.
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
    """A thread that runs blocking calls one after the other; a waiting caller may leave before its call returns.

    A blocking read of a connection cannot be interrupted. The thread ends when its last call returns, at the latest
    after the time-out of the connection. It does not prevent the program from ending.
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
        """Runs a call in the thread and returns its result.

        Args:
            work: The call to run.
            stop: Function that is called repeatedly in the meantime, and raises an error to leave the call.
        """
        outcome = _Outcome(work)
        self._calls.put(outcome.run)
        stop()
        while not outcome.done.wait(_POLL_SECONDS):
            stop()
        return outcome.get()

    def leave(self, work: Callable[[], None]) -> None:
        """Runs a call after the earlier ones, without waiting for it."""
        self._calls.put(_Outcome(work).run)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
