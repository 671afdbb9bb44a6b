"""What is remembered of an object, and what of it a frame is looked at with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sam3_onnx.errors import TrackMemoryError
from sam3_onnx.models.families.protocol import TrackRules
from sam3_onnx.video.memory import MemoryBank, Remembered, nearest_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Recalled

RULES = TrackRules()
SPAN = RULES.pointers


class Shelf:
    """A shelf in memory."""

    def __init__(self) -> None:
        self.kept: dict[int, NDArray[np.float16]] = {}

    def put(self, frame: int, memory: NDArray[np.float16]) -> None:
        self.kept[frame] = memory

    def get(self, frame: int) -> NDArray[np.float16] | None:
        return self.kept.get(frame)


def remembered(frame: int) -> Remembered:
    """A memory and a pointer that hold the number of their frame."""
    return Remembered(np.full((2, 1, 1), frame, np.float16), np.full(4, frame, np.float32))


def bank_of(conditioning: list[int], followed: list[int], shelf: Shelf | None = None) -> MemoryBank:
    bank = MemoryBank(1, RULES, shelf or Shelf())
    for frame in conditioning:
        bank.keep_conditioning(frame, remembered(frame))
    for frame in followed:
        bank.keep_followed(frame, remembered(frame))
    return bank


def frames_and_slots(recalled: Recalled) -> list[tuple[int, int]]:
    return [(int(memory[0, 0, 0]), int(slot)) for memory, slot in zip(recalled.memories, recalled.slots, strict=True)]


def pointers_and_ages(recalled: Recalled, span: int = SPAN) -> list[tuple[int, int]]:
    ages = np.rint(recalled.ages * (span - 1))
    return [(int(pointer[0]), int(age)) for pointer, age in zip(recalled.pointers, ages, strict=True)]


def test_a_frame_sees_the_conditioning_frame_in_the_last_slot_and_the_six_before_it_by_distance() -> None:
    recalled = bank_of([0], list(range(1, 10))).recall(10, reverse=False, span=SPAN)
    assert frames_and_slots(recalled) == [(0, 6), (4, 5), (5, 4), (6, 3), (7, 2), (8, 1), (9, 0)]


def test_pointers_reach_fifteen_frames_back_and_to_every_conditioning_frame_before() -> None:
    recalled = bank_of([0, 3, 40], [*range(4, 30)]).recall(30, reverse=False, span=SPAN)
    assert pointers_and_ages(recalled) == [(0, 30), (3, 27), *((30 - age, age) for age in range(1, 16))]


def test_backwards_the_frames_after_it_count() -> None:
    recalled = bank_of([9], [8, 7, 6]).recall(5, reverse=True, span=SPAN)
    assert frames_and_slots(recalled) == [(9, 6), (8, 2), (7, 1), (6, 0)]
    assert pointers_and_ages(recalled) == [(9, 4), (6, 1), (7, 2), (8, 3)]


def test_a_conditioning_frame_in_the_future_gives_a_memory_and_no_pointer() -> None:
    recalled = bank_of([0, 8], [1, 2]).recall(3, reverse=False, span=SPAN)
    assert frames_and_slots(recalled) == [(0, 6), (8, 6), (1, 1), (2, 0)]
    assert pointers_and_ages(recalled) == [(0, 3), (2, 1), (1, 2)]


def test_without_any_pointer_the_array_is_empty_and_as_wide() -> None:
    recalled = bank_of([8], []).recall(3, reverse=False, span=SPAN)
    assert recalled.pointers.shape == (0, 4)
    assert recalled.ages.shape == (0,)


def test_a_conditioning_frame_that_is_not_chosen_counts_as_an_ordinary_memory() -> None:
    recalled = bank_of([0, 2, 4, 5, 7, 8], [1, 3, 6]).recall(9, reverse=False, span=SPAN)
    assert frames_and_slots(recalled) == [(8, 6), (7, 6), (5, 6), (4, 6), (3, 5), (6, 2)]
    recalled = bank_of([5, 6, 7, 8, 20, 21], []).recall(9, reverse=False, span=SPAN)
    assert frames_and_slots(recalled) == [(8, 6), (20, 6), (7, 6), (6, 6), (5, 3)]


def test_ages_are_shares_of_the_largest_age_that_a_short_video_has() -> None:
    recalled = bank_of([0], [1, 2, 3]).recall(4, reverse=False, span=12)
    assert recalled.ages == pytest.approx([4 / 11, 1 / 11, 2 / 11, 3 / 11])


def test_memories_at_hand_do_not_grow_with_the_video_and_old_ones_are_found_again() -> None:
    shelf = Shelf()
    bank = bank_of([0], [1, 2, 3, 4, 5, 6, 7], shelf)
    size = bank.nbytes
    before = frames_and_slots(bank.recall(8, reverse=False, span=SPAN))
    for frame in range(8, 300):
        bank.keep_followed(frame, remembered(frame))
    assert bank.nbytes == size == 7 * remembered(0).memory.nbytes
    assert frames_and_slots(bank.recall(8, reverse=False, span=SPAN)) == before


def test_what_a_frame_left_is_replaced_wherever_it_lies() -> None:
    bank = bank_of([0], list(range(1, 20)))
    bank.keep_followed(5, Remembered(np.full((2, 1, 1), 500, np.float16), np.full(4, 500, np.float32)))
    for frame in range(20, 40):
        bank.keep_followed(frame, remembered(frame))
    recalled = bank.recall(6, reverse=False, span=SPAN)
    assert (500, 0) in frames_and_slots(recalled)
    assert (500, 1) in pointers_and_ages(recalled)


def test_a_memory_that_was_lost_is_an_error_that_says_where_to_begin() -> None:
    shelf = Shelf()
    bank = bank_of([2], list(range(3, 30)), shelf)
    del shelf.kept[8]
    with pytest.raises(TrackMemoryError, match=r"Object 1 .* frame 10: expected its memory of frame 8.*start=2"):
        bank.recall(10, reverse=False, span=SPAN)


def test_without_a_shelf_only_what_later_frames_need_is_kept() -> None:
    bank = MemoryBank(1, RULES, None)
    bank.keep_conditioning(0, remembered(0))
    for frame in range(1, 100):
        bank.keep_followed(frame, remembered(frame))
    recalled = bank.recall(100, reverse=False, span=SPAN)
    assert frames_and_slots(recalled) == [(0, 6), *((100 - distance, distance - 1) for distance in range(6, 0, -1))]
    assert len(recalled.pointers) == SPAN
    assert not bank.was_followed(50)


@given(st.lists(st.integers(0, 30), unique=True, min_size=1, max_size=9), st.integers(0, 30))
def test_the_chosen_frames_are_the_nearest_on_each_side_and_then_the_nearest(conditioning: list[int], t: int) -> None:
    chosen = nearest_frames(dict.fromkeys(conditioning), t, most=4)
    assert len(chosen) == min(len(conditioning), 4)
    before, after = [each for each in conditioning if each < t], [each for each in conditioning if each >= t]
    assert not before or max(before) in chosen
    assert not after or min(after) in chosen
    forced = {*([max(before)] if before else []), *([min(after)] if after else [])}
    free = [abs(each - t) for each in chosen if each not in forced]
    left_out = [abs(each - t) for each in conditioning if each not in chosen]
    assert max(free, default=0) <= min(left_out, default=99)
