"""How is a shape said where its kind is not known?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.geometry import mask_to_polygons
from sam3_onnx.geometry.seams import with_seams
from sam3_onnx.labels.losses import Loss

if TYPE_CHECKING:
    from sam3_onnx.labels.label_file import HoleChoice
    from sam3_onnx.shapes import Shape

__all__ = ["left_out", "outlined", "renamed", "without_holes"]


def without_holes(shape: Shape, holes: HoleChoice) -> tuple[list[Shape], list[Loss]]:
    """A polygon whose holes are filled, or joined to its ring."""
    if not shape.holes:
        return [shape], []
    if holes == "fill":
        return [replace(shape, holes=())], [Loss(shape.label, "holes", "filled")]
    joined = with_seams(shape.points, shape.holes)
    return [replace(shape, points=joined, holes=())], [Loss(shape.label, "holes", "joined by seams")]


def outlined(shape: Shape, holes: HoleChoice) -> tuple[list[Shape], list[Loss]]:
    """A mask as a polygon of every corner for each part."""
    if shape.mask is None or not shape.mask.any():
        return left_out(shape)
    shapes: list[Shape] = []
    losses = [Loss(shape.label, "mask", "outlined by polygons")]
    for part in mask_to_polygons(shape.mask, 0):
        shift = np.rint(shape.points[0])
        rings = tuple(hole + shift for hole in part.holes)
        polygon = replace(shape, shape_type="polygon", points=part.exterior + shift, holes=rings, mask=None)
        fitted, lost = without_holes(polygon, holes)
        shapes += fitted
        losses += lost
    return shapes, losses if shapes else [Loss(shape.label, "mask without an outline", "left out")]


def renamed(shape: Shape, shape_type: str, *, silent: bool = False) -> tuple[list[Shape], list[Loss]]:
    """The same points under the name of another kind."""
    loss = Loss(shape.label, shape.shape_type, f"written as {shape_type}")
    return [replace(shape, shape_type=shape_type)], [] if silent else [loss]


def left_out(shape: Shape) -> tuple[list[Shape], list[Loss]]:
    """Nothing of a shape."""
    return [], [Loss(shape.label, shape.shape_type, "left out")]
