"""Painting of shapes into a map with one number per pixel, and the losses where they overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.geometry.window import Window
from sam3_onnx.labels.conversion import left_out, shapes_by_instance, unsaid_fields
from sam3_onnx.labels.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sam3_onnx.results.shape import Shape

__all__ = ["PaintedObject", "objects_of", "painted"]


@dataclass(frozen=True, eq=False)
class PaintedObject:
    """An object to paint: all shapes with the same label and `group_id`."""

    label: str
    window: Window
    """Pixels of the object."""
    score: float
    """Score in 0..1; infinity for an object without a score, so that it covers the others."""


def objects_of(shapes: Sequence[Shape], size: tuple[int, int]) -> tuple[list[PaintedObject], list[Loss]]:
    """Converts shapes to objects to paint, and returns them with the losses: what cannot be painted.

    Args:
        shapes: Shapes of any type; those without an area are left out.
        size: (height, width) of the picture.
    """
    objects: list[PaintedObject] = []
    losses: list[Loss] = []
    for together in shapes_by_instance(shapes):
        masks = [shape.to_mask(size) for shape in together]
        for shape, mask in zip(together, masks, strict=True):
            if mask is None:
                losses += left_out(shape)[1]
            losses += unsaid_fields(shape)
            if shape.score is not None:
                losses.append(Loss(shape.label, "score", "left out", by_nature=True))
        filled = [mask for mask in masks if mask is not None]
        whole = np.logical_or.reduce(filled) if filled else np.zeros(size, np.bool_)
        scores = [math.inf if shape.score is None else float(shape.score) for shape in together]
        if whole.any():
            objects.append(PaintedObject(together[0].label, Window.of(whole), max(scores)))
        elif filled:
            losses.append(Loss(together[0].label, "shape without pixels in the picture", "left out"))
    return objects, losses


def painted(
    ids: NDArray[np.uint8] | NDArray[np.uint16], objects: Sequence[PaintedObject], numbers: Sequence[int]
) -> list[Loss]:
    """Paints objects into a map, and returns the losses: what other objects cover.

    Args:
        ids: The map (H, W), which is changed in place.
        objects: The objects; a higher score covers a lower one, and among equal scores an earlier object a later one.
        numbers: The number of each object.
    """

    def pixels(found: PaintedObject) -> NDArray[np.uint8] | NDArray[np.uint16]:
        height, width = found.window.mask.shape
        return ids[found.window.y : found.window.y + height, found.window.x : found.window.x + width]

    for place in sorted(range(len(objects)), key=lambda place: (objects[place].score, -place)):
        pixels(objects[place])[objects[place].window.mask] = numbers[place]
    losses = []
    for found, number in zip(objects, numbers, strict=True):
        visible = np.count_nonzero(pixels(found)[found.window.mask] == number)
        if not visible:
            losses.append(Loss(found.label, "mask completely under others", "left out"))
        elif visible < found.window.area:
            losses.append(Loss(found.label, "pixels under others", "left out", by_nature=True))
    return losses
