"""Lines as people write them who know arrays, supervision, ultralytics or transformers: each gives what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx.testing import FakeInstance, fake_session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sam3_onnx import Segmentation

ANSWERS = {
    "coin": [FakeInstance((0.1, 0.1, 0.3, 0.5), 0.9), FakeInstance((0.6, 0.1, 0.9, 0.5), 0.7)],
    "tree": [FakeInstance((0.1, 0.6, 0.9, 0.95), 0.8)],
}
PICTURE = np.full((60, 90, 3), 120, np.uint8)


@pytest.fixture(scope="module")
def result() -> Segmentation:
    return fake_session(ANSWERS).predict(PICTURE, "coin, tree")


LINES: list[tuple[Callable[[Segmentation], Any], Any]] = [
    (len, 3),
    (bool, True),
    (lambda result: result.labels, ["coin", "coin", "tree"]),
    (lambda result: result.counts["coin"], 2),
    (lambda result: result.counts["dog"], 0),
    (lambda result: [round(float(score), 1) for score in result.scores], [0.9, 0.7, 0.8]),
    (lambda result: result[0].label, "coin"),
    (lambda result: result[-1].label, "tree"),
    (lambda result: result[:2].labels, ["coin", "coin"]),
    (lambda result: result[[0, 2]].labels, ["coin", "tree"]),
    (lambda result: result[result.scores > 0.75].labels, ["coin", "tree"]),
    (lambda result: result[np.array(result.labels) == "tree"].labels, ["tree"]),
    (lambda result: result[result.areas.argmax()].label, "tree"),
    (lambda result: result.filter(label="tree").labels, ["tree"]),
    (lambda result: result.filter(min_score=0.75).labels, ["coin", "tree"]),
    (lambda result: result.filter(where=lambda one: one.box[0] > 45).labels, ["coin"]),
    (lambda result: result.sort_by("area")[0].label, "tree"),
    (lambda result: result.nms(0.5).labels, ["coin", "coin", "tree"]),
    (lambda result: result.boxes.shape, (3, 4)),
    (lambda result: result.xywh[0].round().tolist(), [9, 6, 18, 24]),
    (lambda result: result.masks.shape, (3, 60, 90)),
    (lambda result: result.centroids[0].round().tolist(), [18, 18]),
    (lambda result: result.draw().shape, (60, 90, 3)),
    (lambda result: np.array_equal(result.draw(color="bgr")[..., ::-1], result.draw()), True),
    (lambda result: result.crop(0).shape[2], 3),
    (lambda result: result.crop(0, transparent=True).shape[2], 4),
    (lambda result: result.segmentation_map()[1], {1: "coin", 2: "tree"}),
    (lambda result: sorted(np.unique(result.segmentation_map(kind="instance")[0]).tolist()), [0, 1, 2, 3]),
    (lambda result: json.loads(result.to_json())["instances"][2]["label"], "tree"),
    (lambda result: [shape.shape_type for shape in result.shapes("rectangle")], ["rectangle"] * 3),
    (lambda result: result.to_coco()[0]["category_id"], 1),
    (lambda result: len(result.to_geojson()["features"]), 3),
    (lambda result: result.merge(result).nms().labels, ["coin", "coin", "tree"]),
]
"""What is written, and what it gives."""


@pytest.mark.parametrize(("line", "value"), LINES)
def test_a_natural_line_gives_what_it_says(
    result: Segmentation, line: Callable[[Segmentation], Any], value: object
) -> None:
    assert line(result) == value


def test_what_is_saved_is_the_drawing(result: Segmentation, tmp_path: Path) -> None:
    assert result.save(tmp_path / "coins.png").exists()
    assert result.segmentation_map().save(tmp_path / "map.png").exists()
