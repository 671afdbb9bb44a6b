"""Frames that were opened before a fork are read in the child too, or refused there at once."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx.errors import SessionForkedError
from sam3_onnx.images import open_frames
from sam3_onnx.images.frames.reading import CountedFrames
from tests.support.forks import forks, in_child
from tests.support.videos import FRAMES, number_in, write_opencv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sam3_onnx.images import Backend, FrameSource

needs_pyav = pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV is not installed (extra video)")


def numbers(frames: FrameSource) -> list[int]:
    """The numbers that are painted on the frames from the fourth on."""
    return [number_in(frames.read(index).image) for index in range(4, FRAMES)]


@forks
@pytest.mark.parametrize("backend", ["opencv", pytest.param("pyav", marks=needs_pyav)])
def test_a_video_is_read_in_the_child_and_in_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: Backend
) -> None:
    monkeypatch.chdir(tmp_path)
    write_opencv(Path("a.mp4"), "mp4v")
    frames = open_frames("a.mp4", backend=backend)
    frames.read(3)
    monkeypatch.chdir("/")
    assert in_child(lambda: numbers(frames)) == list(range(4, FRAMES))
    in_child(frames.close)
    assert numbers(frames) == list(range(4, FRAMES))
    frames.close()


@forks
def test_an_iterator_of_pictures_goes_on_on_both_sides() -> None:
    frames = open_frames(iter([np.full((8, 8, 3), level, np.uint8) for level in range(5)]))
    frames.read(1)
    assert in_child(lambda: [int(frames.read(index).image[0, 0, 0]) for index in (2, 3, 4)]) == [2, 3, 4]
    assert frames.read(4).image[0, 0, 0] == 4


class Camera:
    """A source of its own threads that cannot be opened again."""

    stated: int | None = None
    duration: float | None = None
    survives_fork = False

    def take(self) -> tuple[float, NDArray[np.uint8]]:
        return 0.0, np.zeros((4, 4, 3), np.uint8)

    def skip(self) -> float:
        return 0.0

    def close(self) -> None:
        raise AssertionError("it is the parent's")


@forks
def test_a_camera_is_the_parents() -> None:
    frames = CountedFrames("camera 0", Camera, can_go_back=False, empty="")
    with pytest.raises(SessionForkedError, match=r"camera 0 cannot be read.*Open it in the process"):
        in_child(lambda: frames.read(1))
    in_child(frames.close)
    assert frames.read(1).index == 1
