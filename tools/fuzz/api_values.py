"""Values that nobody expects: numbers that are none, arrays of odd shapes, objects of other kinds."""

from __future__ import annotations

import io
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

__all__ = ["odd_value"]


class _Plain:
    """An object that knows nothing but that it is no less than another."""

    def __init__(self, *_: object) -> None: ...

    def __lt__(self, _: object) -> bool:
        return False


class _Reads:
    """A file whose content is text."""

    def read(self) -> str:
        """Returns text."""
        return "text"


def _endless() -> list[object]:
    """Returns a list that holds itself."""
    found: list[object] = []
    found.append(found)
    return found


_VALUES: Mapping[str, Callable[[], object]] = {
    "None": lambda: None,
    "True": lambda: True,
    "False": lambda: False,
    "np.True_": lambda: np.True_,
    "0": lambda: 0,
    "1": lambda: 1,
    "-1": lambda: -1,
    "7": lambda: 7,
    "2**31": lambda: 2**31,
    "2**70": lambda: 2**70,
    "10**400": lambda: 10**400,
    "-10**400": lambda: -(10**400),
    "0.5": lambda: 0.5,
    "-0.5": lambda: -0.5,
    "1e308": lambda: 1e308,
    "1e-320": lambda: 1e-320,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: -float("inf"),
    "1j": lambda: 1j,
    "Decimal": lambda: Decimal("0.5"),
    "Decimal nan": lambda: Decimal("nan"),
    "Fraction": lambda: Fraction(1, 3),
    "huge Fraction": lambda: Fraction(10**400, 3),
    "float32": lambda: np.float32(0.5),
    "float64 nan": lambda: np.float64("nan"),
    "int8": lambda: np.int8(-1),
    "uint8": lambda: np.uint8(3),
    "int64": lambda: np.int64(2),
    "date": lambda: np.datetime64("2020-01-01"),
    "no text": lambda: "",
    "blank": lambda: " \n",
    "number as text": lambda: "0.5",
    "text": lambda: "coin",
    "list as text": lambda: "coin; ring | dog\ncat",
    "long text": lambda: "a" * 5000,
    "NUL": lambda: "a\0b",
    "half a surrogate": lambda: "\ud800",
    "no bytes": lambda: b"",
    "bytes": lambda: b"coin",
    "bytearray": lambda: bytearray(b"coin"),
    "memoryview": lambda: memoryview(b"coin"),
    "[]": list,
    "()": tuple,
    "{}": dict,
    "set()": set,
    "numbers": lambda: [1, 2],
    "four numbers": lambda: (1, 2, 30, 40),
    "boxes": lambda: [[1, 2, 30, 40]],
    "[None]": lambda: [None],
    "[[]]": lambda: [[]],
    "texts": lambda: ["coin", ""],
    "mapping": lambda: {"coin": "money"},
    "mapping of numbers": lambda: {1: 2},
    "endless list": _endless,
    "object": _Plain,
    "class": lambda: _Plain,
    "function": lambda: lambda *_: 0,
    "function of one": lambda: lambda _: False,
    "generator": lambda: (number for number in (1, 2)),
    "range": lambda: range(3),
    "iterator": lambda: iter([None]),
    "no array": lambda: np.zeros((0,)),
    "array of one": lambda: np.array([0.5]),
    "scalar array": lambda: np.array(5),
    "array of four": lambda: np.array([1, 2, 30, 40]),
    "array of nan": lambda: np.full((2, 4), np.nan),
    "array of 4-D": lambda: np.zeros((1, 1, 2, 4), np.uint8),
    "bool array": lambda: np.ones((60, 90), np.bool_),
    "float array": lambda: np.ones((60, 90), np.float32),
    "picture": lambda: np.zeros((60, 90, 3), np.uint8),
    "array of objects": lambda: np.array([None, "a"], object),
    "array of text": lambda: np.array(["a", "b"]),
    "matrix": lambda: np.array([[1, 2, 30, 40]]).view(np.matrix),
    "masked array": lambda: np.ma.masked_array([1, 2, 3, 4], [True, False, True, False]),
    "structured array": lambda: np.zeros(2, [("x", int), ("y", float)]),
    "path": lambda: Path("nowhere"),
    "this folder": Path,
    "Box": lambda: Box(1, 2, 30, 40),
    "huge Box": lambda: Box(1, 2, 10**400, 50),
    "Box of text": lambda: Box("1", None, [], {}),  # type: ignore[arg-type]
    "bytes file": lambda: io.BytesIO(b"coin"),
    "text file": lambda: io.StringIO("coin"),
    "odd file": _Reads,
    "event": threading.Event,
    "error": lambda: ValueError("coin"),
}
_WRAPPINGS: Mapping[str, Callable[[object], object]] = {
    "[{}]": lambda value: [value],
    "({}, 2, 40, 50)": lambda value: (value, 2, 40, 50),
    "[({}, 2, 40, 50)]": lambda value: [(value, 2, 40, 50)],
    "({}, 30)": lambda value: (value, 30),
    "[({}, 30)]": lambda value: [(value, 30)],
    "{'coin': {}}": lambda value: {"coin": value},
    "[{'type': 'rectangle', 'data': [1, 2, 40, 50], 'label': {}}]": lambda value: [
        {"type": "rectangle", "data": [1, 2, 40, 50], "label": value}
    ],
    "iter([{}])": lambda value: iter([value]),
}
_WRAPPED = 0.25
"""Share of values that stand inside another one."""


def odd_value(chance: Random) -> tuple[str, object]:
    """Returns a value, and what it is called."""
    name = chance.choice(list(_VALUES))
    value = _VALUES[name]()
    if chance.random() >= _WRAPPED:
        return name, value
    wrapping = chance.choice(list(_WRAPPINGS))
    return wrapping.replace("{}", name), _WRAPPINGS[wrapping](value)
