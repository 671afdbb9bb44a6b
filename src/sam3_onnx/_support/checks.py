"""Checks of what callers pass to options: what is of the wrong kind is refused before anything runs."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, SupportsFloat, TypeGuard

from sam3_onnx._support.keywords import near_name
from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "as_entries",
    "as_finite",
    "as_sign",
    "is_number",
    "is_share",
    "is_whole",
    "require_callable",
    "require_callbacks",
    "require_choice",
    "require_flag",
    "require_label",
    "require_path",
    "require_size",
    "require_whole",
]

_LONGEST_NAME = 255
"""Bytes of a file's name on the file systems in use."""
_FEW = 3
"""Names that are read at a glance."""


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite real number that a float can hold, NumPy's among them; True and False are none."""
    return isinstance(value, Real) and as_finite(value) is not None


def is_share(value: object) -> TypeGuard[float]:
    """Whether it is a number in 0..1."""
    return is_number(value) and bool(0 <= value <= 1)


def as_finite(value: object) -> float | None:
    """Returns one number as a float; None for what is none, is not finite or too large, and for True and False.

    More than `is_number` passes: whatever turns itself into a float, such as an element of a tensor.
    """
    if _is_bool(value) or not isinstance(value, SupportsFloat):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):  # an array of several, a date, an integer of 400 digits
        return None
    return number if math.isfinite(number) else None


def as_sign(value: object) -> bool | None:
    """Returns True for True and 1, False for False and 0, NumPy's among them; None for anything else."""
    return bool(value) if (_is_bool(value) or is_whole(value)) and value in (0, 1) else None


def _is_bool(value: object) -> bool:
    """Whether it is True or False, NumPy's too, which are known by name: the command line starts without NumPy."""
    return type(value).__name__ in {"bool", "bool_"}


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is an integer, NumPy's among them; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def require_whole(name: str, value: object, *, least: int, of: str = "", none: str = "") -> None:
    """Lets a whole number pass, NumPy's among them; True and False are none.

    Args:
        name: What the caller knows the value by.
        value: What was passed.
        least: The smallest that passes.
        of: What is counted, such as "bytes"; "" where that is plain.
        none: What None stands for, if it passes.

    Raises:
        OptionError: It is anything else.
    """
    if (none and value is None) or (is_whole(value) and value >= least):
        return
    expected = f"a whole number {of and f'of {of} '}of at least {least}{none and f', or None {none}'}"
    raise OptionError(name, expected=expected, got=value)


def require_choice(name: str, value: object, choices: Collection[str], *, remedy: str = "", none: str = "") -> None:
    """Lets one of several names pass.

    Args:
        name: What the caller knows the value by.
        value: What was passed.
        choices: The names that there are.
        remedy: What to do instead; "" to offer a near name where there are many.
        none: What None stands for, if it passes.

    Raises:
        OptionError: It is anything else.
    """
    if (none and value is None) or (isinstance(value, str) and value in choices):
        return
    names = list(choices)
    if len(names) <= _FEW:
        quoted = [f'"{choice}"' for choice in names]
        expected = " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]
    else:
        expected = f"one of {', '.join(names)}"
        near = near_name(value, names) if isinstance(value, str) else None
        remedy = remedy or (f"Did you mean {near}?" if near else "")
    raise OptionError(name, expected=f"{expected}{none and f', or None {none}'}", got=value, remedy=remedy)


def require_flag(name: str, value: object) -> None:
    """Lets True and False pass.

    Raises:
        OptionError: It is anything else.
    """
    if not isinstance(value, bool):
        raise OptionError(name, expected="True or False", got=value)


def require_label(value: object) -> None:
    """Lets a string pass that is not blank.

    Raises:
        OptionError: It is anything else.
    """
    if not isinstance(value, str) or not value.strip():
        raise OptionError("label", expected="a string that is not blank", got=value)


def require_path(name: str, value: object) -> Path:
    """Returns a path from what the caller calls one, with `~` for the user's home folder.

    Raises:
        OptionError: It is neither a string nor a path object, it is empty, or no file can have such a name.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str):
        raise OptionError(name, expected="a path: a string or a pathlib.Path", got=value)
    if not text.strip():
        raise OptionError(name, expected="the path of a file or folder, which is not empty", got=text)
    if not _is_possible(text):
        raise OptionError(name, expected="a path that files can have", got=f"{text[:_LONGEST_NAME]!a}")
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser fails at a name such as "~backup"


def _is_possible(path: str) -> bool:
    """Whether a file can lie at a path: in bytes of the system, without NUL, no name of it too long."""
    try:
        return "\0" not in path and all(len(os.fsencode(part)) <= _LONGEST_NAME for part in Path(path).parts)
    except UnicodeEncodeError:
        return False


def require_size(name: str, value: object) -> tuple[int, int]:
    """Returns the height and width of a picture.

    Raises:
        OptionError: It is no two whole numbers of at least 1.
    """
    match as_entries(value):
        case (height, width) if is_whole(height) and is_whole(width) and min(height, width) >= 1:
            return int(height), int(width)
    raise OptionError(name, expected="the height and width of the picture, in whole pixels", got=value)


def as_entries(value: object) -> tuple[object, ...]:
    """Returns what can be gone through as a tuple; an empty one for text, and for arrays without a length."""
    try:
        return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else ()
    except TypeError:  # an array of no dimension says that it can be gone through
        return ()


def require_callable(name: str, value: object, *, takes: str) -> None:
    """Lets a function pass, and None.

    Args:
        name: What the caller knows the value by.
        value: What was passed.
        takes: What the function is called with, in words.

    Raises:
        OptionError: It cannot be called.
    """
    if value is not None and not callable(value):
        raise OptionError(name, expected=f"a function that takes {takes}, or None", got=value)


def require_callbacks(cancel: object, progress: object = None, *, takes: str = "the name of a stage") -> None:
    """Lets an event and a function pass, and None for either.

    Args:
        cancel: What was passed as the event.
        progress: What was passed as the function.
        takes: What the function is called with, in words.

    Raises:
        OptionError: `cancel` cannot be set by another thread, or `progress` cannot be called.
    """
    if cancel is not None and not (hasattr(cancel, "is_set") and hasattr(cancel, "wait")):
        raise OptionError("cancel", expected="a threading.Event or None", got=cancel)
    require_callable("progress", progress, takes=takes)
