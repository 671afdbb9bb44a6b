"""Numbers of classes that label files use."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["NumberedRow", "first_row"]

_LEAST_WORDS = 5
"""Words of the shortest row: a class, and four numbers of a box."""


class NumberedRow(NamedTuple):
    """A row of a label file."""

    path: Path
    line: int
    number: int
    """Number of its class."""


def first_row(folder: Path, numbers: range, *, lists: Collection[str], alone: Path | None = None) -> NumberedRow | None:
    """Returns a row whose class has one of some numbers, from the label files of a folder; None if there is none.

    Args:
        folder: It need not be there.
        numbers: Which classes to look for.
        lists: Names of lists of classes. Folders below that hold one are left out: they have numbers of their own.
        alone: A label file that is left out, for which no folder below is looked through; None to look through all.
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
    """Yields the rows of a file; none where it cannot be read, of which whoever reads its shapes tells."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        for at, line in enumerate(file, start=1):
            words = line.split()
            with contextlib.suppress(ValueError):  # a line of another text
                if len(words) >= _LEAST_WORDS and (number := float(words[0])).is_integer():
                    list(map(float, words))
                    yield NumberedRow(path, at, int(number))
