"""Video files of every kind give their frames by number and time, or say what is wrong."""

from __future__ import annotations

import importlib.util
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx.errors import (
    FrameIndexError,
    MissingExtraError,
    VideoDamagedError,
    VideoOpenError,
    VideoWarning,
)
from sam3_onnx.images import open_frames
from tests.support.videos import (
    FRAMES,
    HEIGHT,
    WIDTH,
    damaged,
    number_in,
    numbered,
    turned,
    write_opencv,
    write_pyav,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.images import Backend

HAS_PYAV = importlib.util.find_spec("av") is not None
needs_pyav = pytest.mark.skipif(not HAS_PYAV, reason="PyAV is not installed (extra video)")
BACKENDS = [pytest.param("opencv"), pytest.param("pyav", marks=needs_pyav)]
KINDS = {
    "h264.mp4": ("libx264", "yuv420p"),
    "hevc.mp4": ("libx265", "yuv420p"),
    "hevc10.mp4": ("libx265", "yuv420p10le"),
    "vp8.webm": ("libvpx", "yuv420p"),
    "vp9.webm": ("libvpx-vp9", "yuv420p"),
    "mjpeg.avi": ("mjpeg", "yuvj420p"),
    "mpeg4.mp4": ("mpeg4", "yuv420p"),
    "prores.mov": ("prores_ks", "yuv422p10le"),
    "ffv1.mkv": ("ffv1", "yuv420p"),
    "animated.gif": ("gif", "rgb8"),
    "animated.apng": ("apng", "rgb24"),
}
"""Files by name: how PyAV encodes them."""


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mp4v"), ("a.avi", "MJPG")])
def test_frames_come_in_order_with_their_times(tmp_path: Path, name: str, codec: str, backend: Backend) -> None:
    frames = open_frames(write_opencv(tmp_path / name, codec), backend=backend)
    assert (frames.size, frames.can_go_back) == ((HEIGHT, WIDTH), True)
    found = list(frames)
    assert [frame.index for frame in found] == list(range(FRAMES))
    assert [number_in(frame.image) for frame in found] == list(range(FRAMES))
    assert [frame.time for frame in found] == pytest.approx(np.arange(FRAMES) / 25, abs=1e-3)
    assert found[0].image.dtype == np.uint8
    assert np.abs(found[0].image[5:15, 5:15].astype(int) - 255).mean() < 10
    frames.close()


@needs_pyav
@pytest.mark.parametrize("backend", ["opencv", "pyav"])
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_read_frame_by_frame(tmp_path: Path, name: str, backend: Backend) -> None:
    frames = open_frames(write_pyav(tmp_path / name, *KINDS[name]), backend=backend)
    assert [number_in(frame.image) for frame in frames] == list(range(FRAMES))
    assert [number_in(frames.read(index).image) for index in (17, 3, 4, 29, 0)] == [17, 3, 4, 29, 0]
    frames.close()


@needs_pyav
def test_av1_is_read_by_pyav_and_refused_by_opencv(tmp_path: Path) -> None:
    path = write_pyav(tmp_path / "a.mp4", "libsvtav1")
    assert [number_in(frame.image) for frame in open_frames(path)] == list(range(FRAMES))
    with pytest.raises(VideoOpenError, match=r"no frame can be read.*sam3-onnx\[video\]"):
        open_frames(path, backend="opencv")


@needs_pyav
@pytest.mark.parametrize("backend", ["opencv", "pyav"])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_frames_that_are_not_equally_far_apart_keep_their_times(tmp_path: Path, name: str, backend: Backend) -> None:
    times = np.cumsum(np.random.default_rng(0).integers(10, 90, FRAMES)).tolist()
    frames = open_frames(write_pyav(tmp_path / name, "libx264", times=times), backend=backend)
    found = np.array([frame.time for frame in frames])
    assert found - found[0] == pytest.approx((np.array(times) - times[0]) / 1000, abs=1e-3)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("degrees", "corner"), [(90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_frames_are_turned_upright(tmp_path: Path, degrees: int, corner: tuple[int, int], backend: Backend) -> None:
    frames = open_frames(turned(write_opencv(tmp_path / "a.mp4", "mp4v", 3), degrees), backend=backend)
    image = frames.read(1).image
    assert image.shape[:2] == frames.size == ((HEIGHT, WIDTH) if degrees == 180 else (WIDTH, HEIGHT))
    rows, columns = (slice(2, 12) if edge == 0 else slice(-12, -2) for edge in corner)
    assert image[rows, columns].mean() > 240


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_file_that_is_cut_off_says_so(tmp_path: Path, backend: Backend) -> None:
    path = write_opencv(tmp_path / "a.avi", "MJPG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames, found = open_frames(path, backend=backend), list[int]()
    with pytest.warns(VideoWarning, match="last frame") if backend == "opencv" else pytest.raises(VideoDamagedError):
        found.extend(number_in(frame.image) for frame in frames)  # those before an error stay
    assert found == list(range(len(found)))
    assert 5 < len(found) < 20


@needs_pyav
@pytest.mark.parametrize("backend", ["opencv", "pyav"])
def test_a_broken_packet_is_not_taken_for_the_end(tmp_path: Path, backend: Backend) -> None:
    path = damaged(write_pyav(tmp_path / "a.webm", "libvpx-vp9"), 0.34, bytes(200))
    with pytest.warns(VideoWarning, match="damaged or cut off"):
        assert len(list(open_frames(path, backend=backend))) < FRAMES


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_whole_file_gives_no_warning(tmp_path: Path, backend: Backend) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(open_frames(write_opencv(tmp_path / "a.mp4", "mp4v"), backend=backend))) == FRAMES


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("content", [b"", b"no video", bytes(5000)])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, backend: Backend) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(VideoOpenError, match=r"a\.mp4"):
        open_frames(tmp_path / "a.mp4", backend=backend)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoOpenError, match="no such file"):
        open_frames(tmp_path / "nowhere.mp4")


@pytest.mark.parametrize("index", [FRAMES, -1, 10**6])
def test_a_frame_beyond_the_end_is_an_error(tmp_path: Path, index: int) -> None:
    frames = open_frames(write_opencv(tmp_path / "a.mp4", "mp4v"), backend="opencv")
    with pytest.raises(FrameIndexError, match=f"No frame {index} "):
        frames.read(index)
    assert number_in(frames.read(0).image) == 0


@pytest.mark.skipif(HAS_PYAV, reason="PyAV is installed")
def test_pyav_by_name_is_an_error_without_it(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match=r"sam3-onnx\[video\]"):
        open_frames(write_opencv(tmp_path / "a.mp4", "mp4v", 2), backend="pyav")


def test_numbers_of_frames_can_be_told_apart() -> None:
    assert [number_in(numbered(number)) for number in range(FRAMES)] == list(range(FRAMES))


def test_every_frame_is_an_array_of_its_own(tmp_path: Path) -> None:
    frames: Any = open_frames(write_opencv(tmp_path / "a.avi", "MJPG", 3), backend="opencv")
    first, second = frames.read(0), frames.read(1)
    assert number_in(first.image) == 0
    assert number_in(second.image) == 1
