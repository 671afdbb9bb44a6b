"""Other programs' readers of label files, where they are installed: pycocotools for COCO, labelme for its own files."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.fuzz.inputs import WrongAnswerError
from tools.fuzz.label_reading import LABEL_FILES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sam3_onnx.results.shape import Shape

__all__ = ["require_agreement"]


def require_agreement(format_name: str, folder: Path, shapes: Sequence[Shape], size: tuple[int, int]) -> None:
    """Lets shapes of `a.png` pass that the format's own program finds, too, if it is installed.

    Raises:
        WrongAnswerError: It finds others.
    """
    if format_name == "coco" and importlib.util.find_spec("pycocotools"):
        _agree_with_pycocotools(folder / LABEL_FILES["coco"], shapes, size)
    if format_name == "labelme" and importlib.util.find_spec("labelme"):
        _agree_with_labelme(folder / LABEL_FILES["labelme"], shapes)


def _agree_with_pycocotools(path: Path, shapes: Sequence[Shape], size: tuple[int, int]) -> None:
    """Compares outlines number by number, and masks pixel by pixel."""
    coco: Any = importlib.import_module("pycocotools.coco")
    with contextlib.redirect_stdout(io.StringIO()):
        opened = coco.COCO(str(path))
    names = {entry["id"]: entry["name"] for entry in opened.loadCats(opened.getCatIds())}
    waiting = iter(shapes)
    for annotation in opened.loadAnns(opened.getAnnIds(imgIds=[1])):
        outline, where = annotation.get("segmentation"), f"annotation {annotation['id']}"
        mine = [next(waiting) for _ in (outline if isinstance(outline, list) else [None])]
        _require(all(shape.label == names[annotation["category_id"]] for shape in mine), where, "label")
        if isinstance(outline, list):
            theirs = [np.array(ring).reshape(-1, 2) for ring in outline]
            same = all(np.allclose(shape.points, ring) for shape, ring in zip(mine, theirs, strict=True))
            _require(same, where, "polygon")
        elif outline is not None:
            mask = mine[0].to_mask(size)
            _require(mask is not None and np.array_equal(mask, opened.annToMask(annotation) > 0), where, "mask")
    _require(next(waiting, None) is None, "the picture", "number of shapes")


def _agree_with_labelme(path: Path, shapes: Sequence[Shape]) -> None:
    label_file: Any = importlib.import_module("labelme._label_file")
    read = getattr(label_file, "LabelFile", None) or label_file.read_label_file
    theirs = json.loads(json.dumps([_plain(entry) for entry in read(str(path)).shapes]))
    mine = [[shape.label, shape.shape_type, shape.points.tolist(), shape.group_id] for shape in shapes]
    _require(theirs == mine, str(path.name), "shapes")


def _plain(entry: dict[str, Any]) -> list[object]:
    points = np.array(entry["points"], np.float64).tolist()
    return [entry["label"], entry["shape_type"], points, entry["group_id"]]


def _require(is_same: bool, where: str, what: str) -> None:  # noqa: FBT001 - what is required
    if not is_same:
        raise WrongAnswerError(f"{where}: another {what} than the format's own program finds")
