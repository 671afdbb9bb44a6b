"""How does a result look among COCO's annotations?

The format is that of COCO's instance annotations and results: https://cocodataset.org/#format-data
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from sam3_onnx._support.checks import is_whole
from sam3_onnx.errors import OptionError
from sam3_onnx.results.conversions.numbering import class_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sam3_onnx.geometry.rle import Rle
    from sam3_onnx.results.instance import Instance

__all__ = ["CocoAnnotation", "coco_annotations"]


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
        {
            "id": int(first_id) + index,
            "image_id": int(image_id),
            "category_id": category,
            "segmentation": instance.rle(),
            "area": instance.area,
            "bbox": _bbox(instance),
            "iscrowd": 0,
            "score": float(instance.score),
        }
        for index, (instance, category) in enumerate(zip(instances, categories, strict=True))
    ]


def _bbox(instance: Instance) -> list[int]:
    x1, y1, x2, y2 = instance.rectangle() or (0, 0, 0, 0)
    return [x1, y1, x2 - x1, y2 - y1]
