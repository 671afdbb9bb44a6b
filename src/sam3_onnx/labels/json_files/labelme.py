"""Reading and writing of the label files of labelme.

Field names and forms follow labelme 7.1.0: `read_label_file` and `write_label_file` in `labelme/_label_file.py` of its
repository. Its shape types are those in `labelme/_shape.py`.
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
    """Converts a shape to the shape types of labelme.

    labelme rejects a complete file because of one unknown shape type, or one rectangle with four corners.
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
    """`PictureFormat` of the label files of labelme."""

    dialect = _DIALECT


@known_keywords()
def read_labelme(path: str | os.PathLike[str], *, image_size: tuple[int, int] | None = None) -> LabelFile:
    """Reads a label file of labelme. Unknown fields are kept, and can be written again.

    Args:
        path: The label file.
        image_size: Height and width of the picture, to check that the file belongs to it; None for no check.

    Raises:
        LabelError: The same errors as for `PictureFormat.read`.
        OSError: The file cannot be opened.
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
    """Writes the label file of one picture for labelme, in one step; after an error the old file is unchanged.

    A rectangle is written as its top left and bottom right corners. A rotated box is written as an
    `oriented_rectangle`, which labelme supports since 6.2. The score is a field that labelme keeps but does not show.

    Args:
        path: The label file, usually next to the picture, with its name and the file extension `.json`.
        shapes: Shapes, for example from `Segmentation.shapes`; may be empty. Or a `LabelFile`, which also contains path
            and size of the picture.
        image_path: Path of the picture relative to the label file. labelme opens the picture there.
        image_size: Height and width of the picture in pixels.
        holes: How the holes of polygons are written, because labelme's polygons have none; its masks keep them.

    Returns:
        Losses: what the file cannot store.

    Raises:
        LabelShapeError: A shape has points or other numbers that are not finite.
        LabelFilePermissionError: There is no permission to write the file.
        LabelFolderMissingError: Its folder does not exist.
        OptionError: `shapes` is not shapes, or shapes are passed without path and size of the picture.
        OSError: The file cannot be written.

    Warns:
        LabelLossWarning: The file cannot store everything.
    """
    losses = encode_and_put(path, label_file(shapes, image_path, image_size), LabelmeFormat(holes))
    warn_of_losses(path, losses)
    return losses
