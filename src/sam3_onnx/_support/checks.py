"""Checks of what callers pass to options: what is of the wrong kind is refused before anything runs."""

from __future__ import annotations

import difflib
import os
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "is_number",
    "is_whole",
    "require_callable",
    "require_callbacks",
    "require_flag",
    "require_known",
    "require_label",
    "require_path",
    "require_whole",
]


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a real number, NumPy's among them; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


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


def require_known(names: Iterable[str], known: Iterable[str], *, also: Iterable[str] = ()) -> None:
    """Lets names of options pass.

    Args:
        names: What a caller passed by keyword.
        known: The options that there are.
        also: Keywords that the same call takes beside these options; they are listed and offered as near names.

    Raises:
        OptionError: One is no option; the message lists those that there are, and offers a near one.
    """
    options = [*known]
    listed = [*also, *options]
    for name in names:
        if name not in options:
            near = difflib.get_close_matches(name.lower(), listed, n=1, cutoff=0.7)
            remedy = f"Did you mean {near[0]}?" if near else ""
            raise OptionError("The name of an option", expected=f"one of {', '.join(listed)}", got=name, remedy=remedy)


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
    """A path from what the caller calls one, with `~` for the user's home folder.

    Raises:
        OptionError: It is neither a string nor a path object, it is empty, or nobody's home folder is known by `~`.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise OptionError(name, expected="a path: a string that is not empty, or a pathlib.Path", got=value)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise OptionError(name, expected="a path whose ~ stands for a home folder", got=text) from error


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


def require_callbacks(cancel: object, progress: object = None) -> None:
    """Lets an event and a function pass, and None for either.

    Raises:
        OptionError: `cancel` cannot be set by another thread, or `progress` cannot be called.
    """
    if cancel is not None and not (hasattr(cancel, "is_set") and hasattr(cancel, "wait")):
        raise OptionError("cancel", expected="a threading.Event or None", got=cancel)
    require_callable("progress", progress, takes="the name of a stage")
