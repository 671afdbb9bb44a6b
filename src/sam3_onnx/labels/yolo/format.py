"""Label files that YOLO models are trained from.

Files and their checks follow ultralytics' `verify_image_label` in `ultralytics/data/utils.py` and its pages on
dataset formats: one line for each object, the number of its class first, coordinates as shares of the picture's width
and height. A file with coordinates outside the picture, or with more columns, is left out of a training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.errors import LabelFileDamagedError, LabelFileKindError, OptionError
from sam3_onnx.labels.conversion import unsaid_file_fields
from sam3_onnx.labels.formats import modes_of
from sam3_onnx.labels.label_file import LabelFile, PictureFormat, require_points, require_shapes
from sam3_onnx.labels.losses import warn_of_losses
from sam3_onnx.labels.writing import put, require_folder
from sam3_onnx.labels.yolo.classes import (
    CLASSES_FILE,
    class_list_text,
    class_number,
    read_classes,
    text_lines,
    with_new_classes,
)
from sam3_onnx.labels.yolo.lines import objects_of
from sam3_onnx.results.shape import Shape

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.labels.label_file import HoleChoice
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.labels.yolo.lines import YoloTask
    from sam3_onnx.results.shape import ShapeType

__all__ = ["YoloFormat", "read_yolo", "write_yolo"]

_TASKS = ("detect", "segment", "obb")
_BOX, _CORNERS, _LEAST_VERTICES = 4, 8, 6
_PIXEL_DECIMALS = 6


@dataclass(frozen=True)
class YoloFormat(PictureFormat):
    """YOLO's text files for one task, as a `PictureFormat`."""

    task: YoloTask
    classes: tuple[str, ...] = ()
    """Names of the classes, each at its number."""
    holes: HoleChoice = "fill"

    suffix: ClassVar[str] = ".txt"

    @property
    def name(self) -> str:
        """Name of the format as `picture_format` takes it: "yolo-" and the task."""
        return f"yolo-{self.task}"

    @property
    def modes(self) -> tuple[ShapeType, ...]:
        """Kinds of shapes that it is written from; other shapes are turned into the first."""
        return modes_of(self.name)

    def decode(self, content: bytes, *, path: str | os.PathLike[str], image_size: tuple[int, int]) -> LabelFile:
        """See `PictureFormat.decode`. The file names no picture and says no size."""
        lines = text_lines(content, path, expected="lines of numbers")
        shapes = [
            self._shape(Path(path), at, line.split(), image_size)
            for at, line in enumerate(lines, start=1)
            if line.strip()
        ]
        return LabelFile(tuple(shapes), "", image_size)

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        """See `PictureFormat.encode`. Its labels have to be among the classes, see `with_labels`."""
        for at, shape in enumerate(file.shapes):
            require_points(shape, f"shape {at}")
        objects, losses = objects_of(file.shapes, self.task, file.image_size, self.holes)
        lines = [found.line(class_number(self.classes, found.label)) for found in objects]
        return "".join(f"{line}\n" for line in lines).encode(), (*losses, *unsaid_file_fields(file))

    def in_folder(self, folder: str | os.PathLike[str]) -> YoloFormat:
        """See `PictureFormat.in_folder`: with the list of classes that lies there, itself if there is none."""
        listed = Path(folder) / CLASSES_FILE
        return replace(self, classes=read_classes(listed)) if listed.exists() else self

    def with_labels(self, labels: Iterable[str]) -> YoloFormat:
        """See `PictureFormat.with_labels`: those that are no class yet come last, so that no number changes."""
        return replace(self, classes=with_new_classes(self.classes, labels))

    def shared_files(self) -> Mapping[str, bytes]:
        """Returns the list of classes, `classes.txt`."""
        return {CLASSES_FILE: class_list_text(self.classes)}

    def _shape(self, path: Path, line: int, words: list[str], size: tuple[int, int]) -> Shape:
        label = self._label(path, line, words[0])
        try:
            numbers = [float(word) for word in words[1:]]
        except ValueError as error:
            raise _damaged(path, line, "numbers", str(error)) from error
        if not all(map(math.isfinite, numbers)):
            raise _damaged(path, line, "finite numbers", " ".join(words[1:])[:60])
        score = numbers.pop() if len(numbers) % 2 else None
        expected = {
            "detect": len(numbers) == _BOX,
            "segment": len(numbers) >= _LEAST_VERTICES,
            "obb": len(numbers) == _CORNERS,
        }
        if not expected[self.task]:
            counts = {"detect": "4 numbers", "segment": "6 numbers or more", "obb": "8 numbers"}
            raise LabelFileKindError(
                path,
                expected=f"lines for {self.name}: a class and {counts[self.task]}",
                got=f"{len(numbers)} numbers on line {line}",
                remedy="Read it with the task that it was written for.",
            )
        return self._made(label, np.array(numbers, np.float64).reshape(-1, 2), size, score)

    def _made(self, label: str, shares: NDArray[np.float64], size: tuple[int, int], score: float | None) -> Shape:
        height, width = size
        if self.task == "detect":
            (x, y), (w, h) = shares
            shares = np.array(
                [(x - w / 2, y - h / 2), (x + w / 2, y - h / 2), (x + w / 2, y + h / 2), (x - w / 2, y + h / 2)]
            )
        points = np.round(shares * (width, height), _PIXEL_DECIMALS)
        if self.task != "obb":
            return Shape(label, self.modes[0], points, score)
        across, down = (points[1] - points[0]).tolist()
        return Shape(label, "rotation", points, score, math.atan2(down, across) % math.tau % math.tau)

    def _label(self, path: Path, line: int, word: str) -> str:
        try:
            number = float(word)
        except ValueError as error:
            raise _damaged(path, line, "the number of a class", repr(word)) from error
        if number not in range(len(self.classes)):
            raise _damaged(path, line, f"the number of one of {len(self.classes)} classes", word)
        return self.classes[int(number)]


