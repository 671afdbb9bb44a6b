"""Are a picture's instances rows of COCO, every pixel of them?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sam3_onnx import Shape
from sam3_onnx.geometry import rle_to_mask
from sam3_onnx.labels import coco_picture
from tests.support.coco import RING, SIZE, SQUARE, TORN, block, result

if TYPE_CHECKING:
    from numpy.typing import NDArray


@given(mask=arrays(np.bool_, SIZE, elements=st.booleans(), fill=st.just(value=False)))
@settings(deadline=None, max_examples=40)
def test_run_lengths_hold_every_pixel(mask: NDArray[np.bool_]) -> None:
    picture, losses = coco_picture("a.png", result(mask))
    assert json.loads(json.dumps(picture)) == picture
    if not mask.any():
        assert picture["annotations"] == []
        assert [str(loss) for loss in losses] == ["empty mask was left out (coin)"]
        return
    (row,) = picture["annotations"]
    segmentation = row["segmentation"]
    assert isinstance(segmentation, dict)
    np.testing.assert_array_equal(rle_to_mask({**segmentation}), mask)
    x, y, width, height = (int(value) for value in row["bbox"])
    assert mask[y : y + height, x : x + width].sum() == row["area"] == mask.sum()
    assert (row["label"], row["score"], row["iscrowd"]) == ("coin", 0.5, 0)


def test_polygons_hold_every_part_and_tell_of_holes() -> None:
    picture, losses = coco_picture("a.png", result(RING, TORN), segmentation="polygons", epsilon=0)
    ring, torn = picture["annotations"]
    assert ring["segmentation"] == [[5, 5, 5, 24, 24, 24, 24, 5]]
    assert len(torn["segmentation"]) == 2
    assert ring["area"] == RING.sum()
    assert [str(loss) for loss in losses] == ["holes were filled (coin)"]


def test_a_mask_too_thin_for_a_polygon_is_written_as_run_lengths() -> None:
    picture, losses = coco_picture("a.png", result(block(5, 5, 25, 6)), segmentation="polygons")
    assert isinstance(picture["annotations"][0]["segmentation"], dict)
    assert losses == ()


def test_shapes_of_one_group_are_one_instance() -> None:
    shapes = [
        Shape("coin", "polygon", SQUARE, 0.25, group_id=1),
        Shape("coin", "rectangle", SQUARE + 5, 0.25, group_id=1),
        Shape("coin", "rectangle", SQUARE),
        Shape("dot", "point", SQUARE[:1]),
        Shape("coin", "line", SQUARE[:2], group_id=1),
        Shape("far", "rectangle", SQUARE + 500),
    ]
    picture, losses = coco_picture("a.png", shapes, image_size=SIZE)
    together, alone = picture["annotations"]
    assert (together["bbox"], together["score"]) == ([10, 10, 25, 25], 0.25)
    assert (alone["bbox"], alone["area"], alone["score"]) == ([10, 10, 20, 20], 400, None)
    assert [str(loss) for loss in losses if not loss.by_nature] == [
        "line was left out (coin)",
        "point was left out (dot)",
        "rectangle was left out (far)",
    ]
    assert {str(loss) for loss in losses if loss.by_nature} == {
        "polygon was written as rle (coin)",
        "rectangle was written as rle (coin)",
    }
