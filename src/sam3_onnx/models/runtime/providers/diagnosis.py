"""The reason why a provider did not start.

ONNX Runtime drops a provider that fails with no more than lines in its log, which goes to standard
error. The failing provider is started once more on a small graph, and these lines are read.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from typing import TYPE_CHECKING

from sam3_onnx._support.forking import ForkSafeLock
from sam3_onnx.models.runtime.opening import Refusal, open_on
from sam3_onnx.models.runtime.providers.miniature import miniature_graphs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sam3_onnx.models.runtime.providers.ways import Way

__all__ = ["why_not_started"]

_STANDARD_ERROR = 2
_WARNINGS = 2  # severity of onnxruntime's log
_MOST_CHARACTERS = 600
_LOG_LINE = re.compile(r"\[[WEF]:onnxruntime:[^\]]*\]\s*(.+)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_lock = ForkSafeLock()


def why_not_started(ways: Sequence[Way], threads: int | None) -> str:
    """Starts providers on a small graph.

    Returns:
        What went wrong, with onnxruntime's own words; "" if they start, so that the fault lies in the other graph.
    """
    log: list[str] = []
    with _standard_error(log):
        opened = open_on(miniature_graphs()["text_encoder"], ways, threads=threads, severity=_WARNINGS)
    if not isinstance(opened, Refusal):
        return ""
    said = [found.group(1).strip() for line in log if (found := _LOG_LINE.search(_COLOURS.sub("", line)))]
    reason = "; ".join(dict.fromkeys([opened.reason, *said]))
    return reason if len(reason) <= _MOST_CHARACTERS else f"{reason[:_MOST_CHARACTERS]}..."


@contextlib.contextmanager
def _standard_error(lines: list[str]) -> Iterator[None]:
    """Collects what native code writes to standard error; nothing where a program has none, or no temporary folder."""
    try:
        collected = tempfile.TemporaryFile()  # noqa: SIM115 - it is entered below, where faults are others
    except OSError:
        yield
        return
    with _lock, collected as file:
        try:
            kept = os.dup(_STANDARD_ERROR)
        except OSError:
            yield
            return
        try:
            os.dup2(file.fileno(), _STANDARD_ERROR)
            try:
                yield
            finally:
                os.dup2(kept, _STANDARD_ERROR)
        finally:
            os.close(kept)
        file.seek(0)
        lines += file.read().decode("utf-8", "replace").splitlines()
