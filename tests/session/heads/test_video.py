"""Videos opened by a session: which models can, and where features of frames are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx import Sam3Session
from sam3_onnx.testing import FakeFamily, FakeVideoTracker
from tests.support.tracked_videos import gray_frames

if TYPE_CHECKING:
    from pathlib import Path


def test_a_session_says_whether_it_follows_objects() -> None:
    assert Sam3Session(None, heads={"video": FakeVideoTracker()}, model="fake").capabilities.video
    assert Sam3Session(FakeFamily({}), heads={"video": FakeVideoTracker()}, model="fake").capabilities.video
    assert not Sam3Session(FakeFamily({}), model="fake").capabilities.video


def test_frames_are_encoded_for_videos_alone_and_beside_pictures() -> None:
    family, tracker = FakeFamily({}), FakeVideoTracker()
    session = Sam3Session(None, heads={"concepts": family, "video": tracker}, model="fake")
    frames = gray_frames(4)
    session.predict(frames[0], "coin")
    with session.video(frames) as video:
        video.add(frame=0, points=[(20, 20)])
        list(video.propagate())
    assert (family.calls["encode_image"], tracker.calls["encode_frame"]) == (1, 4)
    assert session.cache.info().entries == 5


def test_features_of_frames_outlive_the_session_in_a_cache_folder(tmp_path: Path) -> None:
    trackers = [FakeVideoTracker(), FakeVideoTracker()]
    for tracker in trackers:
        session = Sam3Session(None, heads={"video": tracker}, model="fake", cache_folder=tmp_path / "cache")
        with session, session.video(gray_frames(5)) as video:
            video.add(frame=0, points=[(20, 20)])
            list(video.propagate())
    assert [tracker.calls["encode_frame"] for tracker in trackers] == [5, 0]


def test_frames_can_be_encoded_ahead() -> None:
    tracker = FakeVideoTracker()
    session = Sam3Session(None, heads={"video": tracker}, model="fake")
    frames = gray_frames(3)
    session.encode(frames[1], purpose="video")
    with session.video(frames) as video:
        video.add(frame=0, points=[(20, 20)])
        list(video.propagate())
    assert tracker.calls["encode_frame"] == 3
