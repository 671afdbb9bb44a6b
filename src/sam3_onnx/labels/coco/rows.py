"""Rows of one picture in a COCO file, before they get ids.

Fields follow the COCO data format (cocodataset.org, "Data format", object detection). Run lengths are encoded by
`sam3_onnx.geometry.rle`, so that no other package is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypedDict

import numpy as np

from sam3_onnx._support.checks import require_choice, require_size
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.rle import Rle, mask_to_rle
from sam3_onnx.labels.conversion import rings_of, shapes_by_instance, unsaid_fields, unsaid_file_fields
from sam3_onnx.labels.finds import thin_losses
from sam3_onnx.labels.label_file import LabelFile, require_image_size, require_shapes
from sam3_onnx.labels.losses import Loss
from sam3_onnx.results.conversions.coco import coco_measures
from sam3_onnx.results.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.results.shape import Shape

__all__ = ["CocoPicture", "CocoRow", "CocoSegmentation", "coco_picture"]

CocoSegmentation: TypeAlias = Literal["rle", "polygons"]
"""Form in which masks are written: "rle" stores every pixel, "polygons" outlines each part and fills holes."""

_LEAST_VERTICES = 3
_SAID = {"rle": "mask", "polygons": "polygon"}
"""Shapes that are written as they are."""


class CocoRow(TypedDict):
    """One instance, without the ids of its row, its picture and its category."""

    label: str
    score: float | None
    bbox: list[float]
    """x, y, width and height of the bounding box of the mask, in pixels."""
    area: int
    """Number of pixels of the mask."""
    segmentation: Rle | list[list[float]]
    """Run-length encoding, or for each part a list x, y, x, y, ... of its vertices."""
    iscrowd: int
    """Always 0: the row is one instance, not a crowd."""


class CocoPicture(TypedDict):
    """A picture with its instances as plain values, which can be stored as JSON and added to a `CocoDataset` later."""

    file_name: str
    height: int
    width: int
    annotations: list[CocoRow]


@known_keywords()
def coco_picture(
    file_name: str,
    found: Segmentation | LabelFile | Sequence[Shape],
    *,
    image_size: tuple[int, int] | None = None,
    segmentation: CocoSegmentation = "rle",
    epsilon: float | None = None,
) -> tuple[CocoPicture, tuple[Loss, ...]]:
    """Returns the rows of one picture, and the losses: what the rows cannot store.

    Args:
        file_name: Name of the picture in the COCO file.
        found: A result, a `LabelFile`, or shapes. Shapes with the same label and `group_id` are one instance.
        image_size: (height, width) of the picture; not needed for a result or a `LabelFile`, which contain it.
        segmentation: "rle", or "polygons", which have no holes; a mask too thin for a polygon is written as run
            lengths.
        epsilon: Epsilon of the polygons of a result; None for the value of the session.

    Raises:
        OptionError: `found` is not shapes, shapes are passed without a size, `image_size` differs from that of `found`,
            or `segmentation` is unknown.
    """
    require_choice("segmentation", segmentation, ("rle", "polygons"))
    if not isinstance(file_name, str):
        raise OptionError("file_name", expected="the name of the picture, a string", got=file_name)
    losses: list[Loss] = []
    if isinstance(found, Segmentation):
        size, instances = _one_size(found.size, image_size), _of_result(found, segmentation, epsilon)
    elif isinstance(found, LabelFile):
        size = _one_size(found.image_size, image_size)
        instances = _of_shapes(found.shapes, size, segmentation)
        losses += unsaid_file_fields(found)
    elif image_size is None:
        raise OptionError("image_size", expected="passed together with shapes", got=None)
    else:
        shapes = require_shapes(found)
        size = require_image_size(shapes, image_size)
        instances = _of_shapes(shapes, size, segmentation)
    rows: list[CocoRow] = []
    for instance in instances:
        row = _row(instance)
        rows += [] if row is None else [row]
        losses += instance.losses
    height, width = size
    picture: CocoPicture = {"file_name": file_name, "height": int(height), "width": int(width), "annotations": rows}
    return picture, tuple(losses)


def _one_size(known: tuple[int, int], asked: tuple[int, int] | None) -> tuple[int, int]:
    if asked is not None and require_size("image_size", asked) != tuple(known):
        raise OptionError("image_size", expected=f"left out, or {known}, the size in found", got=asked)
    return known


class _Found(NamedTuple):
    """One instance before its conversion to a row."""

    label: str
    score: float | None
    mask: NDArray[np.bool_]
    """Mask (H, W) of the instance."""
    rings: list[NDArray[np.float64]]
    """Outlines (V, 2) of its parts, if it is written as polygons."""
    losses: list[Loss]


def _of_result(result: Segmentation, segmentation: CocoSegmentation, epsilon: float | None) -> Iterator[_Found]:
    for instance in result:
        rings: list[NDArray[np.float64]] = []
        losses: list[Loss] = []
        if segmentation == "polygons":
            outlines = instance.outlines(epsilon)
            rings = [polygon.exterior for polygon in outlines.polygons]
            if any(polygon.holes for polygon in outlines.polygons):
                losses.append(Loss(instance.label, "holes", "filled"))
            if rings:  # without rings, the instance is written as run lengths
                losses += thin_losses(instance, outlines)
        mask = instance.mask
        losses += [] if mask.any() else [Loss(instance.label, "empty mask", "left out")]
        yield _Found(instance.label, instance.score, mask, rings, losses)


def _of_shapes(shapes: Sequence[Shape], size: tuple[int, int], segmentation: CocoSegmentation) -> Iterator[_Found]:
    for parts in shapes_by_instance(shapes):
        label, mask = parts[0].label, np.zeros(size, np.bool_)
        rings: list[NDArray[np.float64]] = []
        losses: list[Loss] = []
        for part in parts:
            pixels = part.to_mask(size)
            losses += unsaid_fields(part)
            if pixels is None or not pixels.any():
                losses.append(Loss(label, part.shape_type, "left out"))
                continue
            mask |= pixels
            if part.shape_type != _SAID[segmentation]:
                losses.append(Loss(label, part.shape_type, f"written as {segmentation}", by_nature=True))
            if segmentation == "polygons":
                outlines, lost = rings_of(part, size, "fill")
                rings += outlines
                losses += lost
        yield _Found(label, parts[0].score, mask, rings, losses)


def _row(found: _Found) -> CocoRow | None:
    """Returns the row of an instance, or None if it covers no pixel of the picture."""
    if not found.mask.any():
        return None
    measures = coco_measures(found.mask)
    polygons = [[float(value) for value in ring.ravel()] for ring in found.rings if len(ring) >= _LEAST_VERTICES]
    return {
        "label": found.label,
        "score": None if found.score is None else float(found.score),
        "bbox": [*measures["bbox"]],
        "area": measures["area"],
        "segmentation": polygons or mask_to_rle(found.mask),
        "iscrowd": measures["iscrowd"],
    }
