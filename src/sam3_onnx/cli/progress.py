"""How far a run over a folder has come: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from sam3_onnx._support.units import in_words

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from sam3_onnx.annotate.summary import AnnotateProgress

__all__ = ["RunProgress"]

_SECONDS_BETWEEN_LINES = 30.0


class RunProgress:
    """Shows progress on standard error; `done` is how far the run came, in words."""

    def __init__(self) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - --help need not wait for it

        self.done = ""
        self._bar = tqdm(unit="picture", file=sys.stderr, disable=None)  # None: no bar where it is no terminal
        self._last_line = time.monotonic()

    def __call__(self, progress: AnnotateProgress) -> None:
        """Takes how far the run is; called after each picture."""
        self.done = f"{progress.done} of {in_words(progress.total, 'picture')} done; "
        bar = self._bar
        if bar.disable:
            self._say(progress)
            return
        if not bar.total:  # what was done before counts for the bar, not for its rate
            bar.initial = bar.n = progress.done - 1
        bar.total = progress.total
        bar.set_postfix(found=progress.instances, failed=progress.failures, refresh=False)
        bar.update(progress.done - bar.n)

    def _say(self, progress: AnnotateProgress) -> None:
        now = time.monotonic()
        if now - self._last_line < _SECONDS_BETWEEN_LINES or progress.done == progress.total:
            return
        self._last_line = now
        failed = f", {progress.failures} failed" if progress.failures else ""
        line = f"{progress.done} of {in_words(progress.total, 'picture')}, {progress.instances} found{failed}"
        print(f"sam3-onnx: {line}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leaves the bar as it is and begins a new line."""
        self._bar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
