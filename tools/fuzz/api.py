"""The public functions as a subject of the fuzzer: what they make of arguments that nobody expects."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from sam3_onnx.errors import Sam3Error
from tools.fuzz.api_doors import DOORS, prepare
from tools.fuzz.api_values import odd_value
from tools.fuzz.inputs import Answer, Duty, FuzzInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.fuzz.api_doors import Door

__all__ = ["ApiCall", "ApiSubject"]

_MOST = 2
"""Arguments of one call that are replaced."""
_UNKNOWN = 0.05
"""Share of calls that have a keyword of another library."""
_THEIR_NAMES = ("box", "threshold", "labels", "device", "images", "iou", "verbose")


@dataclass(frozen=True)
class ApiCall(FuzzInput):
    """A call of a public function in which some arguments are replaced."""

    odd: Mapping[str, object]
    """The arguments that are replaced or added."""


@dataclass(frozen=True)
class ApiSubject:
    """Calls of every public function, each with one or two arguments that nobody expects."""

    seed: int
    doors: Mapping[str, Door] | None = None
    """What is called, by name; None for `DOORS`."""

    def make(self, number: int) -> ApiCall:
        """Returns the call of a number: the functions take turns."""
        chance = Random(f"{self.seed} {number}")
        doors = self._doors
        name = list(doors)[number % len(doors)]
        arguments = list(doors[name].valid(Path()))
        odd: dict[str, object] = {}
        words: list[str] = []
        chosen = chance.sample(arguments, min(len(arguments), chance.randint(1, _MOST)))
        for argument in [*chosen, *([chance.choice(_THEIR_NAMES)] if chance.random() < _UNKNOWN else [])]:
            called, odd[argument] = odd_value(chance)
            words.append(f"{argument}={called}")
        text = f"{name}({', '.join(words)})"
        return ApiCall(name, ", ".join(odd), Duty.EITHER, {"call.txt": text.encode()}, odd)

    def judge(self, made: ApiCall, folder: Path) -> Answer:
        """Makes the call; some values are names of files, so that it is made in the folder.

        Raises:
            Exception: Whatever the function raises besides errors of the library, and besides OSError of files.
        """
        door = self._doors[made.format]
        before = Path.cwd()
        os.chdir(folder)
        try:
            prepare(folder)
            valid = door.valid(folder)
            door.function(**{**valid, **made.odd})
        except Sam3Error:
            return Answer.REFUSED
        except OSError:
            if not door.may_fail_on_files:
                raise
            return Answer.REFUSED
        finally:
            os.chdir(before)
        return Answer.READ

    @property
    def _doors(self) -> Mapping[str, Door]:
        return DOORS if self.doors is None else self.doors
