"""One frame of following: what stays with whom, and what each choice changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx.errors import OptionError
from sam3_onnx.video.rules.constants import TrackingRules
from sam3_onnx.video.rules.detections import Detection
from sam3_onnx.video.rules.frame import follow_frame
from sam3_onnx.video.rules.plan import Propagated
from sam3_onnx.video.rules.planes import Plane
from sam3_onnx.video.rules.tracks import Tracks
from tests.support.scripted_tracks import Script, follow

if TYPE_CHECKING:
    from numpy.typing import NDArray

RULES = TrackingRules(fill_hole_area=0, hotstart_unmatch_thresh=2, recondition_every_nth_frame=0)
EVERY_FRAME = replace(RULES, recondition_every_nth_frame=1)


def square(x: int, y: int, side: int = 4, logit: float = 3.0) -> NDArray[np.float32]:
    logits = np.full((24, 24), -3, np.float32)
    logits[y : y + side, x : x + side] = logit
    return logits


def found(*masks: NDArray[np.float32], score: float = 0.9, prompt: int = 0) -> list[Detection]:
    return [Detection(prompt, score, Plane(mask)) for mask in masks]


def said(*masks: NDArray[np.float32], object_logit: float = 2.0) -> list[Propagated]:
    return [Propagated(mask, object_logit) for mask in masks]


A, B, C = square(0, 0), square(10, 0), square(0, 10)


def begun(*masks: NDArray[np.float32], rules: TrackingRules = RULES) -> Tracks:
    return follow_frame(Tracks(next_id=0), 0, found(*masks), [], rules).tracks


def test_on_a_frame_of_removal_masks_and_scores_stay_with_their_tracks() -> None:
    tracks = begun(A, B, C)
    tracks = follow_frame(tracks, 1, found(B, C), said(A, B, C), RULES).tracks
    answers = [Propagated(A, -1.0), Propagated(B, 1.0), Propagated(C, 3.0)]
    plan = follow_frame(tracks, 2, found(B, C), answers, RULES)
    assert plan.removed == {0}
    assert [track.id for track in plan.shown] == [1, 2] == [memory.id for memory in plan.memories]
    assert [np.array_equal(track.logits, mask) for track, mask in zip(plan.shown, (B, C), strict=True)] == [True, True]
    assert [track.track_score for track in plan.shown] == pytest.approx([1 / (1 + np.e**-1), 1 / (1 + np.e**-3)])


def test_the_id_of_a_removed_track_is_not_given_again() -> None:
    removed: set[int] = set()
    for seed in range(6):
        removed.clear()
        for _, plan in follow(Script(seed)):
            assert not removed & set(plan.tracks.ids)
            removed |= plan.removed


def test_a_frame_changes_neither_the_tracks_nor_the_masks_it_was_given() -> None:
    tracks, masks = begun(A, B), [square(1, 0), square(1, 1)]
    before = [mask.copy() for mask in masks]
    first = follow_frame(tracks, 1, found(A), said(*masks), TrackingRules())
    again = follow_frame(tracks, 1, found(A), said(*masks), TrackingRules())
    assert first.tracks == again.tracks != tracks
    assert all(np.array_equal(mask, old) for mask, old in zip(masks, before, strict=True))


def test_live_results_lose_no_track_as_a_later_frame_may_match() -> None:
    tracks = begun(A)
    for frame in range(1, 9):
        plan = follow_frame(tracks, frame, [], said(A), RULES, live=True)
        assert [track.id for track in plan.shown] == [0]
        tracks = plan.tracks


def test_words_do_not_touch_each_other() -> None:
    tracks = begun(A)
    plan = follow_frame(tracks, 1, found(A, prompt=1), said(A), RULES)
    assert [track.track.prompt for track in plan.new] == [1]
    assert plan.tracks.present[0].unmatched == 1


def test_the_younger_of_two_tracks_of_one_thing_is_removed() -> None:
    rules = replace(RULES, hotstart_dup_thresh=2)
    tracks = follow_frame(begun(A), 1, found(A, B), said(A), rules).tracks
    for frame in (2, 3):
        plan = follow_frame(tracks, frame, found(A), said(A, square(1, 0)), rules)
        tracks = plan.tracks
    assert plan.removed == {1}


def test_of_more_new_things_than_there_is_room_for_the_surest_are_followed() -> None:
    detections = [*found(A, score=0.75), *found(B, score=0.95), *found(C, score=0.85)]
    plan = follow_frame(Tracks(), 0, detections, [], replace(RULES, max_num_objects=2))
    assert [track.score for track in plan.shown] == [0.95, 0.85]


def test_a_confirmed_track_shows_the_detection_and_is_remembered_by_its_own_mask() -> None:
    nearly = square(0, 0, 4, 1.0)
    plan = follow_frame(begun(A), 1, found(nearly), said(A), EVERY_FRAME)
    assert plan.memories[0].is_conditioning
    assert plan.shown[0].logits is nearly
    assert np.array_equal(plan.memories[0].logits, A)


def test_metas_choice_remembers_the_detection_hard_and_shows_the_track() -> None:
    rules = replace(TrackingRules.meta(), fill_hole_area=0, recondition_every_nth_frame=1)
    nearly = square(0, 0, 4, 0.2)
    plan = follow_frame(begun(A, rules=rules), 1, found(nearly), said(A), rules)
    assert np.array_equal(plan.shown[0].logits, A)
    assert np.array_equal(plan.memories[0].logits, np.where(nearly > 0, 10, -10))


def test_the_mask_of_a_new_track_is_cut_where_each_program_cuts_it() -> None:
    faint = square(0, 0, 4, 0.2)
    assert not follow_frame(Tracks(), 0, found(faint), [], RULES).new[0].mask.any()
    assert follow_frame(Tracks(), 0, found(faint), [], TrackingRules.meta()).new[0].mask.sum() == 16


def test_tracks_are_remembered_twice_only_beside_new_ones_and_only_by_transformers() -> None:
    tracks = begun(A)
    assert follow_frame(tracks, 1, found(A, B), said(A), RULES).repeat_memories
    assert not follow_frame(tracks, 1, found(A), said(A), RULES).repeat_memories
    assert not follow_frame(tracks, 1, found(A, B), said(A), TrackingRules.meta()).repeat_memories


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(OptionError, match="one mask for each of 1 tracks"):
        follow_frame(begun(A), 1, [], [], RULES)
    with pytest.raises(OptionError, match="in one size"):
        follow_frame(begun(A), 1, found(A[:20]), said(A), RULES)
