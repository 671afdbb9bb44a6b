"""Label files as a subject of the fuzzer: what the library's readers and writers make of changed files."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sam3_onnx.errors import LabelError, Sam3Error
from tools.fuzz.inputs import Answer, Duty, FuzzInput, WrongAnswerError
from tools.fuzz.label_files import FORMATS, whole_labels
from tools.fuzz.label_mutations import mutations_of
from tools.fuzz.label_reading import add_shape, read_shapes, rows
from tools.fuzz.label_references import require_agreement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sam3_onnx.labels import Loss
    from sam3_onnx.results.shape import Shape
    from tools.fuzz.label_files import Expected, WholeLabels

__all__ = ["LabelInput", "LabelReader", "LabelSubject", "LabelWriter"]

_FAR_APART = 1e-4
"""Pixels between coordinates that are the same: those of YOLO are shares of the picture's sides."""


class LabelReader(Protocol):
    """A function as `read_shapes`."""

    def __call__(self, format_name: str, folder: Path, size: tuple[int, int], picture: str = ...) -> Sequence[Shape]:
        """Returns the shapes of a picture."""
        ...


class LabelWriter(Protocol):
    """A function as `add_shape`."""

    def __call__(self, format_name: str, folder: Path, size: tuple[int, int], picture: str = ...) -> Sequence[Loss]:
        """Adds a shape to those of a picture."""
        ...


@dataclass(frozen=True)
class LabelInput(FuzzInput):
    """The label files of a picture, and the whole one that it was made from."""

    whole: WholeLabels
    alone: bool
    """Whether only `a.png` is impossible, and `b.png` of the same file is not."""


@dataclass(frozen=True)
class LabelSubject:
    """Whole and changed label files, and the functions that are tried on them."""

    seed: int
    read: LabelReader = read_shapes
    add: LabelWriter = add_shape

    def make(self, number: int) -> LabelInput:
        """Returns the input of a number: formats take turns, and with each round the mutations of a format."""
        chance = Random(f"{self.seed} {number}")
        turn, place = divmod(number, len(FORMATS))
        whole = whole_labels(FORMATS[place], chance)
        mutations = mutations_of(whole.format)
        name = list(mutations)[turn % len(mutations)]
        files = mutations[name].change(whole, chance)
        if files is None:
            name, files = "whole", whole.files
        return LabelInput(whole.format, name, mutations[name].duty, files, whole, mutations[name].alone)

    def judge(self, made: LabelInput, folder: Path) -> Answer:
        """See `Subject.judge`."""
        for name, content in made.files.items():
            folder.joinpath(name).write_bytes(content)
        answer = self._read(made, folder)
        if answer is Answer.READ:
            self._add(made, folder, "a.png")
        elif made.alone:
            self._require_others(made, folder)
        return answer

    def _read(self, made: LabelInput, folder: Path) -> Answer:
        try:
            shapes = self.read(made.format, folder, made.whole.size)
        except Sam3Error as error:
            if made.duty is Duty.AGREE:
                raise WrongAnswerError(f"a whole file is refused: {error}") from error
            if not isinstance(error, LabelError):
                raise
            _require_untouched(made.files, folder)
            return Answer.REFUSED
        if made.duty is Duty.REFUSE:
            raise WrongAnswerError(f"an impossible file is read as {len(shapes)} shapes")
        if made.duty is Duty.AGREE:
            _require_same(shapes, made.whole.shapes, made.whole.size)
        if made.files == made.whole.files:
            require_agreement(made.format, folder, shapes, made.whole.size)
        return Answer.READ

    def _require_others(self, made: LabelInput, folder: Path) -> None:
        """Lets an impossible annotation of one picture pass if another picture can be read and labelled."""
        try:
            self.read(made.format, folder, made.whole.size, "b.png")
            self._add(made, folder, "b.png")
        except LabelError as error:
            raise WrongAnswerError(f"another picture of the file is refused, too: {error}") from error

    def _add(self, made: LabelInput, folder: Path, picture: str) -> None:
        """Adds a shape, and requires that everything else stays, or that its loss is reported."""
        before = self.read(made.format, folder, made.whole.size, picture)
        try:
            losses = self.add(made.format, folder, made.whole.size, picture)
        except LabelError as error:
            if made.duty is Duty.AGREE or made.alone:
                raise WrongAnswerError(f"no shape can be added: {error}") from error
            _require_untouched(made.files, folder)
            return
        try:
            after = self.read(made.format, folder, made.whole.size, picture)
        except LabelError as error:
            raise WrongAnswerError(f"what was written is refused: {error}") from error
        if losses:
            return
        if len(after) != len(before) + 1:
            raise WrongAnswerError(f"{len(before)} shapes, one was added, {len(after)} are read, no loss is reported")
        name = next(iter(made.files))
        _require_kept(rows(made.format, made.files[name]), rows(made.format, folder.joinpath(name).read_bytes()))


def _require_untouched(files: Mapping[str, bytes], folder: Path) -> None:
    now = {path.name: path.read_bytes() for path in folder.iterdir()}
    if now != dict(files):
        names = sorted(name for name in {*now, *files} if now.get(name) != files.get(name))
        raise WrongAnswerError(f"refused, and changed on the disk all the same: {', '.join(names)}")


def _require_kept(before: Sequence[object], after: Sequence[object]) -> None:
    """Lets rows pass that all stand among others in their order; objects may have got fields, and lost none."""
    others = iter(after)
    for row in before:
        if not any(_holds(other, row) for other in others):
            raise WrongAnswerError(f"a row is gone or changed, and no loss is reported: {row!r:.200}")


def _holds(row: object, facts: object) -> bool:
    if isinstance(row, dict) and isinstance(facts, dict):
        return all(key in row and row[key] == value for key, value in facts.items())
    return row == facts


def _require_same(shapes: Sequence[Shape], expected: Sequence[Expected], size: tuple[int, int]) -> None:
    if len(shapes) != len(expected):
        raise WrongAnswerError(f"{len(expected)} shapes are read as {len(shapes)}")
    for at, (shape, wanted) in enumerate(zip(shapes, expected, strict=True)):
        if not _is_same(shape, wanted, size):
            raise WrongAnswerError(f"shape {at}, {wanted.label} ({wanted.shape_type}), is read as {shape!r:.200}")


def _is_same(shape: Shape, wanted: Expected, size: tuple[int, int]) -> bool:
    if (shape.label, shape.shape_type) != (wanted.label, wanted.shape_type):
        return False
    if wanted.mask is not None:
        mask = shape.to_mask(size)
        return mask is not None and np.array_equal(mask, wanted.mask)
    points = np.array(wanted.points or [], np.float64).reshape(-1, 2)
    return shape.points.shape == points.shape and bool(np.abs(shape.points - points).max(initial=0) < _FAR_APART)
