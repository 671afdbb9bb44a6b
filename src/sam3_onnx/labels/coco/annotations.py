"""Conversion of one annotation of a COCO file to shapes, with checks.

Sizes are compared with the size of the picture before anything is decoded, because a few bytes can claim any size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import LabelShapeError, MaskError
from sam3_onnx.geometry.rle import rle_to_mask
from sam3_onnx.geometry.window import Window
from sam3_onnx.labels.json_files.values import FARTHEST, number, numbers
from sam3_onnx.results.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["annotation_shapes"]

_INTERPRETED = {"id", "image_id", "category_id", "bbox", "area", "segmentation", "score"}
_BOX = 4


def annotation_shapes(
    annotation: Mapping[str, object],
    label: str,
    *,
    where: str,
    groups: Iterator[int],
    size: tuple[int | None, int | None],
) -> list[Shape]:
    """Returns the shapes of one annotation.

    Args:
        annotation: The entry of the file.
        label: Name of its category.
        where: Name of the annotation in messages.
        groups: New group ids for annotations with several polygons.
        size: (height, width) of its picture; None for a value that the file does not contain.

    Raises:
        LabelShapeError: The annotation is invalid.
    """
    score = number(annotation.get("score"))
    extra = {key: value for key, value in annotation.items() if key not in _INTERPRETED}
    if not extra.get("iscrowd"):  # one object, like every other shape
        extra.pop("iscrowd", None)
    outline = annotation.get("segmentation")
    if isinstance(outline, dict):
        mask = _mask(outline, where, size)
        height, width = mask.mask.shape
        corners = mask.origin + np.array([(0, 0), (width - 1, height - 1)])
        return [Shape(label, "mask", corners, score, mask=mask.mask, extra=extra)]
    if isinstance(outline, list) and outline:
        rings = [_ring(ring, where) for ring in outline]
        group = next(groups) if len(rings) > 1 else None
        return [Shape(label, "polygon", ring, score, group_id=group, extra=extra) for ring in rings]
    if outline not in (None, []):
        raise LabelShapeError(where=where, expected="a segmentation of polygons or run lengths", got=f"{outline!r:.80}")
    return [Shape(label, "rectangle", _corners(annotation.get("bbox"), where), score, extra=extra)]


def _mask(outline: Mapping[str, object], where: str, size: tuple[int | None, int | None]) -> Window:
    claimed = outline.get("size")
    if None in size or claimed != list(size):
        expected = f"run lengths with the height and width of the picture, {list(size)}"
        raise LabelShapeError(where=where, expected=expected, got=f"{claimed!r:.80}")
    try:
        return Window.of(rle_to_mask(outline))
    except MaskError as error:
        raise LabelShapeError(where=where, expected="run lengths", got=str(error)) from error


def _ring(values: object, where: str) -> NDArray[np.float64]:
    ring = numbers(values)
    if ring is None or not ring.size or ring.size % 2:
        expected = f"an even number of finite numbers of at most {FARTHEST:g}"
        raise LabelShapeError(where=where, expected=expected, got=f"{values!r:.80}")
    return ring.reshape(-1, 2)


def _corners(values: object, where: str) -> NDArray[np.float64]:
    box = numbers(values)
    if box is None or box.size != _BOX or (box[2:] < 0).any():
        expected = "a bbox of x, y, width and height: finite numbers, width and height at least 0"
        raise LabelShapeError(where=where, expected=expected, got=f"{values!r:.80}")
    x, y, width, height = box.tolist()
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
