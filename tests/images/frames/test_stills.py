"""Folders of pictures, arrays and iterators are sources of frames as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from sam3_onnx.errors import FrameIndexError, FrameSizeError, NoPicturesError, OptionError, PictureError, VideoOpenError
from sam3_onnx.images import open_frames
from tests.support.videos import number_in, numbered

if TYPE_CHECKING:
    from pathlib import Path

ARRAYS = [numbered(number) for number in range(12)]


def folder_of(folder: Path) -> Path:
    for number, image in enumerate(ARRAYS):
        Image.fromarray(image).save(folder / f"shot{number}.png")
    return folder


def test_pictures_of_a_folder_come_by_the_numbers_in_their_names(tmp_path: Path) -> None:
    frames = open_frames(folder_of(tmp_path), fps=10)
    assert [number_in(frame.image) for frame in frames] == list(range(12))
    assert [frame.time for frame in frames] == pytest.approx([number / 10 for number in range(12)])
    assert frames.stated == 12
    assert number_in(frames.read(11).image) == 11
    assert number_in(frames.read(2).image) == 2


@pytest.mark.parametrize("source", [ARRAYS, tuple(ARRAYS), np.stack(ARRAYS)], ids=["list", "tuple", "array"])
def test_arrays_can_be_read_in_any_order(source: Any) -> None:  # noqa: ANN401 - of several kinds
    frames = open_frames(source)
    assert [number_in(frames.read(index).image) for index in (5, 1, 11)] == [5, 1, 11]
    assert [frame.index for frame in frames] == list(range(12))


def test_an_iterator_is_read_once_and_only_forwards() -> None:
    frames = open_frames(iter(ARRAYS))
    assert not frames.can_go_back
    assert number_in(frames.read(4).image) == 4
    assert number_in(frames.read(4).image) == 4
    with pytest.raises(FrameIndexError, match="list of arrays"):
        frames.read(3)
    assert [frame.index for frame in frames] == list(range(4, 12))


def test_arrays_in_bgr_are_brought_to_rgb() -> None:
    frame = open_frames([image[..., ::-1] for image in ARRAYS], color="bgr").read(0)
    assert np.array_equal(frame.image, ARRAYS[0])


def test_a_frame_of_another_size_is_named() -> None:
    frames = open_frames([ARRAYS[0], ARRAYS[1], ARRAYS[2][:100]])
    with pytest.raises(FrameSizeError, match=r"Frame 2 .*expected 160 x 120 pixels.*got 160 x 100"):
        list(frames)


def test_a_damaged_picture_of_a_folder_is_named(tmp_path: Path) -> None:
    (folder_of(tmp_path) / "shot3.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"shot3\.png"):
        list(open_frames(tmp_path))


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        ([], VideoOpenError, "at least one picture"),
        (ARRAYS[0], OptionError, r"Pass \[array\]"),
        (b"bytes", OptionError, "path of a video"),
        (None, OptionError, "path of a video"),
        (True, OptionError, "path of a video"),
        (99, VideoOpenError, "camera 99"),
    ],
)
def test_what_is_no_source_is_refused(source: Any, error: type[Exception], says: str) -> None:  # noqa: ANN401
    with pytest.raises(error, match=says):
        open_frames(source)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoPicturesError):
        open_frames(tmp_path)


@pytest.mark.parametrize("options", [{"fps": 0}, {"fps": float("nan")}, {"color": "grey"}, {"backend": "ffmpeg"}])
def test_options_out_of_their_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        open_frames(ARRAYS, **options)
