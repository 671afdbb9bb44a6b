"""Conversion of shapes to the shape types of a format, and the losses of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.geometry.polygons import mask_to_outlines
from sam3_onnx.geometry.seams import with_seams
from sam3_onnx.labels.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sam3_onnx.labels.label_file import HoleChoice, LabelFile
    from sam3_onnx.results.shape import Shape

__all__ = [
    "left_out",
    "outlined",
    "places_by_instance",
    "renamed",
    "rings_of",
    "shapes_by_instance",
    "unsaid_fields",
    "unsaid_file_fields",
    "without_holes",
]

_OUTLINED = {"polygon", "rotation", "quadrilateral", "oriented_rectangle"}


def places_by_instance(shapes: Sequence[Shape]) -> list[list[int]]:
    """Groups the indices of shapes by instance: shapes with the same label and `group_id` are one instance.

    Every shape without a `group_id` is an instance. Instances are in the order of their first shapes.
    """
    together: dict[object, list[int]] = {}
    for place, shape in enumerate(shapes):
        key = place if shape.group_id is None else (shape.label, shape.group_id)
        together.setdefault(key, []).append(place)
    return list(together.values())


def shapes_by_instance(shapes: Sequence[Shape]) -> list[list[Shape]]:
    """Groups shapes by instance as `places_by_instance` does: those with the same label and `group_id` together."""
    return [[shapes[place] for place in places] for places in places_by_instance(shapes)]


def unsaid_fields(shape: Shape) -> list[Loss]:
    """Returns the loss of the other fields of a shape for a format that cannot store them; empty fields are no loss."""
    fields = sorted(name for name, value in shape.extra.items() if value)
    return [Loss(shape.label, f"fields {', '.join(fields)}", "left out")] if fields else []


def unsaid_file_fields(file: LabelFile) -> list[Loss]:
    """Returns the loss of the other fields of a file for a format that cannot store them; empty fields are no loss."""
    fields = sorted(name for name, value in file.extra.items() if value and name != "version")
    return [Loss("the file", f"fields {', '.join(fields)}", "left out")] if fields else []


def without_holes(shape: Shape, holes: HoleChoice) -> tuple[list[Shape], list[Loss]]:
    """Returns a polygon without holes: they are filled, or joined to its ring by seams."""
    if not shape.holes:
        return [shape], []
    if holes == "fill":
        return [replace(shape, holes=())], [Loss(shape.label, "holes", "filled")]
    joined = with_seams(shape.points, shape.holes)
    return [replace(shape, points=joined, holes=())], [Loss(shape.label, "holes", "joined by seams")]


def outlined(shape: Shape, holes: HoleChoice) -> tuple[list[Shape], list[Loss]]:
    """Converts a mask to polygons with every corner, one for each part."""
    if shape.mask is None or not shape.mask.any() or not len(shape.points):
        return left_out(shape)
    shapes: list[Shape] = []
    losses = [Loss(shape.label, "mask", "outlined by polygons")]
    outlines = mask_to_outlines(shape.mask, 0)
    for part in outlines.polygons:
        shift = np.rint(shape.points[0])
        rings = tuple(hole + shift for hole in part.holes)
        polygon = replace(shape, shape_type="polygon", points=part.exterior + shift, holes=rings, mask=None)
        fitted, lost = without_holes(polygon, holes)
        shapes += fitted
        losses += lost
    if not shapes:
        return [], [Loss(shape.label, "mask without an outline", "left out")]
    return shapes, [*losses, *[Loss(shape.label, "part too thin for a polygon", "left out")] * outlines.lost_parts]


def renamed(shape: Shape, shape_type: str, *, silent: bool = False) -> tuple[list[Shape], list[Loss]]:
    """Returns a shape with the same points and another shape type."""
    loss = Loss(shape.label, shape.shape_type, f"written as {shape_type}")
    return [replace(shape, shape_type=shape_type)], [] if silent else [loss]


def left_out(shape: Shape) -> tuple[list[Shape], list[Loss]]:
    """Returns no shape, and the loss of a shape that a format cannot store."""
    return [], [Loss(shape.label, shape.shape_type, "left out")]


def rings_of(
    shape: Shape, size: tuple[int, int], holes: HoleChoice | None
) -> tuple[list[NDArray[np.float64]], list[Loss]]:
    """Returns the open rings that enclose the area of a shape; none if it has no area.

    Args:
        shape: A shape of any type.
        size: (height, width) of the picture, to which masks and circles are clipped.
        holes: How holes are converted; None to fill them, and to outline masks, without reporting a loss.

    Returns:
        Rings (V, 2), and the losses: what they cannot store.
    """
    if shape.shape_type in _OUTLINED:
        (fitted,), losses = without_holes(shape, holes or "fill")
        return [_open(fitted.points)], losses if holes else []
    if shape.shape_type == "rectangle" and len(shape.points) > 1:
        (left, top), (right, bottom) = shape.points.min(axis=0), shape.points.max(axis=0)
        return [np.array([(left, top), (right, top), (right, bottom), (left, bottom)])], []
    mask = shape.to_mask(size)
    if mask is None:
        return [], []
    pixels = replace(shape, shape_type="mask", points=np.zeros((2, 2)), mask=mask)
    polygons, losses = outlined(pixels, holes or "fill")
    told = losses if holes else [loss for loss in losses if loss.became == "left out"]
    return [polygon.points for polygon in polygons], told


def _open(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns a ring without a repeated first vertex at its end."""
    return ring[:-1] if len(ring) > 1 and np.array_equal(ring[0], ring[-1]) else ring
