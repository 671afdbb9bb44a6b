"""Things linked by the overlap of their masks alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.video.rules.linking import LinkingRules, Links, link_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RULES = LinkingRules()


@dataclass(frozen=True)
class Thing:
    label: str
    score: float
    source: PackedMask


def thing(x: float, y: float = 20, *, side: int = 12, label: str = "dog", score: float = 0.9) -> Thing:
    mask = np.zeros((60, 240), np.bool_)
    left, top = max(0, round(x)), max(0, round(y))
    mask[top : round(y) + side, left : max(0, round(x) + side)] = True
    return Thing(label, score, PackedMask.pack(mask))


def follow(frames: Iterable[Sequence[Thing]], rules: LinkingRules = RULES) -> list[tuple[int | None, ...]]:
    links, ids = Links(next_id=0), []
    for frame in frames:
        linking = link_frame(links, frame, rules)
        links = linking.links
        ids.append(linking.ids)
    return ids


def test_a_thing_keeps_its_number_in_whatever_order_things_are_found() -> None:
    frames = [[thing(10 + 2 * t), thing(100 - 2 * t)][:: 1 if t % 2 else -1] for t in range(10)]
    assert [frame[:: 1 if t % 2 else -1] for t, frame in enumerate(follow(frames))] == [(1, 0)] * 10


def test_two_equal_things_that_pass_each_other_keep_their_numbers() -> None:
    for speed in range(3, 8):
        steps = range(200 // speed)
        frames = [[thing(5 + speed * t, 20), thing(205 - speed * t, 26)] for t in steps]
        assert set(follow(frames)) == {(0, 1)}, speed


@pytest.mark.parametrize("hidden", [1, 6, 12])
def test_a_thing_that_moves_on_behind_another_comes_back_with_its_number(hidden: int) -> None:
    frames = [[] if 10 <= t < 10 + hidden else [thing(5 + 4 * t)] for t in range(40)]
    assert {number for frame in follow(frames) for number in frame} == {0}


def test_a_thing_that_stops_while_it_is_hidden_comes_back_with_its_number() -> None:
    frames = [[thing(5 + 4 * t)] for t in range(8)] + [[]] * 6 + [[thing(33)]]
    assert follow(frames)[-1] == (0,)


def test_after_the_longest_gap_a_thing_is_a_new_one_and_no_number_is_used_again() -> None:
    def after(gap: int) -> int | None:
        return follow([[thing(50)], *[[]] * gap, [thing(50)]], LinkingRules(max_gap=5))[-1][0]

    assert after(5) == 0
    assert after(6) == 1


def test_things_of_two_labels_are_two_things() -> None:
    assert follow([[thing(50)], [thing(50, label="cat")], [thing(50)]]) == [(0,), (1,), (0,)]


def test_what_is_not_sure_begins_only_while_nothing_is_followed_but_goes_on() -> None:
    frames = [[thing(50, score=0.55)], [thing(50, score=0.55), thing(120, score=0.69)], [thing(120, score=0.7)]]
    assert follow(frames) == [(0,), (0, None), (1,)]


def test_a_mask_that_overlaps_too_little_is_another_thing() -> None:
    frames = [[thing(50)], [thing(56)]]  # IoU 1/3
    assert follow(frames, LinkingRules(iou_thresh=0.3)) == [(0,), (0,)]
    assert follow(frames, LinkingRules(iou_thresh=0.4)) == [(0,), (1,)]


def test_a_thing_without_a_pixel_has_no_number() -> None:
    assert follow([[thing(50, side=0)], [thing(50)]]) == [(None,), (0,)]


things = st.builds(thing, st.integers(0, 220), st.integers(0, 48), label=st.sampled_from(["dog", "cat"]))


@given(st.lists(st.lists(things, max_size=5), max_size=8))
def test_a_number_is_on_a_frame_once_and_always_of_one_label(frames: list[list[Thing]]) -> None:
    labels: dict[int, str] = {}
    for frame, ids in zip(frames, follow(frames), strict=True):
        assert len(set(ids)) == len(frame)
        for found, number in zip(frame, ids, strict=True):
            assert number is not None
            assert labels.setdefault(number, found.label) == found.label
    assert sorted(labels) == list(range(len(labels)))


@pytest.mark.parametrize("changed", [{"iou_thresh": -0.1}, {"new_score": 2}, {"max_gap": 1.5}])
def test_a_constant_out_of_range_is_refused(changed: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=next(iter(changed))):
        LinkingRules(**changed)  # type: ignore[arg-type]
