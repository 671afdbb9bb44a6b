"""How are shapes written so that X-AnyLabeling opens them?

Field names and forms follow X-AnyLabeling 4.0.2: `LabelFile.save` and `Shape.to_dict` under
`anylabeling/views/labeling` of its repository.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import OptionError
from sam3_onnx.files import write_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from sam3_onnx.shapes import Shape

__all__ = ["write_xanylabeling"]

_FORMAT_VERSION = "4.0.2"
_LEAST_POINTS = {"polygon": 3, "rectangle": 2, "rotation": 4}


def write_xanylabeling(
    path: str | os.PathLike[str], shapes: Sequence[Shape], *, image_path: str, image_size: tuple[int, int]
) -> None:
    """Write the label file of one picture, in one step: it is whole, or the older file is as it was.

    A polygon's ring is open: X-AnyLabeling's own models repeat the first vertex, but its shapes drop it again, and a
    repeated one in a file would become a vertex of its own. A rectangle is written as the four corners around its
    points, clockwise from the top left.

    Args:
        path: The label file, as a rule beside the picture and with its name, ending in `.json`.
        shapes: What `Segmentation.shapes` returns. May be empty.
        image_path: The picture's path as seen from the label file. X-AnyLabeling looks for the name behind the last
            slash in the folder of the label file, or in the folder of pictures that is open.
        image_size: Height and width of the picture in pixels.

    Raises:
        OptionError: A shape has too few points or points that are not finite, or a rotated box has no direction.
        OSError: The file cannot be written.
    """
    height, width = image_size
    content = {
        "version": _FORMAT_VERSION,
        "flags": {},
        "checked": False,
        "shapes": [_entry(shape) for shape in shapes],
        "description": None,
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": int(height),
        "imageWidth": int(width),
    }
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    write_atomically(path, text.encode())


def _entry(shape: Shape) -> Mapping[str, object]:
    entry: dict[str, object] = {
        "label": shape.label,
        "score": None if shape.score is None else float(shape.score),
        "points": _points(shape),
        "group_id": None,
        "description": None,
        "difficult": False,
        "shape_type": shape.shape_type,
        "flags": {},
        "attributes": {},
        "kie_linking": [],
    }
    if shape.shape_type == "rotation":
        if shape.direction is None:
            raise OptionError("direction of a rotated box", expected="an angle in radians", got=None)
        entry["direction"] = float(shape.direction)
    return entry


def _points(shape: Shape) -> list[list[float]]:
    points, least = shape.points, _LEAST_POINTS[shape.shape_type]
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < least or not np.isfinite(points).all():  # noqa: PLR2004 - x and y
        raise OptionError(
            f"points of a {shape.shape_type}", expected=f"at least {least} finite points (V, 2)", got=points.tolist()
        )
    if shape.shape_type == "rectangle":
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return [[float(x), float(y)] for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
    return [[float(x), float(y)] for x, y in points]
