"""Values of options as they are written in a shell, each with what was meant where it is not understood."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import is_share
from sam3_onnx._support.keywords import near_name
from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["box", "braced", "choice", "number", "point", "require_least", "require_share", "share_or_off", "whole"]

_PERCENT = 100
_CLEARLY_PERCENT = 10
"""From here on a number above 1 is a percentage; 3 may be a slip of another kind."""


def number(text: str) -> float:
    """Returns a number; a comma is no decimal point."""
    try:
        return float(text)
    except ValueError as error:
        meant = re.fullmatch(r"(-?\d*)[.,]?(\d*)(%?)", text)
        near = ""
        if meant and any(meant.groups()):
            value = float(f"{meant[1] or 0}.{meant[2] or 0}") / (_PERCENT if meant[3] else 1)
            near = f": did you mean {value:g}?"
        raise ArgumentTypeError(f"expected a number, such as 0.5, got {text!r}{near}") from error


def whole(text: str) -> int:
    """Returns a whole number."""
    try:
        return int(text)
    except ValueError as error:
        raise ArgumentTypeError(f"expected a whole number, got {text!r}") from error


def share_or_off(text: str) -> float | None:
    """Returns a number; None for "off"."""
    if text == "off":
        return None
    try:
        return number(text)
    except ArgumentTypeError as error:
        raise ArgumentTypeError(str(error).replace("a number", "a number or off", 1)) from error


def require_share(option: str, value: float | None) -> None:
    """Lets None and a number in 0..1 pass.

    Raises:
        OptionError: It is another one, which may have been meant as a percentage.
    """
    if value is None or is_share(value):
        return
    is_percentage = _CLEARLY_PERCENT <= value <= _PERCENT
    remedy = f"Did you mean {value / _PERCENT:g}?" if is_percentage else ""
    raise OptionError(option, expected="a number in 0..1", got=value, remedy=remedy)


def require_least(option: str, value: int | None, least: int) -> None:
    """Lets None pass, and whole numbers from the least one on.

    Raises:
        OptionError: It is smaller.
    """
    if value is not None and value < least:
        raise OptionError(option, expected=f"a whole number of at least {least}", got=value)


def choice(names: Sequence[str]) -> Callable[[str], str]:
    """Returns what lets one of some names pass."""

    def chosen(text: str) -> str:
        if text in names:
            return text
        others = [name for name in names if text and name.startswith(text.lower())]
        near = others or [name for name in [near_name(text, names)] if name]
        meant = f": did you mean {' or '.join(near)}?" if near else ""
        raise ArgumentTypeError(f"expected one of {', '.join(names)}, got {text!r}{meant}")

    return chosen


def braced(names: Sequence[str]) -> str:
    """Returns names as the help shows a choice."""
    return f"{{{','.join(names)}}}"


def box(text: str) -> tuple[float, float, float, float]:
    """Returns x1, y1, x2, y2."""
    x1, y1, x2, y2 = _numbers(text, ("four", "x1,y1,x2,y2"), 4)
    return x1, y1, x2, y2


def point(text: str) -> tuple[float, float]:
    """Returns x, y."""
    x, y = _numbers(text, ("two", "x,y"), 2)
    return x, y


def _numbers(text: str, called: tuple[str, str], count: int) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) == count:
        return found
    parts = re.findall(r"-?\d+(?:\.\d+)?", text)
    near = f": did you mean {','.join(parts)}?" if len(parts) == count else ""
    raise ArgumentTypeError(f"expected {called[0]} numbers {called[1]}, got {text!r}{near}")
