"""The rows of YOLO's label files: what they say, and how untouched ones stay as they are."""

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
"""Coordinates are shares of the picture. Some files hold pixels, which stay as they are; no picture has so many."""
_COUNTS = {"detect": "4 numbers", "segment": "6 numbers or more", "obb": "8 numbers"}


def rows_of(content: bytes, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Returns the lines of a label file with their ends, at which trainers divide it: Python's `splitlines`.

    Raises:
        LabelFileDamagedError: It is no text in UTF-8.
    """
    try:
        return tuple(content.decode().splitlines(keepends=True))
    except UnicodeDecodeError as error:
        raise LabelFileDamagedError(Path(path), expected="lines of numbers", reason=str(error)) from error


@dataclass(frozen=True)
class RowReader:
    """Reads the rows of a label file of one task."""

    task: YoloTask
    classes: Sequence[str]
    """Names of the classes, each at its number."""
    size: tuple[int, int]
    """(height, width) of the picture."""
    path: Path
    """What the file is called, for messages."""

    def shape(self, row: str, line: int) -> Shape | None:
        """Returns the shape that a row says, None for a blank one or a comment.

        Args:
            row: One of `rows_of`.
            line: Its number, from 1 on, for messages.

        Raises:
            LabelFileDamagedError: It holds something else than the number of a class and coordinates.
            LabelFileKindError: It has as many numbers as rows of another task.
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
            raise self._damaged("a confidence in 0..1 as the number behind the coordinates", line, words[-1][:60])
        return self._made(label, np.array(numbers, np.float64).reshape(-1, 2), score)

    def _label(self, word: str, line: int) -> str:
        try:
            number = _number(word)
        except ValueError as error:
            raise self._damaged("the number of a class", line, f"{word!r:.60}") from error
        if number not in range(len(self.classes)):
            raise self._damaged(f"the number of one of {len(self.classes)} classes", line, word[:60])
        return self.classes[int(number)]

    def _require_count(self, count: int, line: int) -> None:
        is_expected = {"detect": count == _BOX, "segment": count >= _LEAST_VERTICES, "obb": count == _CORNERS}
        if not is_expected[self.task]:
            raise LabelFileKindError(
                self.path,
                expected=f"lines for yolo-{self.task}: a class and {_COUNTS[self.task]}",
                got=f"{count} numbers on line {line}",
                remedy="Read it with the task that it was written for.",
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
    """Returns the rows that still say one of some shapes, with blank ones and comments, and the shapes without a row.

    Args:
        rows: Of the file that the shapes were read from; some may be of another task or of other classes by now.
        shapes: What is to be written.
        reader: Of the file that is to be written.
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
    """Returns rows that stay as they are with new ones behind them, which end as the first of them does."""
    end = "\r\n" if kept and kept[0].endswith("\r\n") else "\n"
    added = "".join(f"{line}{end}" for line in new)
    is_open = bool(kept) and kept[-1].splitlines() == [kept[-1]]
    return "".join(kept) + (end if is_open and added else "") + added


def _number(word: str) -> float:
    """Returns what trainers read: Python also takes underscores and the digits of other scripts."""
    if "_" in word or not word.isascii():
        raise ValueError(f"could not convert string to float: {word!r:.60}")
    return float(word)
