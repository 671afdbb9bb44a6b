"""Do pycocotools and supervision find the same instances in COCO?

What they run against is said in `tests/support/interop.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx.labels import CocoDataset
from tests.support.interop import LARGEST_DIFFERENCE, Sample, differences, say, skip_without

if TYPE_CHECKING:
    from pathlib import Path

skip_without("pycocotools", "supervision")


def coco_of(samples: list[Sample], folder: Path, segmentation: Any, epsilon: float | None = None) -> Path:  # noqa: ANN401
    dataset = CocoDataset()
    for sample in samples:
        dataset.add(sample.path.name, sample.result, segmentation=segmentation, epsilon=epsilon)
    dataset.write(folder / "coco.json")
    return folder / "coco.json"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pycocotools under NumPy 2
def test_pycocotools_finds_the_same_masks_boxes_and_areas(samples: list[Sample], tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    mask_api = pytest.importorskip("pycocotools.mask")
    opened = coco.COCO(str(coco_of(samples, tmp_path, "rle")))
    names = {entry["id"]: entry["name"] for entry in opened.loadCats(opened.getCatIds())}
    count = 0
    for number, sample in zip(opened.getImgIds(), samples, strict=True):
        annotations = opened.loadAnns(opened.getAnnIds(imgIds=[number]))
        assert [names[entry["category_id"]] for entry in annotations] == sample.result.labels
        for entry, instance in zip(annotations, sample.result, strict=True):
            np.testing.assert_array_equal(opened.annToMask(entry).astype(np.bool_), instance.mask)
            runs = opened.annToRLE(entry)
            assert int(mask_api.area(runs)) == entry["area"] == instance.area
            assert mask_api.toBbox(runs).tolist() == entry["bbox"]
            count += 1
    say("pycocotools", "masks, exactly", count)


@pytest.mark.filterwarnings("ignore")  # as above, and ours of holes
def test_pycocotools_reads_the_same_polygons(samples: list[Sample], tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    opened = coco.COCO(str(coco_of(samples, tmp_path, "polygons")))
    count, apart, overlaps = 0, [], []
    for number, sample in zip(opened.getImgIds(), samples, strict=True):
        annotations = opened.loadAnns(opened.getAnnIds(imgIds=[number]))
        for entry, instance in zip(annotations, sample.result, strict=True):
            apart += differences([part.exterior for part in instance.polygons()], entry["segmentation"])
            drawn, mask = opened.annToMask(entry).astype(np.bool_), instance.mask
            overlaps.append(np.count_nonzero(drawn & mask) / np.count_nonzero(drawn | mask))
            count += 1
    assert max(apart) <= LARGEST_DIFFERENCE
    say(
        "pycocotools",
        f"instances of polygons (drawn by it: mean IoU {np.mean(overlaps):.3f} with the mask)",
        count,
        apart,
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pycocotools_scores_the_truth_against_itself_as_perfect(samples: list[Sample], tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    truth = coco.COCO(str(coco_of(samples, tmp_path, "rle")))
    rows = truth.loadAnns(truth.getAnnIds())
    found = truth.loadRes([{**row, "score": row["score"]} for row in rows])
    judge = evaluation.COCOeval(truth, found, "segm")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[0] == pytest.approx(1.0)


@pytest.mark.filterwarnings("ignore")
def test_supervision_finds_the_same_masks_in_coco(samples: list[Sample], tmp_path: Path) -> None:
    supervision = pytest.importorskip("supervision")
    pictures = str(samples[0].path.parent)
    opened = supervision.DetectionDataset.from_coco(pictures, str(coco_of(samples, tmp_path, "rle")), force_masks=True)
    count = 0
    for sample in samples:
        detections = opened.annotations[str(sample.path)]
        assert [opened.classes[number] for number in detections.class_id] == sample.result.labels
        np.testing.assert_array_equal(detections.mask, sample.result.masks)
        count += len(detections)
    say("supervision", "masks from COCO, exactly", count)
