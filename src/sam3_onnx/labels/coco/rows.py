"""Rows of one picture in a COCO file, before they are numbered.

Fields follow the COCO data format (cocodataset.org, "Data format", object detection). Run lengths are written by
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
"""How masks are written: "rle" says every pixel, "polygons" outlines each part and fills holes."""

_LEAST_VERTICES = 3
_SAID = {"rle": "mask", "polygons": "polygon"}
"""Shapes that are written as they are."""


class CocoRow(TypedDict):
    """One instance, without the numbers of its row, its picture and its category."""

    label: str
    score: float | None
    bbox: list[float]
    """x, y, width and height of the mask's own rectangle, in pixels."""
    area: int
    """Pixels of the mask."""
    segmentation: Rle | list[list[float]]
    """Run lengths, or for each part x, y, x, y, ... of its vertices."""
    iscrowd: int
    """0: one instance."""


class CocoPicture(TypedDict):
    """A picture with its instances: plain values, which can be kept as JSON until `CocoDataset` takes them."""

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
    """Returns the rows of one picture, and what they do not say.

    Args:
        file_name: Of the picture, as the COCO file names it.
        found: A result, a `LabelFile`, or shapes. Shapes that share a label and a `group_id` are one instance.
        image_size: (height, width) of the picture; a result and a `LabelFile` know their own.
        segmentation: "rle", or "polygons": without holes. A mask too thin for a polygon is written as run lengths.
        epsilon: Of the polygons of a result; None for the session's.

    Raises:
        OptionError: What is no shapes, shapes without a size, another size than found, or another segmentation.
    """
    require_choice("segmentation", segmentation, ("rle", "polygons"))
    if not isinstance(file_name, str):
        raise OptionError("file_name", expected="the picture's name, a string", got=file_name)
    losses: list[Loss] = []
    if isinstance(found, Segmentation):
        size, instances = _one_size(found.size, image_size), _of_result(found, segmentation, epsilon)
    elif isinstance(found, LabelFile):
        size = _one_size(found.image_size, image_size)
        instances = _of_shapes(found.shapes, size, segmentation)
        losses += unsaid_file_fields(found)
    elif image_size is None:
        raise OptionError("image_size", expected="given with shapes", got=None)
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
        raise OptionError("image_size", expected=f"left out, or {known} as what was found says", got=asked)
    return known


class _Found(NamedTuple):
    """One instance before it is a row."""

    label: str
    score: float | None
    mask: NDArray[np.bool_]
    """Pixels (H, W) of the instance."""
    rings: list[NDArray[np.float64]]
    """Outlines (V, 2) of its parts where polygons are wanted."""
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
            if rings:  # without any, run lengths say every pixel
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
    """Returns the row of an instance, None for one that covers no pixel of the picture."""
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
