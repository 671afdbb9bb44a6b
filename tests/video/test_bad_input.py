"""What cannot be done says what, and what was finished stays."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import (
    BoxError,
    CancelledError,
    EmptyPromptError,
    FrameIndexError,
    FrameSizeError,
    KeywordError,
    MaskError,
    NoTracksError,
    OptionError,
    PointError,
    SessionClosedError,
    TrackMemoryError,
    UnknownTrackError,
    UnsupportedPromptError,
    VideoClosedError,
    VideoOpenError,
    VideoWarning,
)
from sam3_onnx.testing import FakeVideoTracker, fake_session
from sam3_onnx.video import shelf
from tests.support.tracked_videos import HEIGHT, WIDTH, fake_video, gray_frames

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sam3_onnx.video import Sam3VideoSession

FULL = np.ones((HEIGHT, WIDTH), bool)


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda video: video.add(frame=12, points=[(1, 1)]), FrameIndexError, "No frame 12 .* It has 12 frames"),
        (lambda video: video.add(frame=-1, points=[(1, 1)]), FrameIndexError, "No frame -1"),
        (lambda video: video.add(frame=1.5, points=[(1, 1)]), OptionError, "frame must be the number of a frame"),
        (lambda video: video.add(frame=0), EmptyPromptError, "no point, no box and no mask"),
        (lambda video: video.add(frame=0, points=[(1, 1)], point_labels=[0]), EmptyPromptError, "negative"),
        (lambda video: video.add(frame=0, points=[(80, 1)]), PointError, "outside the picture"),
        (lambda video: video.add(frame=0, box=(90, 0, 99, 9)), BoxError, "cannot be used"),
        (lambda video: video.add(frame=0, mask=FULL, points=[(1, 1)]), OptionError, "without points and box"),
        (lambda video: video.add(frame=0, mask=FULL[:9]), MaskError, r"\(60, 80\).* got shape \(9, 80\)"),
        (lambda video: video.add(frame=0, mask=~FULL), MaskError, "got an empty one"),
        (lambda video: video.add(frame=0, mask=FULL * 0.5), MaskError, "float64 .* pass logits > 0"),
        (lambda video: video.add(frame=0, mask="cup.png"), MaskError, "got str"),
        (lambda video: video.add(frame=0, points=[(1, 1)], label=""), OptionError, "label"),
        (lambda video: video.add(frame=0, clicks=[(1, 1)]), KeywordError, "points"),
        (lambda video: video.correct(1, frame=0, points=[(1, 1)]), UnknownTrackError, "no object ever had it"),
        (lambda video: video.correct("cup", frame=0, points=[(1, 1)]), UnknownTrackError, "no object 'cup'"),
        (lambda video: video.remove(1), UnknownTrackError, "video.add"),
        (lambda video: video.preview(frame=0, points=[(1, 1)], track_id=4), UnknownTrackError, "object 4"),
        (lambda video: video.propagate(), NoTracksError, "Add one first"),
        (lambda video: video.propagate(start=-1), OptionError, "start"),
        (lambda video: video.propagate(reverse="yes"), OptionError, "reverse"),
        (lambda video: video.propagate(cancel=True), OptionError, "cancel"),
        (lambda video: video.result(0), FrameIndexError, "gone through"),
    ],
)
def test_what_cannot_be_used_is_refused(
    wrong: Callable[[Sam3VideoSession], object], error: type[Exception], says: str
) -> None:
    with fake_video() as video:
        with pytest.raises(error, match=says):
            wrong(video)
        assert (video.tracks, video.finished) == ({}, [])


def test_a_number_that_was_removed_is_named_as_such() -> None:
    with fake_video() as video:
        cup, other = video.add(frame=0, points=[(1, 1)]), video.add(frame=0, points=[(9, 9)])
        video.remove(cup)
        with pytest.raises(UnknownTrackError, match=f"no object {cup}: it was removed.* Expected one of {other}"):
            video.correct(cup, frame=0, points=[(1, 1)])


def test_a_path_that_leads_nowhere_is_refused_at_once() -> None:
    with fake_video() as video:
        video.add(frame=4, points=[(1, 1)])
        with pytest.raises(OptionError, match="until must be a frame at or after the first one, 4, got 3"):
            video.propagate(until=3)
        with pytest.raises(OptionError, match="at or before"):
            video.propagate(until=5, reverse=True)
        with pytest.raises(FrameIndexError, match="No frame 40"):
            video.propagate(start=40)


def test_a_model_that_follows_nothing_says_what_does() -> None:
    with pytest.raises(UnsupportedPromptError, match=r"does not support videos; it supports words.*--video"):
        fake_session({}).video(gray_frames(2))


def test_a_source_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    session = Sam3Session(None, heads={"video": FakeVideoTracker()}, model="fake")
    with pytest.raises(VideoOpenError, match="there is no such file"):
        session.video(tmp_path / "clip.mp4")
    with pytest.raises(VideoOpenError, match="no frame can be read"):
        session.video([])


def test_a_frame_of_another_size_ends_it_and_what_was_finished_stays() -> None:
    frames = gray_frames(6)
    frames[4] = frames[4][:30]
    session = Sam3Session(None, heads={"video": FakeVideoTracker()}, model="fake")
    with session.video(frames) as video:
        video.add(frame=0, points=[(20, 20)])
        with pytest.raises(FrameSizeError, match="Frame 4"):
            list(video.propagate())
        assert video.finished == [0, 1, 2, 3]
        assert len(video.result(3).result) == 1


def test_cancelling_between_frames_keeps_those_that_are_done() -> None:
    cancel = threading.Event()
    with fake_video() as video:
        video.add(frame=0, points=[(20, 20)])
        frames = video.propagate(cancel=cancel)
        next(frames)
        next(frames)
        cancel.set()
        with pytest.raises(CancelledError, match=r"frame 2; the frames before it are kept"):
            next(frames)
        assert video.finished == [0, 1]
        cancel.clear()
        assert [frame.index for frame in video.propagate(start=2)] == list(range(2, 12))


def test_a_frame_that_ends_in_the_middle_leaves_nothing_of_itself() -> None:
    class Failing(FakeVideoTracker):
        def memorise(self, *args: object, **options: object) -> object:  # type: ignore[override]
            if self.calls["memorise"] == 7:
                self.calls["memorise"] += 1
                raise CancelledError("the run of the memory encoder")
            return super().memorise(*args, **options)  # type: ignore[arg-type]

    with fake_video(6) as whole, fake_video(6, tracker=Failing()) as video:
        for each in (whole, video):
            each.add(frame=0, points=[(20, 20)])
            each.add(frame=0, points=[(60, 40)])
        with pytest.raises(CancelledError):
            list(video.propagate())
        assert video.finished == [0, 1, 2]
        assert list(video.result(2).track_scores) == [1, 2]
        again = [frame.result.boxes.tolist() for frame in video.propagate(start=3)]
        assert again == [frame.result.boxes.tolist() for frame in whole.propagate()][3:]


def test_memories_that_were_lost_are_told_and_named_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "DEFAULT_SHELF_BYTES", 0)
    with fake_video(30) as video:
        cup = video.add(frame=0, points=[(20, 20)])
        with pytest.warns(VideoWarning, match="the oldest are lost"):
            list(video.propagate())
        video.correct(cup, frame=10, points=[(60, 40)])
        with pytest.raises(TrackMemoryError, match=r"frame 10: expected its memory of frame 4.*start=0"):
            list(video.propagate(start=10))
        assert len(video.finished) == 30
        assert video.result(29).result[0].mask[20, 20]
        assert all(frame.result[0].mask[40, 60] for frame in video.propagate() if frame.index >= 10)


def test_a_video_or_session_that_is_closed_is_named() -> None:
    with fake_video() as video:
        video.add(frame=0, points=[(20, 20)])
        frames = video.propagate()
        next(frames)
    with pytest.raises(VideoClosedError, match=r"session\.video"):
        next(frames)
    with pytest.raises(VideoClosedError):
        video.add(frame=0, points=[(20, 20)])
    session = Sam3Session(None, heads={"video": FakeVideoTracker()}, model="fake")
    session.close()
    with pytest.raises(SessionClosedError):
        session.video(gray_frames(2))