def read_yolo(
    path: str | os.PathLike[str],
    *,
    task: YoloTask,
    image_size: tuple[int, int],
    classes: str | os.PathLike[str] | None = None,
) -> LabelFile:
    """Reads a label file of YOLO. A number too many on a line is taken for its score.

    Args:
        path: The label file.
        task: "detect", "segment" or "obb".
        image_size: Height and width of the picture in pixels, which the file does not say.
        classes: The list of classes; None for `classes.txt` beside the label file.

    Raises:
        LabelError: As `PictureFormat.read`.
        OptionError: Another task.
        OSError: It cannot be opened.
    """
    return _format(task, read_classes(_classes_path(path, classes)), "fill").read(path, image_size=image_size)


def write_yolo(
    path: str | os.PathLike[str],
    shapes: Sequence[Shape] | LabelFile,
    *,
    task: YoloTask,
    image_size: tuple[int, int] | None = None,
    classes: str | os.PathLike[str] | None = None,
    holes: HoleChoice = "fill",
) -> tuple[Loss, ...]:
    """Writes the label file of one picture, and the list of classes if there are new ones; each in one step.

    Shapes that share a label and a `group_id` are one object, as a line is an object to the trainer: their outlines are
    joined by seams, as ultralytics' own converter from COCO does.

    Args:
        path: The label file, with the picture's name, ending in `.txt`.
        shapes: What `Segmentation.shapes` returns; may be empty. Or a `LabelFile`, which knows the size itself.
        task: "detect" for boxes, "segment" for polygons, "obb" for rotated boxes. Shapes of another kind are turned.
        image_size: Height and width of the picture in pixels.
        classes: The list of classes; None for `classes.txt` beside the label file. New labels are put at its end.
        holes: What becomes of holes, which its polygons do not have.

    Returns:
        What the file does not say; scores among it, of which nobody is warned.

    Raises:
        LabelShapeError: A shape has points that are not finite.
        LabelNameError: A label that cannot stand on a line of the list.
        LabelFilePermissionError: A file may not be written.
        LabelFolderMissingError: A folder is not there.
        OptionError: Another task, what is no shapes, shapes without the picture's size, or the list of
            classes as the label file.
        OSError: A file cannot be written.

    Warns:
        LabelLossWarning: The file does not say all.
    """
    file = _file(shapes, image_size)
    listed = _classes_path(path, classes)
    if listed.resolve() == Path(path).resolve():
        remedy = "Name the picture and its label file otherwise, or pass classes= with another list."
        raise OptionError("path", expected="another file than the list of classes", got=str(path), remedy=remedy)
    require_folder(path)
    require_folder(listed)
    known = read_classes(listed) if listed.exists() else ()
    chosen = _format(task, known, holes).with_labels(shape.label for shape in file.shapes)
    content, losses = chosen.encode(file)
    if chosen.classes != known:  # first: no label file may name a class that is not listed
        put(listed, class_list_text(chosen.classes))
    put(path, content)
    warn_of_losses(path, losses)
    return losses


def _format(task: YoloTask, classes: tuple[str, ...], holes: HoleChoice) -> YoloFormat:
    if task not in _TASKS:
        raise OptionError("task", expected='"detect", "segment" or "obb"', got=task)
    return YoloFormat(task, classes, holes)


def _file(shapes: Sequence[Shape] | LabelFile, size: tuple[int, int] | None) -> LabelFile:
    if isinstance(shapes, LabelFile):
        return shapes
    if size is None:
        raise OptionError("image_size", expected="given with shapes that are no LabelFile", got=None)
    return LabelFile(require_shapes(shapes), "", size)


def _classes_path(path: str | os.PathLike[str], classes: str | os.PathLike[str] | None) -> Path:
    return Path(path).with_name(CLASSES_FILE) if classes is None else Path(classes)


def _damaged(path: Path, line: int, expected: str, got: str) -> LabelFileDamagedError:
    return LabelFileDamagedError(path, expected=f"{expected} on line {line}", reason=got)
