"""How can many things be asked, of which some may fail?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Failure", "Probes"]

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Failure:
    """A probe that failed."""

    probe: str
    error: str


@dataclass(frozen=True)
class Probes:
    """Asks one thing after the other and notes what fails."""

    failures: list[Failure] = field(default_factory=list)

    def ask(self, name: str, probe: Callable[[], _Answer]) -> _Answer | None:
        """A probe's answer; None, and a `Failure` of this name, if it raises.

        Args:
            name: What is asked, in a few words.
            probe: Finds the answer.
        """
        try:
            return probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported, and the next probe is asked
            self.failures.append(Failure(name, f"{type(error).__name__}: {error}"))
            return None
