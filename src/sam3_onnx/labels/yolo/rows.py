"""Reading of the rows of YOLO's label files, and writing of unchanged rows exactly as they were read."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import LabelError, LabelFileDamagedError, LabelFileKindError
from sam3_onnx.labels.formats import modes_of
from sam3_onnx.results.shape import Shape

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.labels.yolo.lines import YoloTask

__all__ = ["RowReader", "joined_rows", "rows_of", "untouched"]

_BOX, _CORNERS, _LEAST_VERTICES = 4, 8, 6
_PIXEL_DECIMALS = 6
_FARTHEST = 1e6
"""Largest coordinate. Coordinates are fractions of the picture; some files contain pixels, but no picture is larger."""
_COUNTS = {"detect": "4 numbers", "segment": "6 numbers or more", "obb": "8 numbers"}


def rows_of(content: bytes, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Splits a label file into lines with their line ends, like trainers do, with Python's `splitlines`.

    Raises:
        LabelFileDamagedError: The file is not text in UTF-8.
    """
    try:
        return tuple(content.decode().splitlines(keepends=True))
    except UnicodeDecodeError as error:
        raise LabelFileDamagedError(Path(path), expected="lines of numbers", reason=str(error)) from error


@dataclass(frozen=True)
class RowReader:
    """Reader of the rows of a label file for one task."""

    task: YoloTask
    classes: Sequence[str]
    """Class names; the index of a name is its class number."""
    size: tuple[int, int]
    """(height, width) of the picture."""
    path: Path
    """Path of the file, for messages."""

    def shape(self, row: str, line: int) -> Shape | None:
        """Returns the shape of a row, or None for a blank row or a comment.

        Args:
            row: A row of `rows_of`.
            line: Its line number for messages, counted from 1.

        Raises:
            LabelFileDamagedError: The row is not a class number and coordinates.
            LabelFileKindError: The row has the number of coordinates of another task.
        """
        words = row.removeprefix("\ufeff").split()
        if not words or words[0].startswith("#"):
            return None
        label = self._label(words[0], line)
        try:
            numbers = list(map(_number, words[1:]))
        except ValueError as error:
            raise self._damaged("numbers", line, str(error)) from error
        if not all(map(math.isfinite, numbers)):
            raise self._damaged("finite numbers", line, " ".join(words[1:])[:60])
        if any(abs(number) > _FARTHEST for number in numbers):
            raise self._damaged(f"numbers of at most {_FARTHEST:.0f}", line, " ".join(words[1:])[:60])
        score = numbers.pop() if len(numbers) % 2 else None
        self._require_count(len(numbers), line)
        if score is not None and not 0 <= score <= 1:
            raise self._damaged("a score in 0..1 after the coordinates", line, words[-1][:60])
        return self._made(label, np.array(numbers, np.float64).reshape(-1, 2), score)

    def _label(self, word: str, line: int) -> str:
        try:
            number = _number(word)
        except ValueError as error:
            raise self._damaged("a class number", line, f"{word!r:.60}") from error
        if number not in range(len(self.classes)):
            raise self._damaged(f"a class number in 0..{len(self.classes) - 1}", line, word[:60])
        return self.classes[int(number)]

    def _require_count(self, count: int, line: int) -> None:
        is_expected = {"detect": count == _BOX, "segment": count >= _LEAST_VERTICES, "obb": count == _CORNERS}
        if not is_expected[self.task]:
            raise LabelFileKindError(
                self.path,
                expected=f"lines for yolo-{self.task}: a class number and {_COUNTS[self.task]}",
                got=f"{count} numbers on line {line}",
                remedy="Read it with the task for which it was written.",
            )

    def _made(self, label: str, shares: NDArray[np.float64], score: float | None) -> Shape:
        height, width = self.size
        if self.task == "detect":
            (x, y), (w, h) = shares
            shares = np.array(
                [(x - w / 2, y - h / 2), (x + w / 2, y - h / 2), (x + w / 2, y + h / 2), (x - w / 2, y + h / 2)]
            )
        points = np.round(shares * (width, height), _PIXEL_DECIMALS)
        if self.task != "obb":
            return Shape(label, modes_of(f"yolo-{self.task}")[0], points, score)
        across, down = (points[1] - points[0]).tolist()
        return Shape(label, "rotation", points, score, math.atan2(down, across) % math.tau % math.tau)

    def _damaged(self, expected: str, line: int, got: str) -> LabelFileDamagedError:
        return LabelFileDamagedError(self.path, expected=f"{expected} on line {line}", reason=got)


def untouched(rows: Iterable[str], shapes: Sequence[Shape], reader: RowReader) -> tuple[list[str], list[Shape]]:
    """Returns the rows to keep (rows of unchanged shapes, blank rows and comments), and the shapes without a row.

    Args:
        rows: Rows of the file from which the shapes were read; task or classes may have changed since then.
        shapes: The shapes to write.
        reader: Reader for the file to write.
    """
    waiting = Counter(shapes)
    kept: list[str] = []
    said: Counter[Shape] = Counter()
    for row in rows:
        try:
            shape = reader.shape(row, 0)
        except LabelError:
            continue
        if shape is None or said[shape] < waiting[shape]:
            kept.append(row)
            said.update([] if shape is None else [shape])
    others: list[Shape] = []
    for shape in shapes:
        if said[shape]:
            said[shape] -= 1
        else:
            others.append(shape)
    return kept, others


def joined_rows(kept: Sequence[str], new: Iterable[str]) -> str:
    """Joins kept rows and new rows to a text; new rows have the same line end as the first kept row."""
    end = "\r\n" if kept and kept[0].endswith("\r\n") else "\n"
    added = "".join(f"{line}{end}" for line in new)
    is_open = bool(kept) and kept[-1].splitlines() == [kept[-1]]
    return "".join(kept) + (end if is_open and added else "") + added


def _number(word: str) -> float:
    """Parses a number like trainers do; Python's `float` also accepts underscores and the digits of other scripts."""
    if "_" in word or not word.isascii():
        raise ValueError(f"could not convert string to float: {word!r:.60}")
    return float(word)
