"""Strict reading and portable writing of JSON."""

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
    """Parses JSON in UTF-8, with or without a byte order mark.

    Args:
        content: The bytes of a file.
        path: Path of the file, for messages.
        python_numbers: Whether to accept NaN and Infinity, which Python's `json` module writes and reads.

    Raises:
        LabelFileDamagedError: The content is not JSON, or one of its objects has two values with the same name, of
            which only one could be kept.
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
    """Encodes values as JSON in UTF-8, with unescaped letters of all scripts and a line break at the end.

    Args:
        content: Plain values.
        indent: Number of spaces for each level; None for everything on one line.
        python_numbers: Whether to accept NaN and infinity, as for `parse_json`.

    Raises:
        LabelShapeError: Values are nested too deeply to be written.
        ValueError: A number is NaN or infinite.
    """
    try:
        text = json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=python_numbers)
    except RecursionError as error:
        expected = "values that are nested in at most a few hundred levels"
        raise LabelShapeError(where="The label file", expected=expected, got="more levels") from error
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:  # half of a surrogate pair: impossible in UTF-8, but possible as an escape sequence
        return f"{json.dumps(content, indent=indent, allow_nan=python_numbers)}\n".encode()


def _refused(constant: str) -> float:
    raise ValueError(f"{constant}, which is not a JSON number")


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
