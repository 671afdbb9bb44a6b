"""Which of the decoder's masks counts."""

from __future__ import annotations

import numpy as np
import pytest

from sam3_onnx.models.families.protocol import TrackReadings, TrackRules
from sam3_onnx.video.reading import choose

RULES = TrackRules()


def readings(single: float = 5.0) -> TrackReadings:
    """Four masks, the third of which the model expects most of; each pointer holds the number of its mask."""
    masks = np.stack([np.full((4, 4), single), *(np.full((4, 4), float(place)) for place in (1, 2, 3))])
    pointers = np.repeat(np.arange(4), 8).reshape(4, 8)
    return TrackReadings(
        masks.astype(np.float32), np.array([0.95, 0.3, 0.8, 0.5], np.float32), pointers.astype(np.float32), 3.0
    )


@pytest.mark.parametrize("points", [0, 1])
@pytest.mark.parametrize("remembered", [True, False])
def test_up_to_one_point_the_best_of_three_counts_with_its_pointer(points: int, *, remembered: bool) -> None:
    chosen = choose(readings(), RULES, points=points, remembered=remembered)
    assert chosen.logits[0, 0] == 2
    assert chosen.iou == pytest.approx(0.8)
    assert chosen.pointer[0] == 2


def test_with_more_points_the_single_mask_counts() -> None:
    chosen = choose(readings(), RULES, points=2, remembered=False)
    assert (chosen.logits[0, 0], chosen.pointer[0]) == (5, 0)
    assert chosen.iou == pytest.approx(0.95)


def test_an_unstable_single_mask_gives_way_but_its_pointer_stays() -> None:
    chosen = choose(readings(0.01), RULES, points=2, remembered=False)
    assert (chosen.logits[0, 0], chosen.pointer[0]) == (2, 0)
    assert chosen.iou == pytest.approx(0.8)


def test_a_single_mask_without_any_pixel_is_stable() -> None:
    assert choose(readings(-5), RULES, points=2, remembered=False).logits[0, 0] == -5


def test_a_model_can_say_otherwise() -> None:
    rules = TrackRules(choose_while_tracking=False, check_stability=False)
    assert choose(readings(0.01), rules, points=0, remembered=True).pointer[0] == 0
    assert choose(readings(0.01), rules, points=0, remembered=False).pointer[0] == 2
