"""The parser of the command line: options are written out, what is not understood is answered with what was meant."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from sam3_onnx.cli.hints import hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import NoReturn

__all__ = ["CommandParser", "with_negative_numbers"]

_NEGATIVE = re.compile(r"-\.?\d")


class CommandParser(argparse.ArgumentParser):
    """A parser of a command that takes no shortened options, and ends with its own usage and a hint."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - argparse's own
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})
        self._words: list[str] = []

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - argparse's own
        """See `argparse.ArgumentParser`; words that are left over end the program here, with this command's usage."""
        self._words = [] if args is None else list(args)
        options, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}", rest)
        return options, rest

    def error(self, message: str, rest: Sequence[str] = ()) -> NoReturn:
        """Prints the usage, what is wrong and what was probably meant, and ends the program with status 2."""
        known = [option for action in self._actions for option in action.option_strings]
        branches = (action for action in self._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001 - it has no public name
        commands = [name for branch in branches for name in branch.choices]
        advice = hints(self._words, known, message, rest, program=self.prog, commands=commands)
        super().error("\n".join([message, *(f"  {hint}" for hint in advice)]))


def with_negative_numbers(words: Iterable[str]) -> list[str]:
    """Returns words in which a negative number is joined to the option before it: `--box=-5,1,9,9`.

    argparse takes `-5,1,9,9` for an option of its own.
    """
    joined: list[str] = []
    for word in words:
        if _NEGATIVE.match(word) and joined and joined[-1].startswith("--") and "=" not in joined[-1]:
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined
