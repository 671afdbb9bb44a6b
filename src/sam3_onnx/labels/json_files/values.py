"""Checked reading of numbers and sizes from JSON values of any type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FARTHEST", "number", "numbers", "side"]

FARTHEST = 1e9
"""Largest coordinate and size in pixels; no picture is larger."""


def number(value: object) -> float | None:
    """Returns a number between `-FARTHEST` and `FARTHEST`; None for any other value, such as text, True or NaN."""
    return float(value) if is_number(value) and abs(value) <= FARTHEST else None


def numbers(values: object) -> NDArray[np.float64] | None:
    """Returns a list of numbers as an array (N,); None if it is not a list, or `number` rejects one of its items."""
    if not isinstance(values, list):
        return None
    known = [found for found in map(number, values) if found is not None]
    return np.array(known, np.float64) if len(known) == len(values) else None


def side(value: object) -> int | None:
    """Returns a height or width in pixels, from 1 to `FARTHEST` (40.0 is read as 40); None for any other value."""
    found = number(value)
    return int(found) if found is not None and found >= 1 and found.is_integer() else None
