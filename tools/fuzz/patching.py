"""Bytes with others put in their place."""

from __future__ import annotations

import struct

__all__ = ["put", "put_sides"]


def put(data: bytes, at: int, part: bytes) -> bytes:
    """Returns bytes with others in their place."""
    return data[:at] + part + data[at + len(part) :]


def put_sides(data: bytes, layout: str, *sides: tuple[int, int | None]) -> bytes:
    """Returns bytes with numbers in their places.

    Args:
        data: The bytes.
        layout: How `struct` calls the kind of number.
        sides: Places and numbers; None for the number that is there.
    """
    for at, side in sides:
        data = data if side is None else put(data, at, struct.pack(layout, side))
    return data
