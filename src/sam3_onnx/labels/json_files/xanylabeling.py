"""Label files that X-AnyLabeling opens.

Field names and forms follow X-AnyLabeling 4.0.2: `LabelFile`, `Shape.to_dict`, `Shape.load_from_dict` and
`create_xlabel_template` under `anylabeling/views/labeling` of its repository.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import require_path, require_size
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.labels.conversion import left_out, outlined, renamed, without_holes
from sam3_onnx.labels.json_files.dialect import Dialect
from sam3_onnx.labels.json_files.format import JsonFormat
from sam3_onnx.labels.json_files.program import X_ANYLABELING
from sam3_onnx.labels.losses import warn_of_losses
from sam3_onnx.labels.writing import encode_and_put, label_file

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from sam3_onnx.labels.label_file import HoleChoice, LabelFile
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.shape import Shape

__all__ = ["XAnyLabelingFormat", "read_xanylabeling", "write_xanylabeling"]

_CORNERS = 4


def _fit(shape: Shape, holes: HoleChoice) -> tuple[list[Shape], list[Loss]]:
    """Says a shape in the kinds that X-AnyLabeling knows: it refuses a whole file for one that it does not."""
    if shape.shape_type == "mask":
        return outlined(shape, holes)
    if shape.shape_type == "oriented_rectangle":
        return renamed(shape, "rotation", silent=True)
    if shape.shape_type == "points":
        return left_out(shape)
    if shape.shape_type == "rectangle" and len(shape.points) >= _CORNERS:
        (left, top), (right, bottom) = shape.points.min(axis=0), shape.points.max(axis=0)
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
        return [replace(shape, points=corners)], []
    return without_holes(shape, holes)


_DIALECT = Dialect(
    program=X_ANYLABELING,
    version="4.0.2",
    file_fields={
        "version": None,
        "flags": {},
        "checked": False,
        "shapes": [],
        "description": None,
        "imagePath": "",
        "imageData": None,
    },
    shape_fields={
        "label": "",
        "score": None,
        "points": [],
        "group_id": None,
        "description": None,
        "difficult": False,
        "shape_type": "polygon",
        "flags": {},
        "attributes": {},
        "kie_linking": [],
    },
    fit=_fit,
)


class XAnyLabelingFormat(JsonFormat):
    """X-AnyLabeling's label files, as a `PictureFormat`."""

    dialect = _DIALECT


@known_keywords()
def read_xanylabeling(path: str | os.PathLike[str], *, image_size: tuple[int, int] | None = None) -> LabelFile:
    """Reads a label file of X-AnyLabeling. Fields that are not known are kept, for writing.

    Points are kept as they are: a ring may be open or closed, a rectangle may have two corners or four.

    Args:
        path: The label file.
        image_size: Height and width of the picture, to make sure that it is this one's file; None for what it says.

    Raises:
        LabelError: As `PictureFormat.read`.
        OSError: It cannot be opened.
    """
    size = None if image_size is None else require_size("image_size", image_size)
    return XAnyLabelingFormat().decode(require_path("path", path).read_bytes(), path=path, image_size=size)


@known_keywords()
def write_xanylabeling(
    path: str | os.PathLike[str],
    shapes: Sequence[Shape] | LabelFile,
    *,
    image_path: str | None = None,
    image_size: tuple[int, int] | None = None,
    holes: HoleChoice = "fill",
) -> tuple[Loss, ...]:
    """Writes the label file of one picture, in one step: it is whole, or the older file is as it was.

    A polygon's ring is open: X-AnyLabeling's own models repeat the first vertex, but its shapes drop it again, and a
    repeated one in a file would become a vertex of its own. A rectangle is written as the four corners around its
    points, clockwise from the top left; one of two corners stays as it is.

    Args:
        path: The label file, as a rule beside the picture and with its name, ending in `.json`.
        shapes: What `Segmentation.shapes` returns; may be empty. Or a `LabelFile`, which knows the picture itself.
        image_path: The picture's path as seen from the label file. X-AnyLabeling looks for the name behind the last
            slash in the folder of the label file, or in the folder of pictures that is open.
        image_size: Height and width of the picture in pixels.
        holes: What becomes of holes, which its polygons do not have.

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
    losses = encode_and_put(path, label_file(shapes, image_path, image_size), XAnyLabelingFormat(holes))
    warn_of_losses(path, losses)
    return losses
