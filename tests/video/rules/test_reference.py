"""The rules beside transformers' own, on the same scripted detections and masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.scripted_tracks import Script, follow

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("torch")
pytest.importorskip("transformers")

RUNS = 60


def answers(seed: int) -> list[tuple[int, Any, Any]]:
    from tests.support.reference_rules import follow_by_reference  # noqa: PLC0415

    script = Script(seed)
    pairs = zip(follow(script), follow_by_reference(script), strict=True)
    return [(frame, plan, theirs) for (frame, plan), (_, theirs) in pairs]


@pytest.mark.parametrize("seed", range(RUNS))
def test_every_frame_is_that_of_transformers(seed: int) -> None:
    for frame, plan, theirs in answers(seed):
        assert list(plan.tracks.ids) == theirs.ids, frame
        assert plan.removed == theirs.removed, frame
        assert plan.hidden == theirs.hidden - theirs.removed, frame
        shown = {track.id: track for track in plan.shown}
        assert set(shown) == set(theirs.own_masks) - theirs.removed - theirs.hidden, frame
        for number, track in shown.items():
            np.testing.assert_allclose(track.logits, theirs.own_masks[number], atol=1e-6)
            assert track.score == pytest.approx(theirs.scores[number], abs=1e-6)
            if not theirs.removed:
                assert track.track_score == pytest.approx(theirs.track_scores[number], abs=1e-6)
        memories = {memory.id: memory for memory in plan.memories}
        assert set(memories) == set(theirs.memories) - theirs.removed, frame
        for number, memory in memories.items():
            logits, object_logit = theirs.memories[number]
            np.testing.assert_allclose(memory.logits, logits, atol=1e-6)
            assert memory.object_logit == object_logit


def test_transformers_gives_masks_to_wrong_ids_on_frames_of_removal_and_the_rules_do_not() -> None:
    wrong = frames = 0
    for seed in range(20):
        for _, plan, theirs in answers(seed):
            if not theirs.removed:
                assert all(np.array_equal(theirs.masks[number], mask) for number, mask in theirs.own_masks.items())
                continue
            frames += 1
            for track in plan.shown:
                np.testing.assert_allclose(track.logits, theirs.own_masks[track.id], atol=1e-6)
                wrong += not np.array_equal(theirs.masks.get(track.id), theirs.own_masks[track.id])
    assert frames > 10
    assert wrong > frames
