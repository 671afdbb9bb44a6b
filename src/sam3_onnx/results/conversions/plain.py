"""A result as plain values, for JSON and for web services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, get_args

from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.geometry.rle import Rle
    from sam3_onnx.results.instance import Instance

__all__ = ["InstanceDict", "MaskForm", "ResultDict", "result_dict"]

MaskForm: TypeAlias = Literal["polygons", "rle"]
"""How masks are said in plain values: by the outlines of their parts, or exactly by COCO's run lengths."""


class _Facts(TypedDict):
    label: str
    prompt: str
    score: float
    """In 0..1."""
    box: list[float]
    """x1, y1, x2, y2 in pixels, as the model predicts it."""
    area: int
    """Pixels of the mask."""


class InstanceDict(_Facts, total=False):
    """One instance as plain values; `json.dump` writes it as it is."""

    polygons: list[list[list[list[float]]]]
    """Parts of the mask, the largest first; each a list of open rings of x, y, its exterior first, then its holes."""
    rle: Rle
    """The mask, exact, as COCO's compressed run lengths."""


class ResultDict(TypedDict):
    """A result as plain values; `json.dump` writes it as it is."""

    width: int
    """Of the picture, in pixels."""
    height: int
    classes: list[str]
    """What was asked for."""
    instances: list[InstanceDict]


def result_dict(
    instances: Sequence[Instance], *, size: tuple[int, int], classes: Sequence[str], masks: MaskForm | None
) -> ResultDict:
    """Makes plain values of a result; see `Segmentation.to_dict`."""
    if masks is not None and masks not in get_args(MaskForm):
        raise OptionError("masks", expected='"polygons", "rle" or None', got=masks)
    height, width = size
    found = [_instance_dict(instance, masks) for instance in instances]
    return {"width": width, "height": height, "classes": list(classes), "instances": found}


def _instance_dict(instance: Instance, masks: MaskForm | None) -> InstanceDict:
    facts: InstanceDict = {
        "label": instance.label,
        "prompt": instance.prompt,
        "score": float(instance.score),
        "box": [float(edge) for edge in instance.box],
        "area": instance.area,
    }
    if masks == "rle":
        facts["rle"] = instance.rle()
    elif masks == "polygons":
        parts = instance.polygons()
        facts["polygons"] = [[ring.tolist() for ring in (part.exterior, *part.holes)] for part in parts]
    return facts
