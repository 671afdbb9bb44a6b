"""What all label files of videos ask of their frames."""

from __future__ import annotations

import numpy as np
import pytest

from sam3_onnx.errors import FrameSizeError, OptionError
from sam3_onnx.labels.videos.frames import checked_frames, frame_name, track_id_of
from sam3_onnx.testing import FakeInstance, fake_session
from tests.support.tracked_frames import frame, tracked


@pytest.mark.parametrize("indices", [(0, 0), (3, 2), (-1,)])
def test_frames_out_of_order_are_refused(indices: tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match="in the order of the video"):
        list(checked_frames([frame(index) for index in indices], of="a.txt"))


def test_a_frame_of_another_size_is_refused_by_its_number() -> None:
    frames = [frame(0), frame(4, size=(48, 65))]
    with pytest.raises(FrameSizeError, match=r"Frame 4 of a\.txt is 65 x 48 pixels, expected 64 x 48"):
        list(checked_frames(frames, of="a.txt"))


@pytest.mark.parametrize("pattern", ["frame.jpg", "{index", "{name}.jpg", "{}.jpg", "a/{index}.jpg", 3, ""])
def test_a_pattern_that_names_no_frame_is_refused(pattern: str) -> None:
    with pytest.raises(OptionError, match="number of the frame"):
        frame_name(pattern, frame(3))


def test_a_pattern_names_each_frame() -> None:
    assert frame_name("frame_{index:05d}.jpg", frame(3)) == "frame_00003.jpg"


@pytest.mark.parametrize("number", [0, -2, 1.5, True])
def test_what_has_no_number_of_a_track_is_refused(number: int) -> None:
    with pytest.raises(OptionError, match="track_id"):
        track_id_of(tracked(number, 4))


def test_instances_of_a_picture_are_refused() -> None:
    session = fake_session({"dog": [FakeInstance((0.1, 0.1, 0.5, 0.5))]})
    with pytest.raises(OptionError, match="not the results of predict"):
        track_id_of(session.predict(np.zeros((8, 8, 3), np.uint8), "dog")[0])
