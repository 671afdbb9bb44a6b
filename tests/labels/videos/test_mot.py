"""Boxes as text of the MOT benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx.errors import LabelFolderMissingError, LabelNameError, OptionError
from sam3_onnx.labels.videos.mot import write_mot
from tests.support.tracked_frames import frame, tracked, walk

if TYPE_CHECKING:
    from pathlib import Path


def test_results_have_a_line_for_each_thing_on_each_frame_counted_from_one(tmp_path: Path) -> None:
    path = tmp_path / "street.txt"
    assert write_mot(path, walk()) == 8
    lines = path.read_text().splitlines()
    assert lines[0] == "1,1,5,11,8,8,0.75,-1,-1,-1"
    assert [line.split(",")[:2] for line in lines] == [
        [str(index), str(number)] for index, number in [(1, 1), (2, 1), (2, 2), (3, 2), (4, 1), (4, 2), (5, 1), (5, 2)]
    ]


def test_annotations_name_their_classes_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    write_mot(path, walk(), classes=["cat", "dog"])
    assert (tmp_path / "labels.txt").read_text() == "cat\ndog\n"
    assert path.read_text().splitlines()[1:3] == ["2,1,13,11,8,8,1,2,1", "2,2,33,15,8,8,1,1,1"]


def test_a_label_that_is_no_class_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(LabelNameError, match="'cat'"):
        write_mot(tmp_path / "gt.txt", walk(), classes=["dog"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("classes", [[], "dog", ["dog", "dog"], ["dog\n"], [1]])
def test_classes_that_are_no_names_are_refused(tmp_path: Path, classes: list[str]) -> None:
    with pytest.raises(OptionError, match="classes"):
        write_mot(tmp_path / "gt.txt", walk(), classes=classes)


def test_what_has_no_pixel_has_no_line_and_a_video_without_things_an_empty_file(tmp_path: Path) -> None:
    assert write_mot(tmp_path / "a.txt", [frame(0, tracked(1, 5, side=0)), frame(1)]) == 0
    assert (tmp_path / "a.txt").read_bytes() == b""


def test_frames_that_fail_leave_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("older")
    with pytest.raises(OptionError):
        write_mot(path, [*walk(), frame(1)])
    assert path.read_text() == "older"
    with pytest.raises(LabelFolderMissingError):
        write_mot(tmp_path / "none" / "a.txt", walk())


def test_results_are_a_table_as_evaluators_read_it(tmp_path: Path) -> None:
    """TrackEval takes columns by their place, and refuses results with a class above 1 (`mot_challenge_2d_box.py`)."""
    path = tmp_path / "street.txt"
    write_mot(path, walk())
    table = np.loadtxt(path, delimiter=",")
    assert table.shape == (8, 10)
    assert table[:, 7].max() <= 1
    assert (table[:, :2] >= 1).all()
