"""The seconds that each stage of a call takes, and a listener for the stage that begins."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Stage", "Stopwatch"]

Stage: TypeAlias = Literal["read", "image", "text", "decode", "select"]
"""What a call is busy with: reading the picture, the image encoder, the text encoder, the decoder, and
choosing instances."""


class Stopwatch:
    """Seconds by stage, told to whoever listens."""

    def __init__(self, listener: Callable[[Stage], None] | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._listener = listener

    @contextlib.contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Counts the time of a block towards a stage."""
        if self._listener is not None:
            self._listener(name)
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
