"""Masks in the size of the video."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sam3_onnx.geometry.mask_sources import LogitMask
from sam3_onnx.video.rules.plan import ShownTrack
from sam3_onnx.video.rules.showing import finish_masks

SIZE = (30, 40)


def shown(number: int, place: slice, certainty: float, prompt: int = 0) -> ShownTrack:
    logits = np.full((12, 12), -2, np.float32)
    logits[place, place] = 2
    return ShownTrack(number, prompt, 0.9, certainty, logits)


def test_a_shared_pixel_belongs_to_the_surer_track_of_a_word() -> None:
    first, second, other = shown(4, slice(1, 7), 0.6), shown(2, slice(4, 10), 0.8), shown(3, slice(1, 7), 0.5, prompt=1)
    finished = finish_masks([first, second, other], SIZE)
    assert [track.track.id for track in finished] == [2, 3, 4]
    masks = {track.track.id: track.window.full(SIZE) for track in finished}
    whole = {track.id: LogitMask(track.logits, SIZE).window.full(SIZE) for track in (first, second, other)}
    assert np.array_equal(masks[2], whole[2])
    assert np.array_equal(masks[3], whole[3])
    assert np.array_equal(masks[4], whole[4] & ~whole[2])


def test_what_has_no_pixel_is_left_out() -> None:
    hidden = shown(1, slice(3, 5), 0.4)
    assert [track.track.id for track in finish_masks([shown(0, slice(1, 9), 0.9), hidden], SIZE)] == [0]
    assert finish_masks([ShownTrack(0, 0, 0.9, 0.9, np.full((12, 12), -1, np.float32))], SIZE) == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6), st.sampled_from([0.3, 0.6, 0.9])), max_size=6))
def test_tracks_of_a_word_share_no_pixel_and_lose_none(given_tracks: list[tuple[int, int, float]]) -> None:
    tracks = [shown(i, slice(at, at + side), score) for i, (at, side, score) in enumerate(given_tracks)]
    masks = [track.window.full(SIZE) for track in finish_masks(tracks, SIZE)]
    union = np.zeros(SIZE, bool)
    for track in tracks:
        union |= LogitMask(track.logits, SIZE).window.full(SIZE)
    count = np.sum(masks, axis=0) if masks else np.zeros(SIZE)
    assert np.array_equal(count, union)
