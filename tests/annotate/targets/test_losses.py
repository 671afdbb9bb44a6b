"""What a format cannot hold of shapes that were in a label file already is counted among the losses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.annotate.targets.label_files import FolderOfFiles
from sam3_onnx.annotate.targets.protocol import Merging
from sam3_onnx.labels import LabelFile, PictureFormat
from sam3_onnx.labels.losses import Loss
from sam3_onnx.results import Shape
from sam3_onnx.testing import fake_session
from tests.support.picture_folders import ANSWERS, paint

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from sam3_onnx.results import ShapeType


@dataclass(frozen=True)
class ForgetfulFormat(PictureFormat):
    """Labels and boxes; it leaves out whatever is called "wire"."""

    name: ClassVar[str] = "forgetful"
    suffix: ClassVar[str] = ".forgetful"
    modes: ClassVar[tuple[ShapeType, ...]] = ("rectangle",)

    def decode(self, content: bytes, *, path: str | os.PathLike[str], image_size: tuple[int, int]) -> LabelFile:
        entries = json.loads(content)
        shapes = tuple(Shape(label, "rectangle", np.array(points, np.float64)) for label, points in entries)
        return LabelFile(shapes, str(path), image_size)

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        kept = [[shape.label, shape.points.tolist()] for shape in file.shapes if shape.label != "wire"]
        lost = [Loss(shape.label, "wire", "left out") for shape in file.shapes if shape.label == "wire"]
        return json.dumps(kept).encode(), tuple(lost)


def test_a_shape_that_was_there_and_cannot_be_kept_is_a_loss(tmp_path: Path) -> None:
    picture = paint(tmp_path, "a.png") / "a.png"
    there = [["wire", [[1, 1], [9, 1], [9, 9], [1, 9]]]]
    (tmp_path / "a.forgetful").write_text(json.dumps(there), encoding="utf-8")
    merging = Merging(["coin"], "append", 0.8)
    target = FolderOfFiles(tmp_path, tmp_path, ForgetfulFormat(), "rectangle", None, 0, merging)
    with fake_session(ANSWERS) as session:
        written = target.write(picture, session.predict(picture, "coin"))
    assert written.added == 2
    assert sum(written.losses.values()) == 1
    assert "wire" in next(iter(written.losses))
