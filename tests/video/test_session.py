"""Objects that are pointed at, followed forwards and backwards, corrected and removed."""

from __future__ import annotations

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.testing import FakeVideoTracker
from sam3_onnx.video import Sam3VideoSession, TrackedInstance
from tests.support.tracked_videos import HEIGHT, WIDTH, fake_video, gray_frames


def test_an_object_is_found_on_every_frame_with_its_number_and_its_time() -> None:
    with fake_video(5) as video:
        cup = video.add(frame=0, points=[(20, 20)], label="cup")
        frames = list(video.propagate())
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    for frame in frames:
        (instance,) = frame.result
        assert isinstance(instance, TrackedInstance)
        assert (instance.label, instance.track_id) == ("cup", cup)
        assert instance.track_score == pytest.approx(1 / (1 + np.exp(-4)))
        assert instance.mask[20, 20]
        assert frame.result.size == (HEIGHT, WIDTH)


def test_where_nothing_is_to_be_seen_the_object_is_left_out_but_for_its_score() -> None:
    with fake_video(6, black=[3]) as video:
        cup = video.add(frame=0, box=(10, 10, 30, 30))
        frames = list(video.propagate())
    assert [len(frame.result) for frame in frames] == [1, 1, 1, 0, 1, 1]
    assert frames[3].track_scores[cup] < 0.1


def test_an_object_is_absent_before_somebody_points_at_it_and_is_found_backwards() -> None:
    with fake_video(8) as video:
        first, late = video.add(frame=0, points=[(20, 20)]), video.add(frame=4, points=[(60, 40)])
        assert [list(frame.track_scores) for frame in video.propagate()] == [[first]] * 4 + [[first, late]] * 4
        backwards = list(video.propagate(start=4, reverse=True))
        assert [frame.index for frame in backwards] == [4, 3, 2, 1, 0]
        assert list(video.result(1).track_scores) == [first, late]


def test_backwards_it_begins_at_the_last_frame_that_was_pointed_at() -> None:
    with fake_video(8) as video:
        video.add(frame=2, points=[(20, 20)])
        video.add(frame=6, points=[(60, 40)])
        assert [frame.index for frame in video.propagate(reverse=True)] == [6, 5, 4, 3, 2, 1, 0]
        assert [frame.index for frame in video.propagate(reverse=True, until=3)] == [6, 5, 4, 3]


def test_a_part_is_gone_through_and_what_was_found_stays() -> None:
    with fake_video(8) as video:
        video.add(frame=1, points=[(20, 20)])
        assert [frame.index for frame in video.propagate(until=4)] == [1, 2, 3, 4]
        assert video.finished == [1, 2, 3, 4]
        assert [frame.index for frame in video.propagate(start=5, until=100)] == [5, 6, 7]
        assert video.finished == [1, 2, 3, 4, 5, 6, 7]


def test_a_correction_encodes_nothing_again_and_moves_the_object() -> None:
    tracker = FakeVideoTracker()
    with fake_video(30, tracker=tracker) as video:
        cup = video.add(frame=0, points=[(20, 20)])
        list(video.propagate())
        assert tracker.calls["encode_frame"] == 30
        video.correct(cup, frame=12, points=[(60, 40)])
        again = list(video.propagate(start=12))
    assert tracker.calls["encode_frame"] == 30
    assert all(frame.result[0].mask[40, 60] for frame in again)
    # the frames before the correction are remembered as they were, though they have gone from memory
    corrected = tracker.recalled[29]
    assert corrected.slots.tolist() == [6, 5, 4, 3, 2, 1, 0]
    assert [float(memory[0, 0, 0]) for memory in corrected.memories[1:]] == [7, 8, 9, 10, 11, 12]


def test_a_correction_counts_also_where_the_propagation_begins_behind_it() -> None:
    with fake_video(10) as video:
        cup = video.add(frame=0, points=[(20, 20)])
        list(video.propagate())
        video.correct(cup, frame=5, points=[(60, 40)])
        (frame,) = video.propagate(start=6, until=6)
        assert frame.result[0].mask[40, 60]
        assert video.result(5).result[0].mask[40, 60]


def test_clicks_of_one_frame_add_up_and_a_mask_takes_the_place_of_them() -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[30:50, 50:70] = True
    with fake_video(3) as video:
        cup = video.add(frame=0, points=[(10, 10)])
        video.correct(cup, frame=0, points=[(30, 10)])
        (frame,) = video.propagate(until=0)
        assert frame.result[0].box[2] - frame.result[0].box[0] > 30
        video.correct(cup, frame=0, mask=mask)
        (frame,) = video.propagate(until=0)
        assert frame.result[0].score == 1
        x1, y1, x2, y2 = frame.result[0].box
        assert (abs(x1 - 50), abs(y1 - 30), abs(x2 - 70), abs(y2 - 50)) <= (2, 2, 2, 2)


