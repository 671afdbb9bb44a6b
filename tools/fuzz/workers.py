"""Processes that examine inputs, each input within limits of time and memory.

Memory is measured and limited on Linux only; time is limited everywhere.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING

from tools.fuzz.examining import examine
from tools.fuzz.inputs import Answer, Outcome

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from multiprocessing.connection import Connection

    from tools.fuzz.inputs import AnySubject

__all__ = ["Limits", "outcomes"]

_SECONDS_TO_START = 60
_SECONDS_TO_END = 5
_ADDRESS_SPACE = 2 << 30
"""Bytes that a process may ask for, however few it touches: threads of decoders ask for much and use little."""


@dataclass(frozen=True)
class Limits:
    """What one input may take."""

    seconds: float = 20.0
    """Until its answer, on the wall's clock."""
    megabytes: int = 128
    """Memory beyond what a process has before it."""


def outcomes(subject: AnySubject, numbers: Iterable[int], *, processes: int, limits: Limits) -> Generator[Outcome]:
    """Yields what comes of each input, in the order in which the processes answer.

    A process that dies or does not answer in time is an outcome of its input, and another one takes its place. All
    processes end with the iterator.
    """
    waiting = iter(numbers)
    workers: list[_Worker] = []
    try:
        workers += [_Worker(subject, limits, number) for number in islice(waiting, processes)]
        while workers:
            for worker in _finished(workers):
                outcome = worker.outcome()
                yield outcome
                number = next(waiting, None)
                if number is not None and worker.is_usable:
                    worker.ask(number)
                    continue
                worker.end()
                workers.remove(worker)
                if number is not None:
                    workers.append(_Worker(subject, limits, number))
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """One process, the pipe to it, and the input that it is at."""

    def __init__(self, subject: AnySubject, limits: Limits, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.answers, questions = context.Pipe()
        self.is_usable = True
        self._subject, self._limits = subject, limits
        self._process = context.Process(target=_work, args=(subject, questions), daemon=True)
        self._process.start()
        questions.close()
        self.ask(number)
        self.deadline += _SECONDS_TO_START

    def ask(self, number: int) -> None:
        """Hands it an input."""
        self._number = number
        self.deadline = time.monotonic() + self._limits.seconds
        self.answers.send(number)

    def outcome(self) -> Outcome:
        """Returns the answer to its input; that it has none where it is dead or late."""
        if self.answers.poll():
            try:
                received: Outcome = self.answers.recv()
            except (EOFError, ConnectionError):
                self._process.join(_SECONDS_TO_END)
                return self._dead(f"the process ended with {self._process.exitcode}")
            return _within(self._limits, received)
        return self._dead(f"no answer in {self._limits.seconds:g} seconds")

    def end(self) -> None:
        """Ends the process, whatever it is at."""
        self._process.kill()
        self._process.join(_SECONDS_TO_END)
        self.answers.close()

    def _dead(self, reason: str) -> Outcome:
        self.is_usable = False
        made = self._subject.make(self._number)
        return Outcome(self._number, made.format, made.mutation, Answer.OVER, reason)


def _within(limits: Limits, outcome: Outcome) -> Outcome:
    """Returns an outcome as it is, or that it took too much memory."""
    megabytes = outcome.peak_bytes / 2**20
    if outcome.is_finding or megabytes <= limits.megabytes:
        return outcome
    reason = f"{outcome.answer.value} with {megabytes:.0f} MB of memory, {limits.megabytes} are allowed"
    return replace(outcome, answer=Answer.OVER, reason=reason)


def _finished(workers: list[_Worker]) -> list[_Worker]:
    """Waits until a worker has answered, died or run out of time, and returns all that have."""
    soonest = min(worker.deadline for worker in workers)
    ready = wait([worker.answers for worker in workers], timeout=max(0.0, soonest - time.monotonic()))
    now = time.monotonic()
    return [worker for worker in workers if worker.answers in ready or worker.deadline <= now]


def _work(subject: AnySubject, questions: Connection) -> None:
    """Examines the inputs whose numbers come through a pipe, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that prints the table
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders in C complain there of every damaged file
    _limit_memory()
    while True:
        try:
            number = questions.recv()
        except EOFError:
            return
        questions.send(examine(subject, number))


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not on every system

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + _ADDRESS_SPACE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
