"""A label file for each frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.labels import read_labelme, read_xanylabeling
from sam3_onnx.labels.videos.frame_labels import track_shapes, write_frame_labels
from tests.support.tracked_frames import SIZE, frame, tracked, walk

if TYPE_CHECKING:
    from pathlib import Path

READERS = {"xanylabeling": read_xanylabeling, "labelme": read_labelme}


@pytest.mark.parametrize("label_format", READERS)
@pytest.mark.parametrize("mode", ["polygon", "rectangle", "rotation"])
def test_the_group_of_a_shape_is_its_track(tmp_path: Path, label_format: str, mode: str) -> None:
    written = list(write_frame_labels(tmp_path, walk(), label_format=label_format, mode=mode))  # type: ignore[arg-type]
    assert [file.path.name for file in written] == [f"{index:06d}.json" for index in range(5)]
    for file, seen in zip(written, walk(), strict=True):
        read = READERS[label_format](file.path)
        assert [(shape.label, shape.group_id) for shape in read.shapes] == [
            (instance.label, instance.track_id)  # type: ignore[attr-defined]
            for instance in seen.result
        ]
        assert read.image_path == f"{seen.index:06d}.jpg"
        assert read.image_size == SIZE


def test_all_parts_of_a_mask_are_in_the_group_of_their_track() -> None:
    mask = np.zeros(SIZE, np.bool_)
    mask[2:8, 2:8] = mask[20:30, 20:30] = True
    shapes, _ = track_shapes(frame(0, replace(tracked(5, 0), source=PackedMask.pack(mask))).result, "polygon")
    assert [shape.group_id for shape in shapes] == [5, 5]


def test_what_has_no_outline_is_told(tmp_path: Path) -> None:
    (file,) = write_frame_labels(tmp_path, [frame(0, tracked(1, 5, side=1), tracked(2, 20))])
    assert file.shapes == 1
    assert [str(loss) for loss in file.losses] == ["dog: mask too thin for a polygon left out"]


def test_label_files_lie_beside_pictures_of_any_name(tmp_path: Path) -> None:
    (file,) = write_frame_labels(tmp_path, walk()[3:4], pictures="frame_{index:05d}.png")
    assert file.path.name == "frame_00003.json"
    assert read_xanylabeling(file.path).image_path == "frame_00003.png"


@pytest.mark.parametrize("changed", [{"label_format": "yolo-segment"}, {"mode": "mask"}, {"pictures": "a.jpg"}])
def test_what_the_files_cannot_be_is_refused(tmp_path: Path, changed: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        list(write_frame_labels(tmp_path, walk(), **changed))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
