"""Numbers by which the entries of a COCO file refer to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sam3_onnx._support.checks import is_number, is_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Entry", "Id", "entry_id", "entry_name", "next_id"]

Entry: TypeAlias = dict[str, object]
"""An object of the file, with whatever fields it has."""
Id: TypeAlias = int | str
_LARGEST = 2**53
"""Above it, programs that read all numbers as floats take one number for another."""


def entry_id(entry: object, field: str = "id") -> Id | None:
    """Returns a number or a name that a field of an entry holds; 1.0 is 1. None for what can be no such number."""
    value = entry.get(field) if isinstance(entry, dict) else None
    if isinstance(value, str):
        return value
    if is_whole(value):
        return int(value)
    return int(value) if is_number(value) and float(value).is_integer() else None


def entry_name(entry: object, field: str) -> str | None:
    """Returns the name in a field of an entry; None for what is none."""
    value = entry.get(field) if isinstance(entry, dict) else None
    return str(value) if isinstance(value, str) or is_whole(value) else None


def next_id(ids: Iterable[Id | None]) -> int:
    """Returns a number above all that are in use, as far as they are sensible ones."""
    return 1 + max((one for one in ids if isinstance(one, int) and 0 < one < _LARGEST), default=0)
