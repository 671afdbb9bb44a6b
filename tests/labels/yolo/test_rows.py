"""Rows that nobody touched stay byte for byte, and rows that make no sense are refused with their line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Shape
from sam3_onnx.errors import LabelError, LabelFileDamagedError
from sam3_onnx.labels import read_yolo, write_yolo

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.labels import YoloTask

SIZE = (100, 200)
NEW = Shape("coin", "rectangle", np.array([(20, 10), (60, 10), (60, 50), (20, 50)], np.float64))
ADDED = {
    "detect": "1 0.2 0.3 0.2 0.4",
    "segment": "1 0.1 0.1 0.3 0.1 0.3 0.5 0.1 0.5",
    "obb": "1 0.1 0.1 0.3 0.1 0.3 0.5 0.1 0.5",
}


@pytest.mark.parametrize(
    ("task", "content"),
    [
        ("detect", "0 0.25 0.25 0 0.1\n"),
        ("detect", "0 30 30 10 10\n"),
        ("detect", "0 .95 .95 .2 .2\n"),
        ("detect", "0 0.25 0.25 0.1 0.1 0.87\n"),
        ("detect", "# mine\n\n0   2.5e-1\t0.250 0.1 0.1  \n\n# end\n"),
        ("detect", "0 0.25 0.25 0.1 0.1\r\n0 0.25 0.25 0.1 0.1\r\n"),
        ("detect", "\ufeff0 0.25 0.25 0.1 0.1"),
        ("detect", "2 0.1 0.1 0.1 0.1\n0.0 0.1 0.1 0.1 0.1\n"),
        ("segment", "0 0.1 0.1 0.1 0.1 0.1 0.1\n"),
        ("segment", "0 1.1 -0.1 0.3 0.1 0.2 0.2 0.5\n"),
        ("obb", "0 0.1 0.1 1.3 0.1 1.3 0.2 0.1 0.2 0.4\n"),
    ],
)
def test_untouched_rows_stay_byte_for_byte(tmp_path: Path, task: YoloTask, content: str) -> None:
    path = tmp_path / "a.txt"
    (tmp_path / "classes.txt").write_text("person\ncoin\nperson\n", encoding="utf-8")
    path.write_bytes(content.encode())
    file = read_yolo(path, task=task, image_size=SIZE)
    write_yolo(path, file, task=task)
    assert path.read_bytes() == content.encode()
    shape = NEW if task == "detect" else Shape("coin", {"segment": "polygon", "obb": "rotation"}[task], NEW.points)
    assert write_yolo(path, file.with_shapes([*file.shapes, shape]), task=task) == ()
    end = "\r\n" if "\r\n" in content else "\n"
    there = content if content.endswith("\n") else content + end
    assert path.read_bytes().decode() == there + ADDED[task] + end


def test_a_row_whose_shape_was_changed_or_removed_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    (tmp_path / "classes.txt").write_text("person\ncoin\n", encoding="utf-8")
    path.write_text("0 0.5 0.5 0.1 0.1 0.9\n0 0.2 0.3 0.2 0.4\n0 0.2 0.3 0.2 0.4\n# end\n", encoding="utf-8")
    file = read_yolo(path, task="detect", image_size=SIZE)
    write_yolo(path, file.with_shapes([file.shapes[1], NEW]), task="detect")
    assert path.read_text(encoding="utf-8") == "0 0.2 0.3 0.2 0.4\n# end\n1 0.2 0.3 0.2 0.4\n"


def test_rows_are_written_anew_for_another_list_or_another_task(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("person\ncoin\n", encoding="utf-8")
    (tmp_path / "other.txt").write_text("coin\nperson\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("1 0.20 0.3 0.2 0.4 0.5\n", encoding="utf-8")
    file = read_yolo(tmp_path / "a.txt", task="detect", image_size=SIZE)
    (loss,) = write_yolo(tmp_path / "b.txt", file, task="detect", classes=tmp_path / "other.txt")
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == "0 0.2 0.3 0.2 0.4\n"
    assert str(loss) == "score was left out (coin)"


@pytest.mark.parametrize(
    "row",
    [
        "0 1e300 0.3 0.2 0.4",
        "0 nan 0.3 0.2 0.4",
        "0 " + "1" * 400 + " 0.3 0.2 0.4",
        "9" * 400 + " 0.2 0.3 0.2 0.4",
        "-1 0.2 0.3 0.2 0.4",
        "7 0.2 0.3 0.2 0.4",
        "0 0.2 0.3 0.2 0.4 7",
        "0 0.2 0.3 0.2 0.4 -0.1",
        "0 0.2 0.3 0.2 0_4",
        "0 0.2 0.3 0.2 ٣",
        "0 0.2 0.3 0.2 0.4 # car",
    ],
)
def test_rows_that_make_no_sense_are_refused_with_their_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "classes.txt").write_text("person\n", encoding="utf-8")
    path = tmp_path / "a.txt"
    content = f"0 0.2 0.3 0.2 0.4\n{row}\n"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LabelError, match="on line 2") as told:
        read_yolo(path, task="detect", image_size=SIZE)
    assert str(path) in str(told.value)
    assert path.read_text(encoding="utf-8") == content


def test_a_list_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "names").mkdir()
    with pytest.raises(LabelFileDamagedError, match="names"):
        read_yolo(tmp_path / "a.txt", task="detect", image_size=SIZE, classes=tmp_path / "names")
