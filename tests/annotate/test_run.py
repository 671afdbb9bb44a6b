"""Is a folder labelled in one go, whatever lies in it, and without losing what was there?"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.annotate import AnnotateProgress, annotate_folder
from sam3_onnx.errors import (
    FolderError,
    LabelCollisionError,
    LabelFileDamagedError,
    LabelFileSizeError,
    OptionError,
    PictureDecodeError,
    PictureMissingError,
    PictureNameError,
)
from sam3_onnx.labels import read_xanylabeling
from sam3_onnx.testing import FakeFamily, fake_session
from tests.support.picture_folders import ANSWERS, by_hand, content_of, paint, shapes_of, write_by_hand

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return paint(tmp_path / "pictures", "a.png", "b.png", "c.png")


def test_every_picture_gets_a_label_file_and_nothing_else_is_left(folder: Path) -> None:
    told: list[AnnotateProgress] = []
    summary = annotate_folder(fake_session(ANSWERS), folder, {"coin": "money"}, progress=told.append)
    assert sorted(content_of(folder)) == ["a.json", "a.png", "b.json", "b.png", "c.json", "c.png"]
    assert shapes_of(folder / "a.json") == [("money", "polygon")] * 2
    assert (summary.pictures, summary.finished, summary.added) == (3, 3, 6)
    assert summary.instances == {"money": 6}
    assert set(summary.seconds) == {"read", "image", "text", "decode", "select", "write"}
    assert [(step.done, step.total, step.instances) for step in told] == [(1, 3, 2), (2, 3, 4), (3, 3, 6)]
    assert "3 of 3 pictures done" in str(summary)
    assert "6 money" in str(summary)


def test_what_was_asked_for_and_never_found_is_counted_too(folder: Path) -> None:
    summary = annotate_folder(fake_session(ANSWERS), folder, "dog, tree")
    assert list(summary.instances.items()) == [("dog", 0), ("tree", 3)]
    assert "found: 0 dog, 3 tree" in str(summary)


def test_labels_say_what_predict_finds(tmp_path: Path, coins: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "coins.png").write_bytes(coins.read_bytes())
    session = Sam3Session.from_pretrained("miniature", provider="cpu")
    annotate_folder(session, folder, "coin", mode="rotation")
    written = read_xanylabeling(folder / "coins.json").shapes
    found = session.predict(coins, "coin").shapes("rotation")
    assert len(found) == 24
    for shape, expected in zip(written, found, strict=True):
        assert (shape.label, shape.shape_type, shape.direction) == ("coin", "rotation", expected.direction)
        np.testing.assert_array_equal(shape.points, expected.points)


@pytest.mark.usefixtures("names_of_any_letters")
def test_labels_go_to_a_folder_of_their_own_in_folders_like_those_of_the_pictures(tmp_path: Path) -> None:
    folder = paint(tmp_path / "pictures", "a.png", "train/ü 好.png")
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin", out=tmp_path / "labels", recursive=True)
    assert summary.folder == tmp_path / "labels"
    assert sorted(content_of(folder)) == ["a.png", "train/ü 好.png"]
    assert sorted(content_of(tmp_path / "labels")) == ["a.json", "train/ü 好.json"]
    assert read_xanylabeling(tmp_path / "labels" / "train" / "ü 好.json").image_path == "../../pictures/train/ü 好.png"


def test_appending_twice_adds_nothing_twice_and_leaves_files_as_they_are(folder: Path) -> None:
    session = fake_session(ANSWERS)
    annotate_folder(session, folder, "coin")
    once = content_of(folder)
    summary = annotate_folder(session, folder, "coin")
    assert content_of(folder) == once
    assert (summary.added, summary.duplicates) == (0, 6)


@pytest.mark.parametrize("existing", ["append", "replace"])
def test_what_was_made_by_hand_under_another_label_survives_with_all_that_the_file_says(
    folder: Path, existing: str
) -> None:
    before = write_by_hand(folder / "a.json", "leaf", "tree")
    annotate_folder(fake_session(ANSWERS), folder, "coin", existing=existing)  # type: ignore[arg-type]
    after = json.loads((folder / "a.json").read_text(encoding="utf-8"))
    assert after["shapes"][:2] == [{**after["shapes"][0], **by_hand("leaf")}, {**after["shapes"][1], **by_hand("tree")}]
    assert [shape["label"] for shape in after["shapes"]] == ["leaf", "tree", "coin", "coin"]
    assert {key: after[key] for key in before if key != "shapes"} == {k: v for k, v in before.items() if k != "shapes"}


def test_replacing_removes_shapes_of_the_label_asked_for(folder: Path) -> None:
    write_by_hand(folder / "a.json", "coin", "tree")
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin", existing="replace")
    assert [label for label, _ in shapes_of(folder / "a.json")] == ["tree", "coin", "coin"]
    assert (summary.added, summary.removed) == (6, 1)
    annotate_folder(fake_session(ANSWERS), folder, "coin", existing="replace-all")
    assert [label for label, _ in shapes_of(folder / "a.json")] == ["coin", "coin"]


def test_pictures_with_labels_are_left_alone_when_asked_for(folder: Path) -> None:
    write_by_hand(folder / "a.json", "tree")
    before = (folder / "a.json").read_bytes()
    family = FakeFamily(ANSWERS)
    summary = annotate_folder(Sam3Session(family, model="fake"), folder, "coin", existing="skip")
    assert (folder / "a.json").read_bytes() == before
    assert (summary.skipped, summary.finished, family.calls["encode_image"]) == (1, 2, 2)


def test_a_broken_picture_is_told_and_tried_again_alone(folder: Path) -> None:
    whole = (folder / "b.png").read_bytes()
    (folder / "b.png").write_bytes(whole[:40])
    family = FakeFamily(ANSWERS)
    session = Sam3Session(family, model="fake")
    summary = annotate_folder(session, folder, "coin")
    assert [failure.picture for failure in summary.failures] == [folder / "b.png"]
    assert isinstance(summary.failures[0].error, PictureDecodeError)
    assert (summary.finished, family.calls["encode_image"]) == (2, 2)
    assert str(folder / "b.png") in str(summary)
    (folder / "b.png").write_bytes(whole)
    again = annotate_folder(session, folder, "coin")
    assert (again.finished, again.resumed, again.failures, family.calls["encode_image"]) == (3, 2, (), 3)
    assert again.instances == {"coin": 6}


@pytest.mark.parametrize(
    ("fault", "error"), [("{", LabelFileDamagedError), ("size", LabelFileSizeError)], ids=["no JSON", "another size"]
)
def test_a_label_file_that_cannot_be_gone_on_with_is_left_as_it_is(
    folder: Path, fault: str, error: type[Exception]
) -> None:
    if fault == "size":
        write_by_hand(folder / "b.json", "tree", size=(61, 80))
    else:
        (folder / "b.json").write_text(fault)
    before = (folder / "b.json").read_bytes()
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin", existing="replace-all")
    assert [type(failure.error) for failure in summary.failures] == [error]
    assert (folder / "b.json").read_bytes() == before
    assert (folder / "a.json").exists()
    assert (folder / "c.json").exists()


def test_two_pictures_that_would_share_a_label_file_are_refused_before_anything_is_written(folder: Path) -> None:
    paint(folder, "a.jpg")
    with pytest.raises(LabelCollisionError, match=r"a\.jpg and .*a\.png"):
        annotate_folder(fake_session(ANSWERS), folder, "coin")
    assert not list(folder.glob("*.json"))
    assert annotate_folder(fake_session(ANSWERS), folder, "coin", exclude=["*.jpg"]).finished == 3


def test_an_option_of_another_name_is_told_with_those_that_there_are(folder: Path) -> None:
    with pytest.raises(OptionError, match=r"label_format.*boxes.*got 'format'"):
        annotate_folder(fake_session(ANSWERS), folder, "coin", format="coco")  # type: ignore[call-arg]


def test_options_are_checked_before_anything_is_written(folder: Path) -> None:
    session = fake_session(ANSWERS)
    for wrong in ({"label_format": "voc"}, {"mode": "mask"}, {"existing": "keep"}, {"duplicate_iou": 2}, {"nms": 4}):
        with pytest.raises(OptionError):
            annotate_folder(session, folder, "coin", **wrong)
    with pytest.raises(OptionError, match="progress must be a function that takes an AnnotateProgress"):
        annotate_folder(session, folder, "coin", progress=True)  # type: ignore[arg-type]
    assert sorted(content_of(folder)) == ["a.png", "b.png", "c.png"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="whoever may do anything may write here")
def test_a_folder_that_may_not_be_written_to_is_told(folder: Path) -> None:
    folder.chmod(0o500)
    try:
        with pytest.raises(FolderError, match="Permission"):
            annotate_folder(fake_session(ANSWERS), folder, "coin")
    finally:
        folder.chmod(0o700)


def test_a_place_for_labels_that_is_a_file_is_told(folder: Path) -> None:
    with pytest.raises(FolderError, match="writing labels"):
        annotate_folder(fake_session(ANSWERS), folder, "coin", out=folder / "a.png")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_unicode_is_told_and_the_others_go_on(folder: Path) -> None:
    (folder / "a.png").rename(folder / os.fsdecode(b"caf\xe9.png"))
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin")
    assert [type(failure.error) for failure in summary.failures] == [PictureNameError]
    assert summary.finished == 2
    assert r"caf\udce9.png" in str(summary)


def test_a_link_that_leads_nowhere_is_told_and_the_others_go_on(folder: Path) -> None:
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin")
    assert [type(failure.error) for failure in summary.failures] == [PictureMissingError]
    assert summary.finished == 3


def test_labels_on_another_drive_name_the_picture_by_its_whole_path(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_way(*_: object) -> str:
        raise ValueError("path is on mount 'C:', start on mount 'D:'")

    monkeypatch.setattr("os.path.relpath", no_way)
    annotate_folder(fake_session(ANSWERS), folder, "coin", out=tmp_path / "labels")
    assert read_xanylabeling(tmp_path / "labels" / "a.json").image_path == (folder / "a.png").as_posix()
