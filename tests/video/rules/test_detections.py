"""Detections that take part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sam3_onnx.errors import OptionError
from sam3_onnx.video.rules.constants import TrackingRules
from sam3_onnx.video.rules.detections import select_detections

MASKS = np.full((3, 8, 8), -1, np.float32)
MASKS[0, :4, :4] = MASKS[1, :4, :5] = MASKS[2, 5:, 5:] = 1


def test_a_worse_detection_of_the_same_thing_is_left_out_in_the_order_of_the_model() -> None:
    found = select_detections(MASKS, [0.8, 0.9, 0.51], 3, TrackingRules())
    assert [(detection.score, detection.prompt) for detection in found] == [(0.9, 3), (0.51, 3)]
    everything = select_detections(MASKS, [0.8, 0.9, 0.51], 3, replace(TrackingRules(), det_nms_thresh=0.0))
    assert [detection.score for detection in everything] == [0.8, 0.9, 0.51]


def test_a_score_at_the_threshold_does_not_take_part() -> None:
    assert select_detections(MASKS, [0.5, 0.4, 0.0], 0, TrackingRules()) == []


@pytest.mark.parametrize("scores", [[0.5, 0.5], [0.9, np.nan, 0.9]])
def test_scores_that_do_not_fit_are_refused(scores: list[float]) -> None:
    with pytest.raises(OptionError, match="scores"):
        select_detections(MASKS, scores, 0, TrackingRules())
