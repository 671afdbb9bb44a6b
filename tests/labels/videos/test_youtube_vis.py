"""Masks as the JSON of YouTube-VIS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx.errors import LabelNameError, OptionError
from sam3_onnx.geometry import rle_to_mask
from sam3_onnx.labels.videos.youtube_vis import write_youtube_vis
from tests.support.tracked_frames import frame, tracked, walk

if TYPE_CHECKING:
    from pathlib import Path


def test_a_track_has_a_mask_for_each_frame_and_null_where_it_is_hidden(tmp_path: Path) -> None:
    path = tmp_path / "street.json"
    assert write_youtube_vis(path, walk()) == 2
    content = json.loads(path.read_text())
    (video,) = content["videos"]
    assert (video["width"], video["height"], video["length"]) == (64, 48, 5)
    assert video["file_names"] == [f"{index:06d}.jpg" for index in range(5)]
    assert content["categories"] == [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    dog, cat = content["annotations"]
    assert (dog["id"], dog["category_id"], cat["id"], cat["category_id"]) == (1, 1, 2, 2)
    assert [mask is None for mask in dog["segmentations"]] == [False, False, True, False, False]
    assert [area is None for area in cat["areas"]] == [True, False, False, False, False]
    assert dog["bboxes"][1] == [12, 10, 8, 8]
    for place, seen in enumerate(walk()):
        for instance in seen.result:
            mask = content["annotations"][instance.track_id - 1]["segmentations"][place]  # type: ignore[attr-defined]
            assert np.array_equal(rle_to_mask(mask), instance.mask)


def test_pycocotools_reads_the_masks(tmp_path: Path) -> None:
    mask_api = pytest.importorskip("pycocotools.mask")
    path = tmp_path / "street.json"
    write_youtube_vis(path, walk())
    for track in json.loads(path.read_text())["annotations"]:
        seen = [(mask, box) for mask, box in zip(track["segmentations"], track["bboxes"], strict=True) if mask]
        assert mask_api.area([mask for mask, _ in seen]).tolist() == [area for area in track["areas"] if area]
        assert mask_api.toBbox([mask for mask, _ in seen]).astype(int).tolist() == [box for _, box in seen]


def test_frames_are_counted_as_they_come_when_some_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "street.json"
    write_youtube_vis(path, walk()[::2], names="img{index}.png", classes=["cat", "bird", "dog"])
    content = json.loads(path.read_text())
    assert content["videos"][0]["file_names"] == ["img0.png", "img2.png", "img4.png"]
    assert [track["category_id"] for track in content["annotations"]] == [3, 1]
    assert all(len(track["areas"]) == 3 for track in content["annotations"])


def test_what_cannot_be_said_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelNameError, match="'dog'"):
        write_youtube_vis(tmp_path / "a.json", walk(), classes=["cat"])
    with pytest.raises(OptionError, match="at least one frame"):
        write_youtube_vis(tmp_path / "a.json", [])
    assert list(tmp_path.iterdir()) == []


def test_a_track_that_is_never_seen_has_an_entry_without_masks(tmp_path: Path) -> None:
    write_youtube_vis(tmp_path / "a.json", [frame(0, tracked(7, 5, side=0))])
    (track,) = json.loads((tmp_path / "a.json").read_text())["annotations"]
    assert track["segmentations"] == [None]
