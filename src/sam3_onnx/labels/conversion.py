"""Shapes said in the kinds that a format knows, and what is lost on the way."""

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
    """Returns the places of shapes that share a label and a `group_id` together, and of each other one alone.

    They come in the order of the first one of each.
    """
    together: dict[object, list[int]] = {}
    for place, shape in enumerate(shapes):
        key = place if shape.group_id is None else (shape.label, shape.group_id)
        together.setdefault(key, []).append(place)
    return list(together.values())


def shapes_by_instance(shapes: Sequence[Shape]) -> list[list[Shape]]:
    """Returns shapes that share a label and a `group_id` together, and each other one alone, in their order."""
    return [[shapes[place] for place in places] for places in places_by_instance(shapes)]


def unsaid_fields(shape: Shape) -> list[Loss]:
    """Returns what else a file said of a shape, for a format without room for it; empty values are not missed."""
    fields = sorted(name for name, value in shape.extra.items() if value)
    return [Loss(shape.label, f"fields {', '.join(fields)}", "left out")] if fields else []


def unsaid_file_fields(file: LabelFile) -> list[Loss]:
    """Returns what a file says beside its shapes, for a format without room for it, as `unsaid_fields` does."""
    fields = sorted(name for name, value in file.extra.items() if value and name != "version")
    return [Loss("the file", f"fields {', '.join(fields)}", "left out")] if fields else []


def without_holes(shape: Shape, holes: HoleChoice) -> tuple[list[Shape], list[Loss]]:
    """Returns a polygon with its holes filled, or joined to its ring."""
    if not shape.holes:
        return [shape], []
    if holes == "fill":
        return [replace(shape, holes=())], [Loss(shape.label, "holes", "filled")]
    joined = with_seams(shape.points, shape.holes)
    return [replace(shape, points=joined, holes=())], [Loss(shape.label, "holes", "joined by seams")]


def outlined(shape: Shape, holes: HoleChoice) -> tuple[list[Shape], list[Loss]]:
    """Returns a mask as polygons, one for each part, with every corner."""
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
    """Returns a shape with the same points under the name of another kind."""
    loss = Loss(shape.label, shape.shape_type, f"written as {shape_type}")
    return [replace(shape, shape_type=shape_type)], [] if silent else [loss]


def left_out(shape: Shape) -> tuple[list[Shape], list[Loss]]:
    """Returns no shape for one that a format cannot hold, and the loss of it."""
    return [], [Loss(shape.label, shape.shape_type, "left out")]


def rings_of(
    shape: Shape, size: tuple[int, int], holes: HoleChoice | None
) -> tuple[list[NDArray[np.float64]], list[Loss]]:
    """Returns the open rings that enclose what a shape encloses; none if it has no area.

    Args:
        shape: Of any kind.
        size: (height, width) of the picture, which cuts off masks and circles.
        holes: What becomes of them; None where that need not be told, nor that a mask is outlined.

    Returns:
        Rings (V, 2), and what they do not say.
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
    """Returns a ring without its first vertex at its end."""
    return ring[:-1] if len(ring) > 1 and np.array_equal(ring[0], ring[-1]) else ring
