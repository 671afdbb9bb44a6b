"""`Patience`: options for attempts and time-outs of a download; importing it loads no network code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.keywords import known_methods

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Patience"]


@known_methods
@dataclass(frozen=True)
class Patience:
    """Attempts, time-outs and minimum rate of a download."""

    attempts: int = 6
    """Number of consecutive attempts without progress after which the download fails."""
    first_wait: float = 1.0
    """Wait in seconds before the second attempt; each further wait is twice as long."""
    longest_wait: float = 60.0
    """Longest wait in seconds; if the Retry-After of a server is longer, the download fails."""
    connect_timeout: float = 15.0
    """Time-out for connecting to a server, in seconds."""
    read_timeout: float = 60.0
    """Seconds without data after which a connection counts as broken."""
    least_rate: float = 1000.0
    """Rate in bytes per second below which a connection counts as broken; 0 disables the check."""
    rate_seconds: float = 60.0
    """Length in seconds of the intervals in which the rate is measured."""
    sleep: Callable[[float], None] | None = None
    """Function that waits between attempts; None for a wait that `cancel` can end."""
