"""A folder of pictures with plain grey levels, and its label files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sam3_onnx.labels import read_xanylabeling
from sam3_onnx.testing import FakeInstance

if TYPE_CHECKING:
    from pathlib import Path

COIN = [FakeInstance((0.1, 0.1, 0.4, 0.5)), FakeInstance((0.6, 0.5, 0.9, 0.9), score=0.7)]
ANSWERS = {"coin": COIN, "tree": [FakeInstance((0.5, 0.1, 0.8, 0.4))]}
SIZE = (60, 80)


def paint(folder: Path, *names: str) -> Path:
    for level, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        encoded = cv2.imencode(path.suffix, np.full((*SIZE, 3), 10 + level, np.uint8))[1]
        path.write_bytes(encoded.tobytes())
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return paint(tmp_path / "pictures", "a.png", "b.png", "c.png")


def shapes_of(path: Path) -> list[tuple[str, str]]:
    return [(shape.label, shape.shape_type) for shape in read_xanylabeling(path).shapes]


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def by_hand(label: str) -> dict[str, object]:
    points = [[1, 2], [9, 2], [9, 8.5]]
    return {"label": label, "points": points, "shape_type": "polygon", "flags": {}, "group_id": None, "note": "mine"}


def write_by_hand(path: Path, *labels: str, size: tuple[int, int] = SIZE) -> dict[str, object]:
    content: dict[str, object] = {
        "version": "4.0.2",
        "shapes": [by_hand(label) for label in labels],
        "imagePath": "a.png",
        "imageHeight": size[0],
        "imageWidth": size[1],
        "checked": True,
        "reviewer": {"remark": "höchst genau", "grade": 1},
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return content
