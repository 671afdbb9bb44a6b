"""How is a shape said where its kind is not known?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.geometry.polygons import mask_to_polygons
from sam3_onnx.geometry.seams import with_seams
from sam3_onnx.labels.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sam3_onnx.labels.label_file import HoleChoice, LabelFile
    from sam3_onnx.results.shape import Shape

__all__ = [
    "instances_of",
    "left_out",
    "outlined",
    "renamed",
    "rings_of",
    "unsaid_fields",
    "unsaid_file_fields",
    "without_holes",
]

_OUTLINED = {"polygon", "rotation", "quadrilateral", "oriented_rectangle"}


def instances_of(shapes: Iterable[Shape]) -> Iterable[list[Shape]]:
    """Shapes that share a label and a `group_id` together, each other one alone, in the order of the first ones."""
    together: dict[tuple[object, ...], list[Shape]] = {}
    for at, shape in enumerate(shapes):
        key = (shape.label, "alone", at) if shape.group_id is None else (shape.label, "group", shape.group_id)
        together.setdefault(key, []).append(shape)
    return together.values()


def unsaid_fields(shape: Shape) -> list[Loss]:
    """What else a file said of a shape, for a format that has no room for it; empty values are not missed."""
    fields = sorted(name for name, value in shape.extra.items() if value)
    return [Loss(shape.label, f"fields {', '.join(fields)}", "left out")] if fields else []


def unsaid_file_fields(file: LabelFile) -> list[Loss]:
    """As `unsaid_fields`, of what a file says beside its shapes."""
    fields = sorted(name for name, value in file.extra.items() if value and name != "version")
    return [Loss("the file", f"fields {', '.join(fields)}", "left out")] if fields else []


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
    if shape.mask is None or not shape.mask.any() or not len(shape.points):
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


def rings_of(
    shape: Shape, size: tuple[int, int], holes: HoleChoice | None
) -> tuple[list[NDArray[np.float64]], list[Loss]]:
    """The open rings that enclose what a shape encloses; none if it has no area.

    Args:
        shape: Of any kind.
        size: (height, width) of the picture, which cuts off masks and circles.
        holes: What becomes of them; None for nothing that would have to be told.

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
    return [polygon.points for polygon in polygons], losses if holes else []


def _open(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the first vertex at its end."""
    return ring[:-1] if len(ring) > 1 and np.array_equal(ring[0], ring[-1]) else ring
