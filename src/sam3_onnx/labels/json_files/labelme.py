"""Label files that labelme opens.

Field names and forms follow labelme 7.1.0: `read_label_file` and `write_label_file` in `labelme/_label_file.py` of its
repository. Its kinds of shape are those of `labelme/_shape.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import require_path, require_size
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.labels.conversion import left_out, renamed, without_holes
from sam3_onnx.labels.json_files.dialect import Dialect
from sam3_onnx.labels.json_files.format import JsonFormat
from sam3_onnx.labels.json_files.program import LABELME
from sam3_onnx.labels.losses import warn_of_losses
from sam3_onnx.labels.writing import encode_and_put, label_file

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from sam3_onnx.labels.label_file import HoleChoice, LabelFile
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.shape import Shape

__all__ = ["LabelmeFormat", "read_labelme", "write_labelme"]

_CORNERS = 4


def _fit(shape: Shape, holes: HoleChoice) -> tuple[list[Shape], list[Loss]]:
    """Says a shape in the kinds that labelme knows.

    It refuses a whole file for one kind of shape that it does not know, or for a rectangle of four corners.
    """
    if shape.shape_type == "rectangle" and len(shape.points) >= _CORNERS:
        return [replace(shape, points=np.array([shape.points.min(axis=0), shape.points.max(axis=0)]))], []
    if shape.shape_type == "rotation" and len(shape.points) == _CORNERS:
        return renamed(shape, "oriented_rectangle", silent=True)
    if shape.shape_type in {"rotation", "quadrilateral"}:
        return renamed(shape, "polygon")
    if shape.shape_type == "cuboid":
        return left_out(shape)
    return without_holes(shape, holes)


_DIALECT = Dialect(
    program=LABELME,
    version="7.1.0",
    file_fields={"version": None, "flags": {}, "shapes": [], "imagePath": "", "imageData": None},
    shape_fields={
        "label": "",
        "points": [],
        "group_id": None,
        "description": "",
        "shape_type": "polygon",
        "flags": {},
        "mask": None,
    },
    fit=_fit,
    holds_masks=True,
)


class LabelmeFormat(JsonFormat):
    """labelme's label files, as a `PictureFormat`."""

    dialect = _DIALECT


@known_keywords()
def read_labelme(path: str | os.PathLike[str], *, image_size: tuple[int, int] | None = None) -> LabelFile:
    """Reads a label file of labelme. Fields that are not known are kept, for writing.

    Args:
        path: The label file.
        image_size: Height and width of the picture, to make sure that it is this one's file; None for what it says.

    Raises:
        LabelError: As `PictureFormat.read`.
        OSError: It cannot be opened.
    """
    size = None if image_size is None else require_size("image_size", image_size)
    return LabelmeFormat().decode(require_path("path", path).read_bytes(), path=path, image_size=size)


@known_keywords()
def write_labelme(
    path: str | os.PathLike[str],
    shapes: Sequence[Shape] | LabelFile,
    *,
    image_path: str | None = None,
    image_size: tuple[int, int] | None = None,
    holes: HoleChoice = "fill",
) -> tuple[Loss, ...]:
    """Writes the label file of one picture, in one step: it is whole, or the older file is as it was.

    A rectangle is written as its top left and bottom right corner. A rotated box is written as an
    `oriented_rectangle`, which labelme knows since 6.2. The score is a field that labelme keeps and does not show.

    Args:
        path: The label file, as a rule beside the picture and with its name, ending in `.json`.
        shapes: What `Segmentation.shapes` returns; may be empty. Or a `LabelFile`, which knows the picture itself.
        image_path: The picture's path as seen from the label file. labelme opens the picture there.
        image_size: Height and width of the picture in pixels.
        holes: What becomes of holes, which its polygons do not have; its masks do.

    Returns:
        What the file does not say.

    Raises:
        LabelShapeError: A shape has points or other numbers that are not finite.
        LabelFilePermissionError: The file may not be written.
        LabelFolderMissingError: Its folder is not there.
        OptionError: What is no shapes, or shapes without the picture's path and size.
        OSError: The file cannot be written.

    Warns:
        LabelLossWarning: The file does not say all.
    """
    losses = encode_and_put(path, label_file(shapes, image_path, image_size), LabelmeFormat(holes))
    warn_of_losses(path, losses)
    return losses
