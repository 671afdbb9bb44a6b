"""One input, read and judged in this process, with its time and memory."""

from __future__ import annotations

import re
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from tools.fuzz.inputs import Answer, Outcome, WrongAnswerError

if TYPE_CHECKING:
    from tools.fuzz.inputs import AnySubject, FuzzInput

__all__ = ["examine", "judged"]

_PROCESS = Path("/proc/self")


def examine(subject: AnySubject, number: int) -> Outcome:
    """Returns what comes of the input of a number. No exception of a reader comes out of it."""
    made = subject.make(number)
    before = _start_measuring()
    start = time.perf_counter()
    answer, reason = Answer.READ, ""
    try:
        answer = judged(subject, made)
    except WrongAnswerError as error:
        answer, reason = Answer.WRONG, str(error)
    except Exception as error:  # noqa: BLE001 - which exceptions come out is what a fuzzer is for
        answer, reason = Answer.PLAIN, f"{type(error).__name__}: {error}"
    milliseconds = 1000 * (time.perf_counter() - start)
    peak = max(0, _memory("VmHWM") - before)
    return Outcome(number, made.format, made.mutation, answer, reason, milliseconds, peak)


def judged(subject: AnySubject, made: FuzzInput) -> Answer:
    """Returns what a subject makes of an input, in a folder of its own and without warnings.

    Raises:
        WrongAnswerError: The reader did not do its duty.
        Exception: Whatever the reader raises besides errors of the library.
    """
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return subject.judge(made, Path(folder))


def _start_measuring() -> int:
    """Returns resident memory in bytes, and makes the kernel forget the peak of earlier inputs where it can."""
    try:
        _PROCESS.joinpath("clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return _memory("VmHWM")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    """Returns a field of this process's status in bytes; 0 where the system has no such file."""
    try:
        status = _PROCESS.joinpath("status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(rf"^{name}:\s*(\d+) kB", status, re.MULTILINE)
    return 1024 * int(found[1]) if found else 0
