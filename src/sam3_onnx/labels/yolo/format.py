"""Reading and writing of label files for training YOLO models.

Files and checks follow ultralytics' `verify_image_label` in `ultralytics/data/utils.py` and its pages on dataset
formats: one line for each object, with its class number first, and coordinates as fractions of the width and height
of the picture. Training skips a file with coordinates outside the picture or with more columns.
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
    """`PictureFormat` of YOLO's text files for one task."""

    task: YoloTask

    suffix: ClassVar[str] = ".txt"

    @property
    def name(self) -> str:
        """Name of the format, for `picture_format`: "yolo-" and the task."""
        return f"yolo-{self.task}"

    @property
    def modes(self) -> tuple[ShapeType, ...]:
        """Shape types that the format can be written from; other shapes are converted to the first one."""
        return modes_of(self.name)

    def decode(self, content: bytes, *, path: str | os.PathLike[str], image_size: tuple[int, int]) -> LabelFile:
        """Decodes a label file, see `PictureFormat.decode`; the file contains neither path nor size of the picture."""
        rows = rows_of(content, path)
        reader = RowReader(self.task, self.classes, image_size, Path(path))
        shapes = [reader.shape(row, at) for at, row in enumerate(rows, start=1)]
        return LabelFile(tuple(shape for shape in shapes if shape is not None), "", image_size, rows=rows)

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        """Encodes a label file, see `PictureFormat.encode`; all labels must be in the class list, see `with_labels`."""
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
    """Reads a label file of YOLO. One additional number on a line is read as the score.

    Args:
        path: The label file.
        task: "detect", "segment" or "obb".
        image_size: Height and width of the picture in pixels, because the file does not contain them.
        classes: The class list, a text file or the `data.yaml` of a trainer; None for the list in the folder of the
            label file or above it.

    Raises:
        LabelError: The same errors as for `PictureFormat.read`.
        ClassListMissingError: There is no class list.
        ClassListConflictError: Two class lists disagree.
        OptionError: `task` has an unknown value.
        OSError: The file cannot be opened.
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
    """Writes the label file of one picture for YOLO, and the class list if there are new classes; each in one step.

    Shapes with the same label and `group_id` are one object and therefore one line: their outlines are joined by seams,
    as in ultralytics' converter from COCO. Rows of a file that was read with the same task and classes are written back
    exactly if their shapes are unchanged, before all other rows.

    Args:
        path: The label file, with the name of the picture and the file extension `.txt`.
        shapes: Shapes, for example from `Segmentation.shapes`; may be empty. Or a `LabelFile`, which also contains the
            size.
        task: "detect" for boxes, "segment" for polygons, "obb" for rotated boxes. Other shape types are converted.
        image_size: Height and width of the picture in pixels.
        classes: The class list, a text file or the `data.yaml` of a trainer; None for the list in the folder of the
            label file or above it, or for a new `classes.txt` in this folder if there is none. New labels are added at
            the end of a text file; a `data.yaml` is never changed.
        holes: How the holes of polygons are written, because YOLO's polygons have none.

    Returns:
        Losses: what the file cannot store; also scores, for which there is no warning.

    Raises:
        LabelShapeError: A shape has points that are not finite.
        LabelNameError: A label cannot be a line of the class list, or is not a class of a `data.yaml`.
        ClassListMissingError: There are other label files in the folder, but no class list.
        ClassListConflictError: Two class lists disagree, or a label file has the number that a new label would get.
        LabelFilePermissionError: There is no permission to write a file.
        LabelFolderMissingError: A folder does not exist.
        OptionError: `task` has an unknown value, `shapes` is not shapes, shapes are passed without the size of the
            picture, or `path` is the class list.
        OSError: A file cannot be written.

    Warns:
        LabelLossWarning: The file cannot store everything.
    """
    file = _file(shapes, image_size)
    path = require_path("path", path)
    listed = path.parent / CLASSES_FILE if classes is None else require_path("classes", classes)
    if listed.resolve() == path.resolve():
        remedy = "Choose another name for the picture and its label file, or pass another class list in classes=."
        raise OptionError("path", expected="another file than the class list", got=str(path), remedy=remedy)
    require_folder(path)
    require_folder(listed)
    labels = [shape.label for shape in file.shapes]
    chosen = _format(task, _dataset(path, classes), holes).with_labels(labels)
    chosen.encode(file)  # before the list is written, so that an error leaves both files unchanged
    names = grow(lambda: _dataset(path, classes), labels)  # first: a label file must not use a class that is not listed
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
        raise OptionError("image_size", expected="passed together with shapes", got=None)
    given = require_shapes(shapes)
    return LabelFile(given, "", require_image_size(given, size))
