"""Waits that another thread can end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors import CancelledError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

__all__ = ["wait_or_cancel"]

_POLL_SECONDS = 0.02


def wait_or_cancel(wait: Callable[[float | None], bool], cancel: threading.Event | None, *, doing: str) -> None:
    """Waits for something, unless an event ends the wait.

    Args:
        wait: Waits for so many seconds, or without limit for None, and returns whether it has happened.
        cancel: Setting it ends the wait; None for a wait that nothing ends.
        doing: What is ended then, for the message.

    Raises:
        CancelledError: `cancel` was set first.
    """
    if cancel is None:
        wait(None)
        return
    while not wait(_POLL_SECONDS):
        if cancel.is_set():
            raise CancelledError(doing)
