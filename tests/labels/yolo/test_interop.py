"""Does supervision find the same objects in YOLO?

What it runs against is said in `tests/support/interop.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx.labels import write_yolo
from tests.support.interop import LARGEST_DIFFERENCE, Sample, differences, say, skip_without

if TYPE_CHECKING:
    from pathlib import Path

skip_without("supervision")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["detect", "segment", "obb"])
def test_supervision_finds_the_same_objects_in_yolo(samples: list[Sample], tmp_path: Path, task: Any) -> None:  # noqa: ANN401
    supervision = pytest.importorskip("supervision")
    mode: Any = {"detect": "rectangle", "segment": "polygon", "obb": "rotation"}[task]
    written = {}
    for sample in samples:
        shapes = sample.result.shapes(mode, epsilon=0, parts="all")
        written[sample] = shapes
        path = (tmp_path / sample.path.name).with_suffix(".txt")
        write_yolo(path, shapes, task=task, image_size=sample.result.size, holes="seam")
    classes = (tmp_path / "classes.txt").read_text(encoding="utf-8").splitlines()
    (tmp_path / "data.yaml").write_text(json.dumps({"names": classes, "nc": len(classes)}), encoding="utf-8")
    opened = supervision.DetectionDataset.from_yolo(
        str(samples[0].path.parent),
        str(tmp_path),
        str(tmp_path / "data.yaml"),
        force_masks=task == "segment",
        is_obb=task == "obb",
    )
    count, whole, apart = 0, 0, []
    for sample, shapes in written.items():
        detections = opened.annotations[str(sample.path)]
        assert [opened.classes[number] for number in detections.class_id] == sample.result.labels
        count += len(detections)
        if not shapes:
            continue
        if task == "detect":
            corners = [shape.points[[0, 2]].ravel() for shape in shapes]
            np.testing.assert_allclose(detections.xyxy, corners, atol=1e-3)
        elif task == "obb":
            apart += differences([shape.points for shape in shapes], list(detections.data["xyxyxyxy"]))
        else:
            for mask, instance in zip(detections.mask, sample.result, strict=True):
                if len(instance.polygons(0)) == 1 and not instance.polygons(0)[0].holes:
                    np.testing.assert_array_equal(mask, instance.mask)
                    whole += 1
                else:
                    overlap = np.count_nonzero(mask & instance.mask) / np.count_nonzero(mask | instance.mask)
                    apart.append(1 - overlap)
    if task == "obb":
        assert max(apart) <= LARGEST_DIFFERENCE
        say("supervision", "objects from YOLO, task obb", count, apart)
    elif task == "segment":
        assert whole > count / 2
        assert max(apart) < 0.02
        note = (
            f"{whole} masks in one piece exactly, {len(apart)} with holes or parts by IoU {1 - max(apart):.3f} or more"
        )
        say("supervision", f"objects from YOLO, task segment: {note}", count)
    else:
        say("supervision", "boxes from YOLO, to a thousandth of a pixel", count)
