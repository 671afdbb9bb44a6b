"""What a person saves while a run goes on is joined to; where that is impossible, it is not written over."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from sam3_onnx.annotate import AnnotateProgress, annotate_folder
from sam3_onnx.errors import (
    FolderError,
    LabelFileDamagedError,
    LabelFolderMissingError,
    LabelShapeError,
    PictureMissingError,
)
from sam3_onnx.testing import FakeInstance, fake_session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANSWERS = {"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]}
HAND: dict[str, Any] = {"label": "hand", "points": [[i, 2 * i] for i in range(8)], "shape_type": "cuboid", "mine": 1}
ROW: dict[str, Any] = {"id": 999, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "keypoints": [1], "by": "hand"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in "abc":
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((60, 80, 3), np.uint8))
    return folder


def label_file(*shapes: object) -> str:
    content = {"version": "4.0.2", "checked": True, "shapes": shapes, "imagePath": "b.png", "imageData": None}
    return json.dumps({**content, "imageHeight": 60, "imageWidth": 80})


def coco_file(*annotations: object) -> str:
    image = {"id": 1, "file_name": "b.png", "height": 60, "width": 80}
    categories = [{"id": 1, "name": "crate"}]
    return json.dumps({"images": [image], "annotations": annotations, "categories": categories})


def after(done: int, act: Callable[[], object]) -> Callable[[AnnotateProgress], None]:
    """Acts as soon as some pictures are done."""

    def hear(progress: AnnotateProgress) -> None:
        if progress.done == done:
            act()

    return hear


@pytest.mark.parametrize("saved", [None, label_file(), label_file({**HAND, "label": "older"})])
def test_a_file_that_is_saved_between_reading_and_writing_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, saved: str | None
) -> None:
    path, really = folder / "b.json", os.fsync
    if saved is not None:
        path.write_text(saved, encoding="utf-8")

    def save_first(descriptor: int) -> None:  # the draft of the new content is whole, and about to take its place
        drafted = [draft.read_text(encoding="utf-8") for draft in folder.glob(".*.tmp")]
        if HAND["label"] not in "".join(drafted) and any('"b.png"' in draft for draft in drafted):
            path.write_text(label_file(HAND), encoding="utf-8")
        really(descriptor)

    monkeypatch.setattr(os, "fsync", save_first)
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin")
    shapes = json.loads(path.read_text(encoding="utf-8"))["shapes"]
    assert (summary.finished, summary.added) == (3, 3)
    assert shapes[0] == HAND
    assert [shape["label"] for shape in shapes] == ["hand", "coin"]


def test_what_is_saved_in_a_coco_file_during_a_run_stays(folder: Path) -> None:
    path = folder / "annotations.json"
    save = after(2, lambda: path.write_text(coco_file(ROW), encoding="utf-8"))
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin", label_format="coco", progress=save)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert summary.added == 3
    assert content["annotations"][0] == ROW
    assert [image["file_name"] for image in content["images"]] == ["b.png", "a.png", "c.png"]
    assert [row["category_id"] for row in content["annotations"]] == [1, 2, 2, 2]


def test_an_annotation_that_makes_no_sense_by_the_end_fails_its_picture_and_is_tried_again(folder: Path) -> None:
    path, session = folder / "annotations.json", fake_session(ANSWERS)
    odd = {**ROW, "bbox": [1, 1]}
    save = after(2, lambda: path.write_text(coco_file(odd), encoding="utf-8"))
    summary = annotate_folder(session, folder, "coin", label_format="coco", progress=save)
    assert [(failure.picture.name, type(failure.error)) for failure in summary.failures] == [("b.png", LabelShapeError)]
    assert (summary.finished, summary.added) == (2, 2)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["annotations"][0] == odd
    content["annotations"] = [ROW, *content["annotations"][2:]]  # mended, and one of ours removed
    path.write_text(json.dumps(content), encoding="utf-8")
    again = annotate_folder(session, folder, "coin", label_format="coco")
    assert (again.finished, again.resumed, again.failures) == (3, 2, ())
    rows = json.loads(path.read_text(encoding="utf-8"))["annotations"]
    assert rows[0] == ROW
    assert len(rows) == 3  # what was removed does not come back


@pytest.mark.parametrize("half", [coco_file()[:50], "[]"])
def test_a_coco_file_that_cannot_be_read_by_the_end_is_left_alone_and_nothing_is_lost(folder: Path, half: str) -> None:
    path, session = folder / "annotations.json", fake_session(ANSWERS)
    with pytest.raises(FolderError, match=r"annotations\.json.*The results are kept"):
        annotate_folder(
            session,
            folder,
            "coin",
            label_format="coco",
            progress=after(3, lambda: path.write_text(half, encoding="utf-8")),
        )
    assert path.read_text(encoding="utf-8") == half
    path.write_text(coco_file(ROW), encoding="utf-8")
    summary = annotate_folder(session, folder, "coin", label_format="coco")
    assert (summary.resumed, summary.finished, summary.added) == (3, 3, 3)
    assert json.loads(path.read_text(encoding="utf-8"))["annotations"][0] == ROW


@pytest.mark.parametrize("kind", ["folder", "link", "loop", "half"])
@pytest.mark.parametrize("suffix", [".json", ".txt"])
def test_a_label_file_that_cannot_be_read_fails_its_picture_alone(folder: Path, kind: str, suffix: str) -> None:
    path = folder / f"b{suffix}"
    make: dict[str, Callable[[], object]] = {
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(folder / "gone" / "nowhere"),
        "loop": lambda: path.symlink_to(path),
        "half": lambda: path.write_text('{"shapes": [', encoding="utf-8"),
    }
    make[kind]()
    (folder / "classes.txt").write_text("coin\n", encoding="utf-8")
    label_format = "labelme" if suffix == ".json" else "yolo-detect"
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin", label_format=label_format)
    assert [type(failure.error) for failure in summary.failures] == [LabelFileDamagedError]
    assert summary.finished == 2
    assert str(path) in str(summary)


def test_a_file_where_a_folder_of_labels_has_to_be_fails_its_pictures_alone(folder: Path, tmp_path: Path) -> None:
    (folder / "deep").mkdir()
    shutil.move(folder / "b.png", folder / "deep")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "deep").write_text("a file", encoding="utf-8")
    options = {"out": tmp_path / "labels", "recursive": True}
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin", **options)  # type: ignore[arg-type]
    assert [type(failure.error) for failure in summary.failures] == [LabelFolderMissingError]
    assert summary.finished == 2


def test_a_picture_that_goes_while_it_is_looked_at_fails_alone(folder: Path) -> None:
    session = fake_session(ANSWERS)
    summary = annotate_folder(session, folder, "coin", progress=after(1, (folder / "b.png").unlink))
    assert [type(failure.error) for failure in summary.failures] == [PictureMissingError]
    assert summary.finished == 2
    assert not (folder / "b.json").exists()
