"""JSON that is read strictly and written so that other programs read the same."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx.errors import LabelFileDamagedError, LabelShapeError

if TYPE_CHECKING:
    import os

__all__ = ["dump_json", "parse_json"]


def parse_json(content: bytes, path: str | os.PathLike[str], *, python_numbers: bool = False) -> object:
    """Returns what JSON in UTF-8 says, with or without a byte order mark.

    Args:
        content: The bytes of a file.
        path: What the file is called, for messages.
        python_numbers: Whether NaN and Infinity pass, which Python's own `json` writes and reads.

    Raises:
        LabelFileDamagedError: It is not JSON, or an object of it has two values of one name, of which only one could
            be kept.
    """
    try:
        parsed: object = json.loads(
            content.decode("utf-8-sig"),
            parse_constant=None if python_numbers else _refused,
            parse_float=_finite,
            object_pairs_hook=_with_each_name_once,
        )
    except (ValueError, RecursionError) as error:
        reason = "an empty file" if not content.strip() else str(error)
        raise LabelFileDamagedError(Path(path), expected="JSON in UTF-8", reason=reason) from error
    return parsed


def dump_json(content: object, *, indent: int | None = 2, python_numbers: bool = False) -> bytes:
    """Returns JSON in UTF-8, letters of every script as they are, with a line's end at the end.

    Args:
        content: Plain values.
        indent: Spaces for each level; None for all on one line.
        python_numbers: Whether NaN and infinities pass, as `parse_json` lets them.

    Raises:
        LabelShapeError: Values are nested too deeply to be written.
        ValueError: A number is NaN or infinite.
    """
    try:
        text = json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=python_numbers)
    except RecursionError as error:
        expected = "values within values within values, but not hundreds of them"
        raise LabelShapeError(where="What is to be written", expected=expected, got="more") from error
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:  # half of a surrogate pair: UTF-8 has no form for it, an escape sequence is one
        return f"{json.dumps(content, indent=indent, allow_nan=python_numbers)}\n".encode()


def _refused(constant: str) -> float:
    raise ValueError(f"{constant}, which is no JSON number")


def _with_each_name_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in fields if names.count(name) > 1)
        raise ValueError(f"an object with two values for {twice!r}")
    return fields


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits}, which is too large")
    return number
