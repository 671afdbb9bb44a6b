"""Ids and names of the entries of a COCO file."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sam3_onnx._support.checks import is_number, is_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Entry", "Id", "entry_id", "entry_name", "next_id"]

Entry: TypeAlias = dict[str, object]
"""An object of the file, with all its fields."""
Id: TypeAlias = int | str
_LARGEST = 2**53
"""Largest id; above it, programs that read all numbers as floats may confuse two ids."""


def entry_id(entry: object, field: str = "id") -> Id | None:
    """Returns the id in a field of an entry, a number or a string (1.0 is read as 1); None if it is not a valid id."""
    value = entry.get(field) if isinstance(entry, dict) else None
    if isinstance(value, str):
        return value
    if is_whole(value):
        return int(value)
    return int(value) if is_number(value) and float(value).is_integer() else None


def entry_name(entry: object, field: str) -> str | None:
    """Returns the name in a field of an entry; None if it is not a name."""
    value = entry.get(field) if isinstance(entry, dict) else None
    return str(value) if isinstance(value, str) or is_whole(value) else None


def next_id(ids: Iterable[Id | None]) -> int:
    """Returns an id above all ids in use; ids out of range are ignored."""
    return 1 + max((one for one in ids if isinstance(one, int) and 0 < one < _LARGEST), default=0)