def test_an_instance_of_an_earlier_result_is_a_mask() -> None:
    with fake_video(3) as video:
        video.add(frame=0, points=[(20, 20)])
        (found,) = next(video.propagate()).result
    with fake_video(3) as video:
        video.add(frame=0, mask=found)
        frames = list(video.propagate())
    assert all(frame.result[0].mask[20, 20] for frame in frames)


def test_a_preview_shows_what_would_be_found_and_leaves_no_trace() -> None:
    with fake_video(6, black=[4]) as video:
        seen = video.preview(frame=2, points=[(20, 20)], label="cup")
        assert seen is not None
        assert (seen.label, bool(seen.mask[20, 20])) == ("cup", True)
        assert video.preview(frame=4, points=[(20, 20)]) is None
        assert (video.tracks, video.finished) == ({}, [])
        cup = video.add(frame=0, points=[(20, 20)])
        before = [frame.result.boxes.tolist() for frame in video.propagate()]
        moved = video.preview(frame=3, points=[(60, 40)], track_id=cup)
        assert moved is not None
        assert moved.mask[40, 60]
        assert [frame.result.boxes.tolist() for frame in video.propagate()] == before


def test_an_object_that_is_removed_is_gone_from_all_frames_and_its_number_is_not_used_again() -> None:
    with fake_video(4) as video:
        first, second = video.add(frame=0, points=[(20, 20)]), video.add(frame=0, points=[(60, 40)], label="cup")
        list(video.propagate())
        video.remove(first)
        assert video.tracks == {second: "cup"}
        assert list(video.result(2).track_scores) == [second]
        assert video.add(frame=0, points=[(20, 20)]) == 3


def test_an_object_may_come_and_go_while_frames_are_gone_through() -> None:
    with fake_video(8) as video:
        first = video.add(frame=0, points=[(20, 20)])
        seen = []
        for frame in video.propagate():
            seen.append(list(frame.track_scores))
            if frame.index == 2:
                video.add(frame=2, points=[(60, 40)])
            if frame.index == 5:
                video.remove(first)
        assert seen == [[1], [1], [1], [1, 2], [1, 2], [1, 2], [2], [2]]


def test_one_object_that_is_pointed_at_hardens_the_memories_of_all_on_its_frame() -> None:
    tracker = FakeVideoTracker()
    with fake_video(6, tracker=tracker) as video:
        video.add(frame=0, points=[(20, 20)])
        video.add(frame=3, points=[(60, 40)])
        list(video.propagate())
    first = [recalled for recalled in tracker.recalled if recalled.slots[0] == 6 and 0 in recalled.slots][-2]
    hard = {int(memory[0, 0, 0]): bool(memory[3, 0, 0]) for memory in first.memories}
    assert hard == {1: True, 2: False, 3: False, 4: True, 5: False}


def test_results_are_drawn_on_their_frame_and_refuse_once_it_is_gone() -> None:
    with fake_video(4) as video:
        video.add(frame=0, points=[(20, 20)])
        frames = list(video.propagate())
        drawn = frames[1].result.draw()
        assert drawn[59, 79].tolist() == [2, 2, 2]
    with pytest.raises(Exception, match=r"frame 1 of the pictures cannot be read any more.*has been closed"):
        frames[1].result.draw()


def test_a_source_that_is_read_once_is_followed_as_it_comes() -> None:
    session = Sam3Session(None, heads={"video": FakeVideoTracker()}, model="fake")
    with session.video(iter(gray_frames(40))) as video:
        video.add(frame=0, points=[(20, 20)])
        frames = video.propagate()
        for _ in range(6):
            next(frames)
        video.add(frame=5, points=[(60, 40)])
        assert [list(frame.track_scores) for frame in frames] == [[1, 2]] * 34


def test_it_runs_without_a_session_and_encodes_each_time() -> None:
    tracker = FakeVideoTracker()
    with Sam3VideoSession(gray_frames(3), tracker) as video:
        video.add(frame=0, points=[(20, 20)])
        assert [len(frame.result) for frame in video.propagate()] == [1, 1, 1]
        list(video.propagate(start=1))
    assert tracker.calls["encode_frame"] == 5
