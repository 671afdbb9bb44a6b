"""Label files that YOLO models are trained from.

Files and their checks follow ultralytics' `verify_image_label` in `ultralytics/data/utils.py` and its pages on
dataset formats: one line for each object, the number of its class first, coordinates as shares of the picture's width
and height. A file with coordinates outside the picture, or with more columns, is left out of a training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sam3_onnx._support.checks import require_choice, require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import ClassListMissingError, OptionError
from sam3_onnx.labels.conversion import unsaid_file_fields
from sam3_onnx.labels.formats import modes_of
from sam3_onnx.labels.label_file import LabelFile, require_image_size, require_points, require_shapes
from sam3_onnx.labels.losses import warn_of_losses
from sam3_onnx.labels.writing import put, require_folder
from sam3_onnx.labels.yolo.classes import CLASSES_FILE, class_number
from sam3_onnx.labels.yolo.dataset import classes_of_folders, classes_of_list, grow
from sam3_onnx.labels.yolo.lines import objects_of
from sam3_onnx.labels.yolo.listed import ListedFormat
from sam3_onnx.labels.yolo.rows import RowReader, joined_rows, rows_of, untouched

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from sam3_onnx.labels.label_file import HoleChoice
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.labels.yolo.dataset import DatasetClasses
    from sam3_onnx.labels.yolo.lines import YoloTask
    from sam3_onnx.results.shape import Shape, ShapeType

__all__ = ["YoloFormat", "read_yolo", "write_yolo"]

_TASKS = ("detect", "segment", "obb")


@dataclass(frozen=True, kw_only=True)
class YoloFormat(ListedFormat):
    """YOLO's text files for one task, as a `PictureFormat`."""

    task: YoloTask

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
        rows = rows_of(content, path)
        reader = RowReader(self.task, self.classes, image_size, Path(path))
        shapes = [reader.shape(row, at) for at, row in enumerate(rows, start=1)]
        return LabelFile(tuple(shape for shape in shapes if shape is not None), "", image_size, rows=rows)

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        """See `PictureFormat.encode`. Its labels have to be among the classes, see `with_labels`."""
        for at, shape in enumerate(file.shapes):
            require_points(shape, f"shape {at}")
        reader = RowReader(self.task, self.classes, file.image_size, Path(file.image_path))
        kept, others = untouched(file.rows, file.shapes, reader)
        objects, losses = objects_of(others, self.task, file.image_size, self.holes)
        lines = [found.line(class_number(self.classes, found.label)) for found in objects]
        return joined_rows(kept, lines).encode(), (*losses, *unsaid_file_fields(file))


@known_keywords()
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
        classes: The list of classes, a text file or a trainer's `data.yaml`; None for the one in the label file's
            folder or above it.

    Raises:
        LabelError: As `PictureFormat.read`.
        ClassListMissingError: There is no list of classes.
        ClassListConflictError: Two lists do not agree.
        OptionError: Another task.
        OSError: It cannot be opened.
    """
    path = require_path("path", path)
    dataset = _dataset(path, classes)
    if not dataset.lists:
        raise ClassListMissingError(path, expected="classes.txt, data.yaml or dataset.yaml")
    return _format(task, dataset, "fill").read(path, image_size=image_size)


@known_keywords()
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
    joined by seams, as ultralytics' own converter from COCO does. Rows of a file that was read with the same task and
    classes stay as they stood if their shapes are untouched, in front of all others.

    Args:
        path: The label file, with the picture's name, ending in `.txt`.
        shapes: What `Segmentation.shapes` returns; may be empty. Or a `LabelFile`, which knows the size itself.
        task: "detect" for boxes, "segment" for polygons, "obb" for rotated boxes. Shapes of another kind are turned.
        image_size: Height and width of the picture in pixels.
        classes: The list of classes, a text file or a trainer's `data.yaml`; None for the one in the label file's
            folder or above it, and for a new `classes.txt` beside the label file if there is none. New labels are put
            at the end of a text file; a `data.yaml` is never written.
        holes: What becomes of holes, which its polygons do not have.

    Returns:
        What the file does not say; scores among it, of which nobody is warned.

    Raises:
        LabelShapeError: A shape has points that are not finite.
        LabelNameError: A label that cannot stand on a line of the list, or that is no class of a `data.yaml`.
        ClassListMissingError: There are other label files in the folder, and no list of classes.
        ClassListConflictError: Two lists do not agree, or a label file has the number that a new label would get.
        LabelFilePermissionError: A file may not be written.
        LabelFolderMissingError: A folder is not there.
        OptionError: Another task, what is no shapes, shapes without the picture's size, or the list of
            classes as the label file.
        OSError: A file cannot be written.

    Warns:
        LabelLossWarning: The file does not say all.
    """
    file = _file(shapes, image_size)
    path = require_path("path", path)
    listed = path.parent / CLASSES_FILE if classes is None else require_path("classes", classes)
    if listed.resolve() == path.resolve():
        remedy = "Name the picture and its label file otherwise, or pass classes= with another list."
        raise OptionError("path", expected="another file than the list of classes", got=str(path), remedy=remedy)
    require_folder(path)
    require_folder(listed)
    labels = [shape.label for shape in file.shapes]
    chosen = _format(task, _dataset(path, classes), holes).with_labels(labels)
    chosen.encode(file)  # before the list is written: what cannot be written leaves nothing behind
    names = grow(lambda: _dataset(path, classes), labels)  # first: no label file may name a class that is not listed
    content, losses = replace(chosen, classes=names).encode(file)
    put(path, content)
    warn_of_losses(path, losses)
    return losses


def _dataset(path: str | os.PathLike[str], classes: str | os.PathLike[str] | None) -> DatasetClasses:
    label_file = Path(path)
    if classes is None:
        return classes_of_folders(label_file.parent, alone=label_file)
    return classes_of_list(require_path("classes", classes))


def _format(task: YoloTask, dataset: DatasetClasses, holes: HoleChoice) -> YoloFormat:
    require_choice("task", task, _TASKS)
    return YoloFormat(task=task, classes=dataset.names, holes=holes, dataset=dataset)


def _file(shapes: Sequence[Shape] | LabelFile, size: tuple[int, int] | None) -> LabelFile:
    if isinstance(shapes, LabelFile):
        return shapes
    if size is None:
        raise OptionError("image_size", expected="given with shapes that are no LabelFile", got=None)
    given = require_shapes(shapes)
    return LabelFile(given, "", require_image_size(given, size))
