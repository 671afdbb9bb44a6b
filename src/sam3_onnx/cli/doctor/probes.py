"""Probes of the self-check, and a list of those that failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FailedProbe", "Probes"]

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class FailedProbe:
    """A probe that failed."""

    probe: str
    error: str
    mend: str = ""
    """What to do about it, where that is known: then nothing works until it is done."""


@dataclass(frozen=True)
class Probes:
    """Asks one thing after the other and notes what fails."""

    failures: list[FailedProbe] = field(default_factory=list)

    def ask(self, name: str, probe: Callable[[], _Answer]) -> _Answer | None:
        """A probe's answer; None, and a `FailedProbe` of this name, if it raises.

        Args:
            name: What is asked, in a few words.
            probe: Finds the answer.
        """
        try:
            return probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported, and the next probe is asked
            self.failures.append(FailedProbe(name, f"{type(error).__name__}: {error}", getattr(error, "mend", "")))
            return None
