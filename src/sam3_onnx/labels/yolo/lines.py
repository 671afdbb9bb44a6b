"""Conversion of shapes to objects of YOLO, and to lines of its label files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import cv2
import numpy as np

from sam3_onnx.geometry.boxes import RotatedBox
from sam3_onnx.geometry.seams import in_one_ring
from sam3_onnx.labels.conversion import rings_of, shapes_by_instance, unsaid_fields
from sam3_onnx.labels.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sam3_onnx.labels.label_file import HoleChoice
    from sam3_onnx.results.shape import Shape

__all__ = ["YoloObject", "YoloTask", "objects_of"]

YoloTask: TypeAlias = Literal["detect", "segment", "obb"]
"""Task of a model, with the names of ultralytics."""

_DECIMALS = 10
_LEAST_VERTICES = 3


@dataclass(frozen=True)
class YoloObject:
    """An object that is one line of a label file."""

    label: str
    numbers: tuple[float, ...]
    """Centre x, centre y, width and height for detection, else x and y of each vertex; as fractions of the picture."""

    def line(self, number: int) -> str:
        """Returns the line with a class number, without the line end."""
        return " ".join([str(number), *map(_text, self.numbers)])


def objects_of(
    shapes: Sequence[Shape], task: YoloTask, size: tuple[int, int], holes: HoleChoice
) -> tuple[list[YoloObject], list[Loss]]:
    """Converts shapes to objects and losses; shapes with the same label and `group_id` are one object."""
    objects: list[YoloObject] = []
    losses: list[Loss] = []
    for parts in shapes_by_instance(shapes):
        scored = [part for part in parts if part.score is not None]
        losses += [Loss(part.label, "score", "left out", by_nature=True) for part in scored]
        losses += [loss for part in parts for loss in unsaid_fields(part)]
        found, lost = _object(parts, task, size, holes)
        objects += found
        losses += lost
    return objects, losses


def _object(
    parts: Sequence[Shape], task: YoloTask, size: tuple[int, int], holes: HoleChoice
) -> tuple[list[YoloObject], list[Loss]]:
    label = parts[0].label
    losses: list[Loss] = []
    rings: list[NDArray[np.float64]] = []
    solid: list[Shape] = []
    for part in parts:
        outlines, lost = rings_of(part, size, holes if task == "segment" else None)
        outlines = [ring for ring in outlines if len(ring) >= _LEAST_VERTICES]
        losses += lost if outlines else [Loss(label, part.shape_type, "left out")]
        solid += [part] if outlines else []
        rings += outlines
    if not rings:
        return [], losses
    kinds = {part.shape_type for part in solid}
    if task == "detect":
        points = _box(solid, rings)
        losses += [] if kinds == {"rectangle"} else [Loss(label, "outline", "written as its box")]
        losses += [Loss(label, "parts", "held by one box")] if len(rings) > 1 else []
    elif task == "segment":
        points = rings[0] if len(rings) == 1 else in_one_ring(rings)
        losses += [Loss(label, "parts", "joined by seams")] if len(rings) > 1 else []
        losses += [Loss(label, kind, "written as a polygon") for kind in sorted(kinds - {"polygon", "mask", "circle"})]
    else:
        points, lost = _rotated(label, solid, rings)
        losses += lost
    height, width = size
    inside = points if task == "obb" and _is_accepted(points, size) else np.clip(points, 0, (width, height))
    if not np.array_equal(inside, points):
        losses.append(Loss(label, "points outside the picture", "moved to its edge"))
    shares = inside / (width, height)
    if task == "detect":
        low, high = shares
        shares = np.stack([(low + high) / 2, high - low])
        if not (np.round(high - low, _DECIMALS) > 0).all():
            return [], [*losses, Loss(label, "box without area", "left out")]
    return [YoloObject(label, tuple(shares.ravel().tolist()))], losses


def _box(parts: Sequence[Shape], rings: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Returns the bounding box, where vertices are centres of pixels, but corners of rectangles are edges of pixels."""
    points = np.concatenate(rings)
    past = 0 if all(part.shape_type == "rectangle" for part in parts) else 1
    return np.stack([points.min(axis=0), points.max(axis=0) + past])


def _rotated(
    label: str, parts: Sequence[Shape], rings: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], list[Loss]]:
    """Returns the corners (4, 2) of a shape that is a rotated box, or of the smallest rotated box around all parts."""
    boxes = {"rotation", "oriented_rectangle", "rectangle"}
    if len(parts) == 1 and parts[0].shape_type in boxes and len(rings[0]) == 4:  # noqa: PLR2004 - corners
        return rings[0], []
    around = cv2.boxPoints(cv2.minAreaRect(np.concatenate(rings).astype(np.float32)))
    return RotatedBox(np.asarray(around, np.float64)).corners, [Loss(label, "outline", "written as its rotated box")]


def _is_accepted(corners: NDArray[np.float64], size: tuple[int, int]) -> bool:
    """Returns whether trainers accept a rotated box: they only check that its bounding box is in the picture."""
    height, width = size
    low, high = corners.min(axis=0), corners.max(axis=0)
    center = (low + high) / 2
    return bool(((high - low <= (width, height)) & (center >= 0) & (center <= (width, height))).all())


def _text(share: float) -> str:
    """Returns a number with ten decimals; the rounding error is below a millionth of a pixel in any picture."""
    return f"{share:.{_DECIMALS}f}".rstrip("0").rstrip(".")
