"""Videos with tracks drawn on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx.annotate.targets.videos import draw_tracks, write_overlay_video
from sam3_onnx.errors import FrameIndexError, MissingExtraError, OptionError, OutputExistsError
from sam3_onnx.images import Frame, open_frames
from tests.support.tracked_frames import SIZE, frame, tracked, walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pictures(count: int = 5, size: tuple[int, int] = SIZE) -> list[Frame]:
    return [Frame(index, index / 10, np.full((*size, 3), 40, np.uint8)) for index in range(count)]


@pytest.mark.parametrize("ending", [".mp4", ".webm", ".avi"])
def test_a_video_has_every_frame_with_its_tracks(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"street{ending}"
    assert write_overlay_video(path, pictures(), walk(), backend="opencv", labels=False) == 5
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    read = list(open_frames(path, backend="opencv"))
    assert [round(each.time, 2) for each in read] == [0.0, 0.1, 0.2, 0.3, 0.4]
    for each, seen in zip(read, walk(), strict=True):
        lit = each.image.max(axis=2) > 90
        for instance in seen.result:
            assert lit[instance.mask].mean() > 0.8
        assert each.image.shape[:2] == SIZE


@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_pyav_keeps_the_time_of_each_frame(tmp_path: Path, ending: str) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / f"street{ending}"
    uneven = [type(each)(each.index, [0, 0.1, 0.5, 0.6, 1.2][each.index], each.result) for each in walk()]
    assert write_overlay_video(path, pictures(), uneven, backend="pyav") == 5
    read = list(open_frames(path, backend="pyav"))
    assert [round(each.time, 2) for each in read] == [0, 0.1, 0.5, 0.6, 1.2]
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == {".mp4": "h264", ".webm": "vp8"}[ending]


def test_a_track_has_the_same_colour_on_every_frame_and_whoever_is_beside_it() -> None:
    image = np.zeros((*SIZE, 3), np.uint8)
    alone = draw_tracks(image, frame(0, tracked(7, 30)).result, labels=False)
    crowded = draw_tracks(image, frame(1, tracked(2, 2), tracked(7, 30), tracked(9, 50)).result, labels=False)
    assert np.array_equal(alone[14, 34], crowded[14, 34])
    assert len({tuple(crowded[14, x]) for x in (6, 34, 54)}) == 3


def test_odd_sides_grow_by_a_pixel(tmp_path: Path) -> None:
    size = (47, 63)
    write_overlay_video(tmp_path / "a.avi", pictures(2, size), [frame(0, size=size), frame(1, size=size)])
    assert open_frames(tmp_path / "a.avi").size == (48, 64)


def test_pictures_without_a_result_are_left_out(tmp_path: Path) -> None:
    assert write_overlay_video(tmp_path / "a.avi", pictures(), walk()[::2], backend="opencv") == 3
    assert [round(each.time, 2) for each in open_frames(tmp_path / "a.avi")] == [0.0, 0.2, 0.4]


def test_a_frame_without_a_picture_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(FrameIndexError, match="No frame 3"):
        write_overlay_video(tmp_path / "a.avi", pictures(3), walk())
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    path.write_bytes(b"older")

    def interrupted() -> Iterator[Frame]:
        yield from pictures(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_overlay_video(path, interrupted(), walk(), overwrite=True)
    assert path.read_bytes() == b"older"
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(OutputExistsError):
        write_overlay_video(path, pictures(), walk())


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.mp4, \.webm, \.avi"):
        write_overlay_video(tmp_path / "a.mkv", pictures(), walk())
    with pytest.raises(OptionError, match="fps"):
        write_overlay_video(tmp_path / "a.avi", pictures(), walk(), fps=0)
    with pytest.raises(OptionError, match="at least one frame"):
        write_overlay_video(tmp_path / "a.avi", pictures(), [])


def test_pyav_that_is_asked_for_and_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"sam3-onnx\[video\]"):
        write_overlay_video(tmp_path / "a.mp4", pictures(), walk(), backend="pyav")
    assert list(tmp_path.iterdir()) == []
