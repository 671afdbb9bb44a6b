"""What the fuzzer reads: an input, the duty of its reader, and what came of reading it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Answer", "AnySubject", "Duty", "FuzzInput", "Outcome", "Subject", "WrongAnswerError"]


class Duty(Enum):
    """What a reader has to make of an input."""

    AGREE = "has to be read as the reference reads it"
    REFUSE = "has to be refused"
    AGREE_OR_REFUSE = "may be refused; if it is read, then as the reference reads the whole file"
    EITHER = "may be read or refused"


class Answer(Enum):
    """What came of an input."""

    READ = "read"
    REFUSED = "refused"
    WRONG = "wrong"
    """Read although it is impossible, refused although it is whole, or read as something else."""
    PLAIN = "plain exception"
    """An exception that is not one of the library's."""
    OVER = "over a limit"
    """The process ended, did not answer in time, or took too much memory."""


class WrongAnswerError(AssertionError):
    """A reader did not do its duty."""


@dataclass(frozen=True)
class FuzzInput:
    """The files of one input."""

    format: str
    """Row of the table: the format and its variant."""
    mutation: str
    """Row of the table: what was done to the whole file."""
    duty: Duty
    files: Mapping[str, bytes]
    """The files by name."""


_Input = TypeVar("_Input", bound=FuzzInput)


class Subject(Protocol[_Input]):
    """Something that reads files. Objects of it are sent to other processes."""

    def make(self, number: int) -> _Input:
        """Returns the input of a number, from 0. The same number gives the same input."""
        ...

    def judge(self, made: _Input, folder: Path) -> Answer:
        """Reads an input and returns READ or REFUSED.

        Args:
            made: What `make` returned.
            folder: An empty folder, for readers that want files.

        Raises:
            WrongAnswerError: The reader did not do its duty.
            Exception: Whatever the reader raises besides errors of the library.
        """
        ...


AnySubject: TypeAlias = "Subject[Any]"
"""A subject whose inputs nobody but itself looks into."""


@dataclass(frozen=True)
class Outcome:
    """What came of the input of a number."""

    number: int
    format: str
    mutation: str
    answer: Answer
    reason: str = ""
    """What is wrong; empty where nothing is."""
    milliseconds: float = 0.0
    peak_bytes: int = 0
    """Memory that reading took at most, beyond what the process had before."""

    @property
    def is_finding(self) -> bool:
        """Whether somebody has to look at it."""
        return self.answer not in {Answer.READ, Answer.REFUSED}
