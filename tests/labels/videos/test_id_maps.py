"""Maps of tracks as PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from sam3_onnx.errors import OptionError
from sam3_onnx.labels.videos.id_maps import id_map, write_id_maps
from tests.support.tracked_frames import SIZE, frame, tracked, walk

if TYPE_CHECKING:
    from pathlib import Path


def test_each_frame_has_a_map_whose_pixels_are_numbers_of_tracks(tmp_path: Path) -> None:
    files = list(write_id_maps(tmp_path, walk()))
    assert [file.name for file in files] == [f"{index:06d}.png" for index in range(5)]
    for file, seen in zip(files, walk(), strict=True):
        with Image.open(file) as image:
            assert image.mode == "P"
            ids = np.asarray(image)
        assert set(np.unique(ids)) == {0, *(instance.track_id for instance in seen.result)}  # type: ignore[attr-defined]


def test_the_surer_track_lies_above() -> None:
    ids = id_map(frame(0, tracked(1, 10, certainty=0.9), tracked(2, 14, certainty=0.4)).result)
    assert np.count_nonzero(ids == 1) == 64
    assert np.count_nonzero(ids == 2) == 32


def test_numbers_have_the_colours_of_davis(tmp_path: Path) -> None:
    (file,) = write_id_maps(tmp_path, [frame(0, tracked(1, 10), tracked(2, 30), tracked(9, 45))])
    with Image.open(file) as image:
        colours = np.asarray(image.convert("RGB"))
    assert [tuple(colours[12, x]) for x in (0, 12, 32, 47)] == [(0, 0, 0), (128, 0, 0), (0, 128, 0), (192, 0, 0)]


def test_large_numbers_take_sixteen_bits_and_larger_ones_are_refused(tmp_path: Path) -> None:
    (file,) = write_id_maps(tmp_path, [frame(0, tracked(300, 10))])
    with Image.open(file) as image:
        assert np.asarray(image).max() == 300
    with pytest.raises(OptionError, match="65535"):
        id_map(frame(0, tracked(70000, 10)).result)


def test_a_frame_without_things_is_all_background(tmp_path: Path) -> None:
    (file,) = write_id_maps(tmp_path, [frame(3)], names="{index}.png")
    assert file.name == "3.png"
    with Image.open(file) as image:
        assert image.size == SIZE[::-1]
        assert not np.asarray(image).any()


def test_files_that_are_written_stay_when_a_later_frame_fails(tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        list(write_id_maps(tmp_path, [*walk(), frame(0)]))
    assert len(list(tmp_path.iterdir())) == 5
