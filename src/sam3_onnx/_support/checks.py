"""Is what a caller passed of the kind that an option takes? What is wrong is refused before anything runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import TypeGuard

import numpy as np

from sam3_onnx.errors import OptionError

__all__ = [
    "is_number",
    "is_whole",
    "require_callbacks",
    "require_flag",
    "require_label",
    "require_path",
    "require_pictures",
]


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a real number, NumPy's among them; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is an integer, NumPy's among them; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


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
    """A path from what the caller calls one.

    Raises:
        OptionError: It is neither a string nor a path object.
    """
    if not isinstance(value, str | os.PathLike):
        raise OptionError(name, expected="a path: a string or a pathlib.Path", got=value)
    return Path(value)


def require_callbacks(cancel: object, progress: object = None) -> None:
    """Lets an event and a function pass, and None for either.

    Raises:
        OptionError: `cancel` cannot be set by another thread, or `progress` cannot be called.
    """
    if cancel is not None and not (hasattr(cancel, "is_set") and hasattr(cancel, "wait")):
        raise OptionError("cancel", expected="a threading.Event or None", got=cancel)
    if progress is not None and not callable(progress):
        raise OptionError("progress", expected="a function that takes the name of a stage, or None", got=progress)


def require_pictures(value: object) -> None:
    """Lets an iterable of pictures pass.

    Raises:
        OptionError: It is one picture, or nothing that can be gone through.
    """
    is_one = isinstance(value, str | bytes | bytearray | memoryview | os.PathLike | np.ndarray)
    if is_one or hasattr(value, "read") or not isinstance(value, Iterable):
        raise OptionError(
            "pictures",
            expected="a list or another iterable of pictures",
            got=value if isinstance(value, str | os.PathLike) else type(value),
            remedy="Pass [picture] for one picture, list(batch) for an array of several.",
        )
