"""Results as plain values say what the result says, and JSON takes them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sam3_onnx.errors import OptionError
from sam3_onnx.geometry import rle_to_mask
from sam3_onnx.geometry.filling import rings_to_mask
from sam3_onnx.results import Segmentation
from tests.support.instances import DISC, NOTHING, PARTS, SIZE, instance

RESULT = Segmentation((instance(PARTS, "coin", 0.9), instance(DISC, "ein Hund"), instance(NOTHING, "dog")), SIZE)


def test_facts_are_those_of_the_instances() -> None:
    plain = RESULT.to_dict()
    assert (plain["width"], plain["height"], plain["classes"]) == (90, 60, ["coin", "ein Hund", "dog"])
    for entry, found in zip(plain["instances"], RESULT, strict=True):
        assert (entry["label"], entry["prompt"], entry["score"]) == (found.label, found.prompt, found.score)
        assert (entry["box"], entry["area"]) == (found.box.tolist(), found.area)


def test_polygons_have_all_parts_with_their_holes_and_run_lengths_are_exact() -> None:
    parts = RESULT.to_dict()["instances"][0]["polygons"]
    assert [len(rings) for rings in parts] == [2, 1, 1]
    drawn = [rings_to_mask([np.array(ring) for ring in rings], SIZE) for rings in parts]
    assert np.logical_or.reduce(drawn).sum() == pytest.approx(PARTS.sum(), rel=0.1)
    for entry, found in zip(RESULT.to_dict(masks="rle")["instances"], RESULT, strict=True):
        np.testing.assert_array_equal(rle_to_mask(entry["rle"]), found.mask)
        assert "polygons" not in entry
    assert set(RESULT.to_dict(masks=None)["instances"][0]) == {"label", "prompt", "score", "box", "area"}


@pytest.mark.parametrize("masks", ["polygons", "rle", None])
def test_json_says_the_same(masks: None) -> None:
    assert json.loads(RESULT.to_json(masks=masks)) == RESULT.to_dict(masks=masks)
    assert RESULT.to_json(masks=masks, indent=2).startswith('{\n  "width": 90')
    assert json.loads(Segmentation((), SIZE).to_json())["instances"] == []


def test_other_forms_are_refused() -> None:
    with pytest.raises(OptionError, match='masks must be "polygons", "rle" or None'):
        RESULT.to_json(masks="png")  # type: ignore[arg-type] # wrong on purpose
    with pytest.raises(OptionError, match="indent must be"):
        RESULT.to_json(indent=-1)
