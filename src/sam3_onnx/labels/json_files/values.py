"""Values of JSON files that may be anything: numbers and sizes as pictures have them, and None for all else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FARTHEST", "number", "numbers", "side"]

FARTHEST = 1e9
"""Pixels: what lies farther away is no place in a picture, nor a size of one."""


def number(value: object) -> float | None:
    """Returns a number of at most `FARTHEST`, up or down; None for text, True, NaN, what is larger, and all else."""
    return float(value) if is_number(value) and abs(value) <= FARTHEST else None


def numbers(values: object) -> NDArray[np.float64] | None:
    """Returns a list of numbers as an array (N,); None if it is no list, or `number` takes one of them for none."""
    if not isinstance(values, list):
        return None
    known = [found for found in map(number, values) if found is not None]
    return np.array(known, np.float64) if len(known) == len(values) else None


def side(value: object) -> int | None:
    """Returns a height or a width in pixels, from 1 to `FARTHEST`; None for all else. 40.0 is taken for 40."""
    found = number(value)
    return int(found) if found is not None and found >= 1 and found.is_integer() else None
