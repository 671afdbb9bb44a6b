"""What tracks are remembered by where they overlap."""

from __future__ import annotations

import numpy as np

from sam3_onnx.video.rules.constants import TrackingRules
from sam3_onnx.video.rules.planes import Plane
from sam3_onnx.video.rules.remembering import without_shrunk

RULES = TrackingRules()


def plane(left: int, right: int, logit: float) -> Plane:
    logits = np.full((10, 20), -2, np.float32)
    logits[:, left:right] = logit
    return Plane(logits)


def test_of_equal_masks_the_older_track_keeps_its_own() -> None:
    older, younger = without_shrunk([plane(0, 10, 3), plane(0, 10, 3)], [0, 0], RULES)
    assert not older.is_empty
    assert younger.is_empty
    assert younger.logits.max() <= -10


def test_a_mask_that_keeps_enough_stays_whole_with_its_overlap() -> None:
    weaker = plane(0, 10, 1)
    assert without_shrunk([weaker, plane(3, 10, 3)], [0, 0], RULES)[0] is weaker
    assert without_shrunk([weaker, plane(2, 10, 3)], [0, 0], RULES)[0].is_empty


def test_masks_of_two_words_share_their_cells() -> None:
    masks = [plane(0, 10, 1), plane(0, 10, 3)]
    assert without_shrunk(masks, [0, 1], RULES) == masks
