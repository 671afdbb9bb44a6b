"""What the library does with the label files of a folder: it reads them, and adds a shape to them.

Pictures are called `a.png`, and `b.png` in formats with several pictures in a file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from sam3_onnx.labels import (
    CocoDataset,
    read_labelme,
    read_xanylabeling,
    read_yolo,
    write_labelme,
    write_xanylabeling,
    write_yolo,
)
from sam3_onnx.results.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sam3_onnx.labels import LabelFile, Loss

__all__ = ["LABEL_FILES", "add_shape", "read_shapes", "rows"]

LABEL_FILES = {"labelme": "a.json", "xanylabeling": "a.json", "coco": "annotations.json"}
"""Names of label files by format; those of YOLO are called `a.txt`."""
_ADDED = "added"


def read_shapes(format_name: str, folder: Path, size: tuple[int, int], picture: str = "a.png") -> Sequence[Shape]:
    """Returns the shapes of a picture of that (height, width), each with its pixels made once.

    Raises:
        LabelError: The library refuses the file, or what it says of the picture.
    """
    if format_name == "coco":
        shapes: Sequence[Shape] = CocoDataset.read(folder / LABEL_FILES["coco"]).shapes(picture)
    else:
        shapes = _read(format_name, folder, size).shapes
    for shape in shapes:
        shape.to_mask(size)
    return shapes


def add_shape(format_name: str, folder: Path, size: tuple[int, int], picture: str = "a.png") -> Sequence[Loss]:
    """Adds a triangle to what is labelled in a picture, in place, and returns what the file does not say.

    Raises:
        LabelError: The library refuses the file.
    """
    corners = np.array([(2, 2), (size[1] - 2, 2), (2, size[0] - 2)], np.float64)
    added = Shape(_ADDED, "polygon", corners)
    if format_name == "coco":
        dataset = CocoDataset.read(folder / LABEL_FILES["coco"])
        losses = dataset.add(picture, [added], image_size=size)
        dataset.write(folder / LABEL_FILES["coco"])
        return losses
    file = _read(format_name, folder, size)
    longer = file.with_shapes([*file.shapes, added])
    if format_name == "labelme":
        return write_labelme(folder / "a.json", longer)
    if format_name == "xanylabeling":
        return write_xanylabeling(folder / "a.json", longer)
    return write_yolo(folder / "a.txt", longer, task=_task(format_name))


def rows(format_name: str, content: bytes) -> list[object]:
    """Returns the entries of a label file as they stand in it: its lines, or its objects in JSON."""
    if format_name.startswith("yolo"):
        return [line.strip() for line in content.decode("utf-8-sig").splitlines() if line.strip()]
    fields = json.loads(content.decode("utf-8-sig"))
    return list(fields["annotations" if format_name == "coco" else "shapes"])


def _read(format_name: str, folder: Path, size: tuple[int, int]) -> LabelFile:
    if format_name == "labelme":
        return read_labelme(folder / "a.json", image_size=size)
    if format_name == "xanylabeling":
        return read_xanylabeling(folder / "a.json", image_size=size)
    return read_yolo(folder / "a.txt", task=_task(format_name), image_size=size)


def _task(format_name: str) -> Literal["detect", "segment", "obb"]:
    return cast("Literal['detect', 'segment', 'obb']", format_name.removeprefix("yolo-"))
