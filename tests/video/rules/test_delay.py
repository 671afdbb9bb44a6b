"""Results that are held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx.video.rules.delay import held_back

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Frame = tuple[int, frozenset[int]]


def without(frame: Frame, removed: Collection[int]) -> Frame:
    return frame[0], frame[1] - frozenset(removed)


def frames(count: int, removals: dict[int, int], *, fails: bool = False) -> Iterator[tuple[Frame, set[int]]]:
    for index in range(count):
        yield (index, frozenset({7, 8, 9})), {removals[index]} if index in removals else set()
    if fails:
        raise OSError("the camera is gone")


def test_a_frame_is_delivered_when_the_delay_is_full_without_what_was_removed_until_then() -> None:
    delivered = list(held_back(frames(6, {3: 7, 5: 9}), 3, without))
    assert [index for index, _ in delivered] == [0, 1, 2, 3, 4, 5]
    assert [sorted(ids) for _, ids in delivered] == [[7, 8, 9], [8, 9], [8, 9], [8], [8], [8]]


@pytest.mark.parametrize("delay", [0, 1])
def test_without_a_delay_each_frame_comes_at_once(delay: int) -> None:
    asked = []

    def watched() -> Iterator[tuple[Frame, set[int]]]:
        for frame in frames(5, {2: 8}):
            asked.append(frame[0][0])
            yield frame

    held = held_back(watched(), delay, without)
    for expected in range(5):
        assert next(held)[0] == expected == asked[-1]


def test_frames_of_fewer_than_the_delay_all_come_at_the_end() -> None:
    assert [index for index, _ in held_back(frames(2, {1: 7}), 15, without)] == [0, 1]


def test_what_is_held_back_comes_before_the_error_that_ends_the_frames() -> None:
    held = held_back(frames(4, {}, fails=True), 3, without)
    assert [next(held)[0] for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(OSError, match="camera"):
        next(held)
