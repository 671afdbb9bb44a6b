"""How long a download is kept up, as callers may set it; loads no code for the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Patience"]


@dataclass(frozen=True)
class Patience:
    """How long a download is kept up."""

    attempts: int = 6
    """Attempts in a row that bring nothing new, after which it is given up."""
    first_wait: float = 1.0
    """Seconds before the second attempt; each further wait is twice as long."""
    longest_wait: float = 60.0
    """Seconds; also the longest that a server's Retry-After is obeyed, beyond which it is given up."""
    connect_timeout: float = 15.0
    """Seconds until a server has to take the connection."""
    read_timeout: float = 60.0
    """Seconds of silence after which a connection counts as broken."""
    least_rate: float = 1000.0
    """Bytes a second below which a connection counts as broken; 0 to take any."""
    rate_seconds: float = 60.0
    """Over how many seconds that is looked at, again and again."""
    sleep: Callable[[float], None] | None = None
    """How to wait between attempts; None for a wait that `cancel` ends."""
