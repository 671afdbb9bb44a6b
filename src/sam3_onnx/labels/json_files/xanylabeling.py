"""Reading and writing of the label files of X-AnyLabeling.

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
    """Converts a shape to the shape types of X-AnyLabeling, which rejects a complete file because of an unknown one."""
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
    """`PictureFormat` of the label files of X-AnyLabeling."""

    dialect = _DIALECT


@known_keywords()
def read_xanylabeling(path: str | os.PathLike[str], *, image_size: tuple[int, int] | None = None) -> LabelFile:
    """Reads a label file of X-AnyLabeling. Unknown fields are kept, and can be written again.

    Points are not changed: a ring may be open or closed, a rectangle may have two or four corners.

    Args:
        path: The label file.
        image_size: Height and width of the picture, to check that the file belongs to it; None for no check.

    Raises:
        LabelError: The same errors as for `PictureFormat.read`.
        OSError: The file cannot be opened.
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
    """Writes the label file of one picture for X-AnyLabeling, in one step; after an error the old file is unchanged.

    The ring of a polygon is open: X-AnyLabeling's own models repeat the first vertex, but its shapes remove it again,
    and a repeated vertex in a file would become an additional vertex. A rectangle is written as the four corners around
    its points, clockwise from the top left; a rectangle that was read with two corners keeps them.

    Args:
        path: The label file, usually next to the picture, with its name and the file extension `.json`.
        shapes: Shapes, for example from `Segmentation.shapes`; may be empty. Or a `LabelFile`, which also contains path
            and size of the picture.
        image_path: Path of the picture relative to the label file. X-AnyLabeling takes the name after the last slash
            and looks for it in the folder of the label file, or in the open folder of pictures.
        image_size: Height and width of the picture in pixels.
        holes: How the holes of polygons are written, because X-AnyLabeling's polygons have none.

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
    losses = encode_and_put(path, label_file(shapes, image_path, image_size), XAnyLabelingFormat(holes))
    warn_of_losses(path, losses)
    return losses
