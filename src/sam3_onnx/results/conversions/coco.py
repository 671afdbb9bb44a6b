"""A result as COCO's annotations, and what they say of a mask.

The format is that of COCO's instance annotations and results: https://cocodataset.org/#format-data
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from sam3_onnx._support.checks import is_whole
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.boxes import mask_to_rectangle
from sam3_onnx.geometry.rle import mask_to_rle
from sam3_onnx.results.conversions.numbering import class_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.geometry.rle import Rle
    from sam3_onnx.results.instance import Instance

__all__ = ["CocoAnnotation", "CocoMeasures", "coco_annotations", "coco_measures"]


class CocoMeasures(TypedDict):
    """What COCO's files say of a mask beside its outline."""

    area: int
    """Pixels of the mask."""
    bbox: list[int]
    """x, y, width, height of the mask's own rectangle, in pixels; four zeros for an empty mask."""
    iscrowd: int
    """0: one thing, not a crowd."""


class CocoAnnotation(TypedDict):
    """One instance as COCO's files hold it; `json.dump` writes it as it is."""

    id: int
    """Of this annotation, unlike that of every other one in the file."""
    image_id: int
    """Of the picture."""
    category_id: int
    """Of the label."""
    segmentation: Rle
    """The mask, exact, with compressed run lengths."""
    area: int
    """Pixels of the mask."""
    bbox: list[int]
    """x, y, width, height of the mask's own rectangle, in pixels; four zeros for an empty mask."""
    iscrowd: int
    """0: one thing, not a crowd."""
    score: float
    """In 0..1."""


def coco_annotations(
    instances: Sequence[Instance], *, image_id: int, first_id: int, category_ids: Mapping[str, int] | None
) -> list[CocoAnnotation]:
    """Makes COCO's annotations of one picture; see `Segmentation.to_coco`."""
    for name, value in (("image_id", image_id), ("first_id", first_id)):
        if not is_whole(value):
            raise OptionError(name, expected="a whole number", got=value)
    categories = class_numbers("category_ids", category_ids, instances, first=1)
    return [
        _annotation(instance, int(first_id) + index, int(image_id), category)
        for index, (instance, category) in enumerate(zip(instances, categories, strict=True))
    ]


def coco_measures(mask: NDArray[np.bool_]) -> CocoMeasures:
    """Returns what COCO's files say of a mask (H, W) beside its outline."""
    left, top, right, bottom = mask_to_rectangle(mask) or (0, 0, 0, 0)
    return {"area": int(np.count_nonzero(mask)), "bbox": [left, top, right - left, bottom - top], "iscrowd": 0}


def _annotation(instance: Instance, number: int, image_id: int, category_id: int) -> CocoAnnotation:
    mask = instance.mask
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": mask_to_rle(mask),
        **coco_measures(mask),
        "score": float(instance.score),
    }
