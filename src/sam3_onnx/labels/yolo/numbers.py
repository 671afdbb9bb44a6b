"""Search for class numbers in label files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["NumberedRow", "first_row"]

_LEAST_WORDS = 5
"""Number of words in the shortest row: a class number, and four numbers of a box."""


class NumberedRow(NamedTuple):
    """A row of a label file with its class number."""

    path: Path
    line: int
    number: int
    """Class number of the row."""


def first_row(folder: Path, numbers: range, *, lists: Collection[str], alone: Path | None = None) -> NumberedRow | None:
    """Returns the first row with one of some class numbers in the label files of a folder; None if there is none.

    Args:
        folder: The folder; it does not have to exist.
        numbers: Class numbers to look for.
        lists: File names of class lists. Subfolders with such a file are skipped, because they have their own numbers.
        alone: A label file to skip; subfolders are then not searched. None to search all files.
    """
    for place, within, files in os.walk(folder) if numbers else ():
        if Path(place) != folder and not set(lists).isdisjoint(files):
            within.clear()
            continue
        within[:] = sorted(name for name in within if not name.startswith(".")) if alone is None else []
        for name in sorted(files):
            path = Path(place, name)
            if path.suffix.lower() == ".txt" and name not in lists and path != alone:
                for row in _rows(path):
                    if row.number in numbers:
                        return row
    return None


def _rows(path: Path) -> Iterator[NumberedRow]:
    """Yields the rows of a file; none if it cannot be read, because reading its shapes raises the error."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        for at, line in enumerate(file, start=1):
            words = line.split()
            with contextlib.suppress(ValueError):  # a line that is not a row of YOLO
                if len(words) >= _LEAST_WORDS and (number := float(words[0])).is_integer():
                    list(map(float, words))
                    yield NumberedRow(path, at, int(number))
