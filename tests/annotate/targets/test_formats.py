"""Are a folder's labels written in every format, and joined to what is there in each?"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.annotate import LABEL_FORMATS, AnnotateProgress, annotate_folder
from sam3_onnx.errors import LabelCollisionError, LabelFileKindError, LabelFileSizeError, OptionError
from sam3_onnx.labels import CocoDataset
from sam3_onnx.testing import FakeInstance, fake_session

if TYPE_CHECKING:
    from pathlib import Path

SHAPE_FORMATS = [name for name in LABEL_FORMATS if not name.startswith("png-masks")]
"""Formats whose files may lie beside the pictures; test_png_masks.py has the others."""
ANSWERS = {
    "coin": [FakeInstance((0.1, 0.1, 0.4, 0.5)), FakeInstance((0.6, 0.5, 0.9, 0.9), score=0.7)],
    "tree": [FakeInstance((0.5, 0.1, 0.8, 0.4))],
}
SIZE = (60, 80)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    for level, name in enumerate(("a.png", "b.png", "deep/c.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((*SIZE, 3), 10 + level, np.uint8))
    return folder


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", SHAPE_FORMATS)
@pytest.mark.parametrize("duplicate_iou", [0.8, None])
def test_the_same_twice_adds_nothing_twice(folder: Path, name: str, duplicate_iou: float | None) -> None:
    session = fake_session(ANSWERS)
    options = {"label_format": name, "duplicate_iou": duplicate_iou, "recursive": True}
    first = annotate_folder(session, folder, "coin, tree", **options)  # type: ignore[arg-type]
    assert (first.finished, first.added) == (3, 9)
    once = content_of(folder)
    again = annotate_folder(session, folder, "coin, tree", **options)  # type: ignore[arg-type]
    assert (again.added, again.duplicates) == (0, 9)
    assert content_of(folder) == once


@pytest.mark.parametrize("name", SHAPE_FORMATS)
def test_an_object_with_a_hole_is_known_again_by_a_format_that_fills_it(tmp_path: Path, name: str) -> None:
    scene = np.full((224, 224, 3), 30, np.uint8)
    cv2.circle(scene, (112, 112), 45, (60, 60, 230), 18, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "ring.png"), scene)
    session = Sam3Session.from_pretrained("miniature", provider="cpu")
    found = session.predict(tmp_path / "ring.png", "ring")
    assert [len(polygon.holes) for instance in found for polygon in instance.polygons()] == [1]
    first = annotate_folder(session, tmp_path, "ring", label_format=name)
    again = annotate_folder(session, tmp_path, "ring", label_format=name)
    assert (first.added, again.added, again.duplicates) == (1, 0, 1)


@pytest.mark.parametrize("name", SHAPE_FORMATS)
def test_replacing_twice_leaves_the_files_of_the_first_time(folder: Path, name: str) -> None:
    session = fake_session(ANSWERS)
    annotate_folder(session, folder, "tree", label_format=name, recursive=True)
    summary = annotate_folder(session, folder, "coin", label_format=name, recursive=True, existing="replace")
    assert (summary.added, summary.removed) == (6, 0)
    once = content_of(folder)
    summary = annotate_folder(session, folder, "coin", label_format=name, recursive=True, existing="replace")
    assert (summary.added, summary.removed) == (6, 6)
    assert content_of(folder) == once


def test_a_format_says_which_modes_it_has(folder: Path) -> None:
    for name, mode in (("yolo-detect", "polygon"), ("xanylabeling", "mask"), ("coco", "rotation")):
        with pytest.raises(OptionError, match=f"for {name}"):
            annotate_folder(fake_session(ANSWERS), folder, "coin", label_format=name, mode=mode)  # type: ignore[arg-type]


def test_classes_of_yolo_keep_their_numbers_and_new_ones_come_last(folder: Path) -> None:
    (folder / "classes.txt").write_text("car\ntree\n")
    (folder / "a.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    annotate_folder(fake_session(ANSWERS), folder, "coin, tree", label_format="yolo-detect", recursive=True)
    assert (folder / "classes.txt").read_text() == "car\ntree\ncoin\n"
    assert [line.split()[0] for line in (folder / "a.txt").read_text().splitlines()] == ["0", "2", "2", "1"]


def test_a_coco_file_holds_all_pictures_with_the_masks_that_predict_finds(folder: Path, coins: Path) -> None:
    shutil.copy(coins, folder / "coins.png")
    session = Sam3Session.from_pretrained("miniature", provider="cpu")
    annotate_folder(session, folder, {"coin": "money"}, label_format="coco", out=folder / "labels", recursive=True)
    dataset = CocoDataset.read(folder / "labels" / "annotations.json")
    assert dataset.file_names == ("a.png", "b.png", "coins.png", "deep/c.png")
    found = session.predict(coins, "coin")
    shapes = dataset.shapes("coins.png")
    assert [shape.label for shape in shapes] == ["money"] * 24
    for shape, instance in zip(shapes, found, strict=True):
        np.testing.assert_array_equal(shape.to_mask(found.size), instance.mask)


def test_a_coco_file_that_is_there_is_gone_on_with(folder: Path) -> None:
    session = fake_session(ANSWERS)
    annotate_folder(session, folder, "tree", label_format="coco")
    path = folder / "annotations.json"
    content = json.loads(path.read_text())
    content["info"] = {"by": "hand"}
    content["annotations"][0]["remark"] = "mine"
    path.write_text(json.dumps(content))
    summary = annotate_folder(session, folder, "coin, tree", label_format="coco", recursive=True)
    after = json.loads(path.read_text())
    assert after["info"] == {"by": "hand"}
    assert after["annotations"][:2] == content["annotations"]
    assert [category["name"] for category in after["categories"]] == ["tree", "coin"]
    assert (summary.added, summary.duplicates, len(after["annotations"])) == (7, 2, 9)
    everything = annotate_folder(session, folder, "coin", label_format="coco", existing="replace-all", recursive=True)
    assert (everything.added, everything.removed) == (6, 9)


def test_pictures_that_a_coco_file_knows_are_left_alone_when_asked_for(folder: Path) -> None:
    session = fake_session(ANSWERS)
    annotate_folder(session, folder, "tree", label_format="coco")
    summary = annotate_folder(session, folder, "coin", label_format="coco", existing="skip", recursive=True)
    assert (summary.skipped, summary.finished) == (2, 1)


def test_an_interrupted_run_writes_the_coco_file_of_one_that_was_not(folder: Path, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def stop(progress: AnnotateProgress) -> None:
        if progress.done == 2:
            raise Killed

    session = fake_session(ANSWERS)
    annotate_folder(session, folder, "coin, tree", label_format="coco", recursive=True, out=tmp_path / "whole")
    options = {"label_format": "coco", "recursive": True, "out": tmp_path / "interrupted"}
    with pytest.raises(Killed):
        annotate_folder(session, folder, "coin, tree", progress=stop, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "interrupted" / "annotations.json").exists()
    assert annotate_folder(session, folder, "coin, tree", **options).resumed == 2  # type: ignore[arg-type]
    assert content_of(tmp_path / "interrupted") == content_of(tmp_path / "whole")


def test_a_coco_file_that_cannot_be_gone_on_with_is_told(folder: Path) -> None:
    path = folder / "annotations.json"
    path.write_text('{"shapes": []}')
    with pytest.raises(LabelFileKindError):
        annotate_folder(fake_session(ANSWERS), folder, "coin", label_format="coco")
    assert path.read_text() == '{"shapes": []}'
    dataset = CocoDataset()
    dataset.add("a.png", [], image_size=(61, 80))
    dataset.write(path)
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin", label_format="coco")
    assert [type(failure.error) for failure in summary.failures] == [LabelFileSizeError]
    assert CocoDataset.read(path).file_names == ("a.png", "b.png")


def test_what_a_format_cannot_say_is_counted_but_for_what_it_never_can(tmp_path: Path) -> None:
    scene = np.full((224, 224, 3), 30, np.uint8)
    cv2.circle(scene, (112, 112), 45, (60, 60, 230), 18, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "ring.png"), scene)
    session = Sam3Session.from_pretrained("miniature", provider="cpu")
    filled = annotate_folder(session, tmp_path, "ring", label_format="yolo-segment")
    assert filled.losses == {"holes were filled (ring)": 1}
    assert "not stored in this format: holes were filled (ring)" in str(filled)
    assert annotate_folder(session, tmp_path, "ring", label_format="yolo-detect", out=tmp_path / "boxes").losses == {}


def test_specks_are_left_out_when_asked_for(folder: Path) -> None:
    smallest = FakeInstance((0.1, 0.1, 0.2, 0.2), score=0.95)
    session = fake_session({"coin": [*ANSWERS["coin"], smallest]})
    area = session.predict(folder / "a.png", "coin")[0].area
    everything = annotate_folder(session, folder, "coin", min_area=area)
    without = annotate_folder(session, folder, "coin", min_area=area + 1, existing="replace")
    assert (everything.instances, without.instances) == ({"coin": 6}, {"coin": 4})
    with pytest.raises(OptionError, match="min_area"):
        annotate_folder(session, folder, "coin", min_area=-1)


def test_a_picture_whose_labels_would_take_the_place_of_the_list_of_classes_is_refused(folder: Path) -> None:
    shutil.copy(folder / "a.png", folder / "classes.png")
    with pytest.raises(LabelCollisionError, match=r"classes\.txt.*classes\.png"):
        annotate_folder(fake_session(ANSWERS), folder, "coin", label_format="yolo-obb")
    assert not list(folder.glob("*.txt"))
