"""Average precision is that of pycocotools, where its measures are the same."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx.evaluate import evaluate_folder
from sam3_onnx.geometry import mask_to_rle
from sam3_onnx.testing import FakeInstance, fake_session
from tests.support.interop import skip_without
from tests.support.picture_folders import SIZE, paint

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx import Instance, Sam3Session

skip_without("pycocotools")

WORDS = ("coin", "star")
PICTURES = [f"{number:02}.png" for number in range(12)]
LEAST = 0.05


def session_of(dice: np.random.Generator) -> Sam3Session:
    """A model that finds the same in every picture, some of it twice."""
    answers = {}
    for word in WORDS:
        corners = dice.uniform(0, 0.6, (9, 2))
        sides = dice.uniform(0.15, 0.4, (9, 2))
        scores = dice.uniform(0.1, 0.99, 9)
        boxes = np.concatenate([corners, np.minimum(corners + sides, 1)], axis=1)
        answers[word] = [FakeInstance(tuple(box), float(score)) for box, score in zip(boxes, scores, strict=True)]
    return fake_session(answers)


def moved(mask: NDArray[np.bool_], dice: np.random.Generator) -> NDArray[np.bool_]:
    """A mask some pixels away."""
    down, right = dice.integers(-4, 5, 2)
    return np.roll(mask, (int(down), int(right)), (0, 1))


def annotation(number: int, image: int, instance: Instance, kind: str, dice: np.random.Generator) -> dict[str, Any]:
    mask = moved(instance.mask, dice)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1]
    outline: dict[str, Any] = {"segmentation": mask_to_rle(mask)} if kind == "segm" else {"segmentation": []}
    is_crowd = int(kind == "segm" and dice.random() < 0.15)
    category = WORDS.index(instance.label) + 1
    facts = {"bbox": [float(edge) for edge in box], "area": int(mask.sum()), "iscrowd": is_crowd}
    return {"id": number, "image_id": image, "category_id": category, **facts, **outline}


def dataset_of(session: Sam3Session, folder: Path, kind: str, dice: np.random.Generator) -> dict[str, Any]:
    """Labels that are some of the finds, moved a little."""
    annotations: list[dict[str, Any]] = []
    for image, name in enumerate(PICTURES, start=1):
        for instance in session.predict(folder / name, list(WORDS), conf_threshold=LEAST):
            if dice.random() < 0.6:
                annotations.append(annotation(len(annotations) + 1, image, instance, kind, dice))
    height, width = SIZE
    images = [{"id": at, "file_name": name, "height": height, "width": width} for at, name in enumerate(PICTURES, 1)]
    categories = [{"id": at, "name": word} for at, word in enumerate(WORDS, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def detections_of(session: Sam3Session, folder: Path) -> list[dict[str, Any]]:
    found = []
    for image, name in enumerate(PICTURES, start=1):
        for instance in session.predict(folder / name, list(WORDS), conf_threshold=LEAST):
            x1, y1, x2, y2 = (float(edge) for edge in instance.box)
            outline = mask_to_rle(instance.mask)
            facts = {"bbox": [x1, y1, x2 - x1, y2 - y1], "score": instance.score, "segmentation": outline}
            found.append({"image_id": image, "category_id": WORDS.index(instance.label) + 1, **facts})
    return found


@pytest.mark.parametrize("kind", ["segm", "bbox"])
@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_that_of_pycocotools(tmp_path: Path, seed: int, kind: str) -> None:
    coco, cocoeval = map(importlib.import_module, ("pycocotools.coco", "pycocotools.cocoeval"))
    dice = np.random.default_rng(seed)
    folder = paint(tmp_path, *PICTURES)
    path = tmp_path / "labels.json"
    with session_of(dice) as session:
        path.write_text(json.dumps(dataset_of(session, folder, kind, dice)), encoding="utf-8")
        ours = evaluate_folder(session, path)
        truth = coco.COCO(str(path))
        judge = cocoeval.COCOeval(truth, truth.loadRes(detections_of(session, folder)), kind)
    judge.evaluate()
    judge.accumulate()
    precision = judge.eval["precision"][:, :, :, 0, -1]  # IoU, recall, category; all areas, 100 finds at most
    theirs = precision.mean(axis=(0, 1)), precision[0].mean(axis=0)
    assert [word.ap for word in ours.words] == pytest.approx(theirs[0], abs=1e-9)
    assert [word.ap50 for word in ours.words] == pytest.approx(theirs[1], abs=1e-9)
    assert ours.total.ap == pytest.approx(precision.mean(), abs=1e-9)
    assert 0.05 < precision.mean() < 0.95
