"""Runs that write YOLO's files: numbers keep their meaning in a tree of folders, and rows of others stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sam3_onnx.annotate import annotate_folder
from sam3_onnx.errors import (
    ClassListConflictError,
    ClassListMissingError,
    LabelCollisionError,
    LabelFileDamagedError,
    LabelNameError,
)
from sam3_onnx.labels import read_classes, read_yolo
from sam3_onnx.testing import FakeInstance, fake_session

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.annotate import AnnotateSummary

SESSION = {"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))], "dog": [FakeInstance((0.6, 0.5, 0.9, 0.9))]}
ROW = "0 0.25 0.25 0.1 0.1\n"


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((60, 80, 3), 9, np.uint8))


def run(folder: Path, text: str, **options: object) -> AnnotateSummary:
    return annotate_folder(fake_session(SESSION), folder, text, label_format="yolo-detect", **options)  # type: ignore[arg-type]


def labels_of(path: Path) -> list[str]:
    return [shape.label for shape in read_yolo(path, task="detect", image_size=(60, 80)).shapes]


def test_a_tree_and_its_subfolder_alone_have_one_list(tmp_path: Path) -> None:
    picture(tmp_path / "sub/a.png")
    run(tmp_path, "coin", recursive=True)
    run(tmp_path / "sub", "dog")
    assert read_classes(tmp_path / "classes.txt") == ("coin", "dog")
    assert not (tmp_path / "sub/classes.txt").exists()
    assert labels_of(tmp_path / "sub/a.txt") == ["coin", "dog"]


def test_a_list_of_a_subfolder_holds_when_the_tree_is_labelled(tmp_path: Path) -> None:
    picture(tmp_path / "sub/a.png")
    picture(tmp_path / "b.png")
    run(tmp_path / "sub", "dog")
    run(tmp_path, "coin", recursive=True)
    assert read_classes(tmp_path / "classes.txt") == read_classes(tmp_path / "sub/classes.txt") == ("dog", "coin")
    assert labels_of(tmp_path / "sub/a.txt") == ["dog", "coin"]


def test_subfolders_whose_lists_disagree_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    for name, label in (("one", "dog"), ("two", "coin")):
        picture(tmp_path / name / "a.png")
        run(tmp_path / name, label)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.txt")}
    with pytest.raises(ClassListConflictError, match="0 to be"):
        run(tmp_path, "coin", recursive=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.txt")} == before


@pytest.mark.parametrize("existing", ["append", "replace", "replace-all", "skip"])
def test_label_files_without_a_list_are_refused(tmp_path: Path, existing: str) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/x.txt").write_text(ROW)
    with pytest.raises(ClassListMissingError, match=r"x\.txt"):
        run(tmp_path, "coin", existing=existing)
    assert not (tmp_path / "classes.txt").exists()


def test_names_of_data_yaml_hold_in_the_tree_of_labels(tmp_path: Path) -> None:
    picture(tmp_path / "images/train/a.png")
    (tmp_path / "labels/train").mkdir(parents=True)
    (tmp_path / "labels/train/a.txt").write_text(ROW)
    (tmp_path / "data.yaml").write_text("names:\n  0: person\n  1: coin\n")
    summary = run(tmp_path / "images", "coin", recursive=True, out=tmp_path / "labels")
    assert summary.finished == 1
    assert labels_of(tmp_path / "labels/train/a.txt") == ["person", "coin"]
    with pytest.raises(LabelNameError, match=r"data\.yaml"):
        run(tmp_path / "images", "dog", recursive=True, out=tmp_path / "labels")
    assert labels_of(tmp_path / "labels/train/a.txt") == ["person", "coin"]


def test_a_row_that_makes_no_sense_is_one_failure_and_other_rows_stay(tmp_path: Path) -> None:
    rows = {"a": "0 0.25 0.25 0 0.1\n0 30 30 10 10\n", "b": "0 1e300 0.1 0.1 0.1\n", "c": "0 0.3 0.3 0.1 0.1 0.87\n"}
    for name, row in rows.items():
        picture(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.txt").write_text(row)
    (tmp_path / "classes.txt").write_text("person\n")
    summary = run(tmp_path, "coin")
    assert [(failure.picture.name, type(failure.error)) for failure in summary.failures] == [
        ("b.png", LabelFileDamagedError)
    ]
    assert (tmp_path / "b.txt").read_text() == rows["b"]
    for name in ("a", "c"):
        assert (tmp_path / f"{name}.txt").read_text().startswith(rows[name] + "1 ")


def test_no_label_file_takes_the_name_of_a_list(tmp_path: Path) -> None:
    picture(tmp_path / "sub/classes.png")
    with pytest.raises(LabelCollisionError, match=r"classes\.txt"):
        run(tmp_path, "coin", recursive=True)
