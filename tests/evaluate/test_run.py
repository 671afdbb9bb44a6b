"""A model is measured on labels of every format that is read."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx.annotate import annotate_folder
from sam3_onnx.errors import (
    CancelledError,
    LabelError,
    LabelFileDamagedError,
    NoLabelsError,
    NoPicturesError,
    OptionError,
    OutputExistsError,
)
from sam3_onnx.evaluate import evaluate_folder
from sam3_onnx.images import load_image
from sam3_onnx.testing import FakeInstance, fake_session
from tests.support.picture_folders import ANSWERS, folder, write_by_hand

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["folder"]

FORMATS = ("xanylabeling", "labelme", "yolo-detect", "yolo-segment", "yolo-obb", "coco")
LEFT, RIGHT = ANSWERS["coin"]
GHOST = FakeInstance((0.05, 0.6, 0.3, 0.95), score=0.6)


def labelled(folder: Path, label_format: str = "xanylabeling") -> Path:
    """Labels of two coins and a tree in each of three pictures."""
    with fake_session(ANSWERS) as session:
        annotate_folder(session, folder, "coin, tree", label_format=label_format, out=folder / "labels")
    return folder / "labels" / "annotations.json" if label_format == "coco" else folder / "labels"


@pytest.mark.parametrize("label_format", FORMATS)
def test_labels_of_every_format_are_compared(folder: Path, label_format: str) -> None:
    labels = labelled(folder, label_format)
    named = {"label_format": label_format} if label_format.startswith("yolo") else {}
    with fake_session({"coin": [LEFT, GHOST], "tree": ANSWERS["tree"]}) as session:
        found = evaluate_folder(session, labels, folder, **named)  # type: ignore[arg-type]
    coin, tree = (next(word for word in found.words if word.label == label) for label in ("coin", "tree"))
    assert (coin.measures.labelled, coin.measures.found, coin.measures.correct) == (6, 6, 3)
    assert (coin.measures.precision, coin.measures.recall, coin.measures.f1) == (0.5, 0.5, 0.5)
    assert (tree.measures.precision, tree.measures.recall, tree.measures.f1) == (1, 1, 1)
    assert tree.measures.mean_iou is not None
    assert tree.measures.mean_iou > 0.7
    assert (found.total.measures.labelled, found.total.measures.found, found.total.measures.correct) == (9, 9, 6)
    assert [(one.picture.name, one.label, one.score) for one in found.missed] == [
        (name, "coin", None) for name in ("a.png", "b.png", "c.png")
    ]
    assert [(one.label, round(one.score or 0, 3)) for one in found.unlabelled] == [("coin", 0.6)] * 3
    assert found.unlabelled[0].box == pytest.approx((4, 36, 24, 57), abs=1)


def test_the_threshold_that_suits_a_word_is_the_middle_of_those_with_the_highest_f1(folder: Path) -> None:
    labels = labelled(folder)
    with fake_session({"coin": [LEFT, RIGHT, GHOST], "tree": ANSWERS["tree"]}) as session:
        found = evaluate_folder(session, labels, folder)
        asked = session.predict(folder / "a.png", "coin, tree", conf_threshold=found.thresholds)
    assert found.thresholds["coin"] == pytest.approx(0.65, abs=0.011)  # between the ghost and the worse coin
    assert found.words[0].best.f1 == 1
    assert found.words[0].measures.f1 == pytest.approx(0.8)
    assert asked.labels == ["coin", "coin", "tree"]


def test_a_threshold_that_no_other_beats_is_kept(folder: Path) -> None:
    labels = labelled(folder)
    with fake_session({"coin": [LEFT, RIGHT], "tree": ANSWERS["tree"]}) as session:
        told = str(evaluate_folder(session, labels, folder))
    assert "  coin: 0.50, which is in use (F1 1.000; no other does better)" in told
    with fake_session({"coin": [GHOST], "tree": ANSWERS["tree"]}) as session:
        told = str(evaluate_folder(session, labels, folder))
    assert "  coin: none, as no find is an object of the labels" in told


def test_each_word_has_its_own_threshold_where_it_is_asked_for(folder: Path) -> None:
    labels = labelled(folder)
    with fake_session({"coin": [LEFT, RIGHT], "tree": ANSWERS["tree"]}) as session:
        found = evaluate_folder(session, labels, folder, conf_threshold={"coin": 0.8})
    assert [word.measures.recall for word in found.words] == [0.5, 1]
    assert found.total.measures.threshold is None
    assert found.total.measures.correct == 6


def test_prompts_that_differ_from_labels_are_mapped_to_them(folder: Path) -> None:
    labels = labelled(folder)
    with fake_session({"old money": ANSWERS["coin"]}) as session:
        found = evaluate_folder(session, labels, folder, {"old money": "coin"})
    assert [(word.label, word.measures.f1) for word in found.words] == [("coin", 1)]


def test_a_picture_without_labels_is_left_out_and_one_with_an_empty_file_is_not(folder: Path) -> None:
    labels = labelled(folder)
    (labels / "a.json").unlink()
    write_by_hand(labels / "b.json")
    with fake_session(ANSWERS) as session:
        found = evaluate_folder(session, labels, folder)
    assert (found.pictures, found.without_labels) == (2, 1)
    assert (found.total.measures.labelled, found.total.measures.found, found.total.measures.correct) == (3, 6, 3)


def test_a_damaged_label_file_fails_its_picture_alone(folder: Path) -> None:
    labels = labelled(folder)
    (labels / "b.json").write_text('{"shapes": [', encoding="utf-8")
    with fake_session(ANSWERS) as session:
        found = evaluate_folder(session, labels, folder)
    assert {path.name: type(error) for path, error in found.failures.items()} == {"b.png": LabelFileDamagedError}
    assert found.pictures == 2
    assert "b.json" in str(found)


def test_a_region_of_many_objects_is_neither_missed_nor_wrong(folder: Path) -> None:
    path = labelled(folder, "coco")
    content = json.loads(path.read_text(encoding="utf-8"))
    for annotation in content["annotations"]:
        annotation["iscrowd"] = int(annotation["category_id"] == 1)
    path.write_text(json.dumps(content), encoding="utf-8")
    with fake_session(ANSWERS) as session:
        found = evaluate_folder(session, path, folder)
    assert [(word.measures.labelled, word.measures.found) for word in found.words] == [(0, 0), (3, 3)]
    assert found.words[0].ap is None
    assert not found.missed
    assert not found.unlabelled


def test_figures_are_plain_values_and_a_table(folder: Path) -> None:
    labels = labelled(folder)
    with fake_session({"coin": [LEFT, GHOST], "tree": ANSWERS["tree"]}) as session:
        found = evaluate_folder(session, labels, folder)
    content = json.loads(found.to_json())
    assert content["words"][0]["f1"] == 0.5
    assert content["all"]["found"] == 9
    assert content["thresholds"] == found.thresholds
    assert len(content["missed"]) == len(content["unlabelled"]) == 3
    rows = [line.split() for line in found.table().splitlines()]
    assert rows[0][:5] == ["word", "labelled", "threshold", "found", "correct"]
    assert rows[1][:7] == ["coin", "6", "0.50", "6", "3", "0.500", "0.500"]
    assert rows[-1][0] == "all"


def test_the_sheet_shows_what_was_missed_and_what_is_not_in_the_labels(folder: Path, tmp_path: Path) -> None:
    labels = labelled(folder)
    with fake_session({"coin": [LEFT, GHOST], "tree": ANSWERS["tree"]}) as session:
        evaluate_folder(session, labels, folder, sheet=tmp_path / "sheet.png")
    sheet = load_image(tmp_path / "sheet.png")[:-44].astype(int)
    for colour in ((60, 200, 80), (230, 40, 40), (255, 170, 0)):
        assert (np.abs(sheet - colour).sum(axis=2) < 60).any(), colour


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"iou": 0}, "iou must be a number above 0 and at most 1, got 0"),
        ({"iou": float("nan")}, "iou must be"),
        ({"conf_threshold": 50}, "conf_threshold must be a number in 0..1"),
        ({"conf_threshold": {"dog": 0.5}}, "one for each of coin, tree"),
        ({"label_format": "voc"}, "label_format must be one of xanylabeling"),
        ({"progress": True}, "progress must be a function that takes the numbers of pictures done and of all"),
    ],
)
def test_options_out_of_their_range_are_refused(folder: Path, options: dict[str, object], says: str) -> None:
    labels = labelled(folder)
    with fake_session(ANSWERS) as session, pytest.raises(OptionError) as caught:
        evaluate_folder(session, labels, folder, **options)  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_rows_of_yolo_do_not_say_their_format(folder: Path) -> None:
    labels = labelled(folder, "yolo-segment")
    with fake_session(ANSWERS) as session, pytest.raises(OptionError, match="yolo-detect, yolo-segment, yolo-obb"):
        evaluate_folder(session, labels, folder)


def test_labels_that_no_picture_has_are_an_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with fake_session(ANSWERS) as session:
        with pytest.raises(NoLabelsError, match="looked at: 3, with labels: 0"):
            evaluate_folder(session, tmp_path / "empty", folder)
        with pytest.raises(OptionError, match="not there"):
            evaluate_folder(session, tmp_path / "nowhere", folder)


def test_a_place_without_pictures_or_label_files_says_what_to_name(folder: Path, tmp_path: Path) -> None:
    lone = tmp_path / "lone"
    lone.mkdir()
    labelled(folder, "coco").rename(lone / "coco.json")
    with fake_session(ANSWERS) as session:
        with pytest.raises(NoPicturesError, match=r"folder of the labels: if the pictures .* \(pictures, --pictures\)"):
            evaluate_folder(session, lone / "coco.json")
        with pytest.raises(NoLabelsError, match=r"Name the COCO file itself: .*coco\.json"):
            evaluate_folder(session, lone, folder)


def test_a_cancelled_run_ends(folder: Path) -> None:
    labels, cancel = labelled(folder), threading.Event()
    cancel.set()
    with fake_session(ANSWERS) as session, pytest.raises(CancelledError):
        evaluate_folder(session, labels, folder, cancel=cancel)


def test_curves_are_drawn(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    labels = labelled(folder)
    with fake_session({"coin": [LEFT, GHOST], "tree": ANSWERS["tree"]}) as session:
        evaluate_folder(session, labels, folder).plot(tmp_path / "curves.png")
    assert load_image(tmp_path / "curves.png").shape[1] > 600


@pytest.mark.parametrize("label_format", ["png-masks-instance", "yolo-segment"])
def test_labels_of_a_named_format_say_their_words(folder: Path, tmp_path: Path, label_format: str) -> None:
    with fake_session(ANSWERS) as session:
        annotate_folder(session, folder, "coin, tree", label_format=label_format, out=tmp_path / "labels")
        found = evaluate_folder(session, tmp_path / "labels", folder, label_format=label_format)
    assert {word.label: word.measures.f1 for word in found.words} == {"coin": 1, "tree": 1}


def test_maps_of_classes_have_no_instances(folder: Path) -> None:
    with fake_session(ANSWERS) as session, pytest.raises(OptionError, match="png-masks-instance"):
        evaluate_folder(session, labelled(folder), folder, label_format="png-masks")


def test_label_files_none_of_which_can_be_read_are_an_error(folder: Path) -> None:
    labels = labelled(folder, "yolo-detect")
    with fake_session(ANSWERS) as session, pytest.raises(LabelError, match="yolo-segment"):
        evaluate_folder(session, labels, folder, label_format="yolo-segment")


def test_labels_without_a_shape_have_no_words(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    write_by_hand(tmp_path / "labels" / "a.json")
    with fake_session(ANSWERS) as session, pytest.raises(OptionError, match="no shape in the labels"):
        evaluate_folder(session, tmp_path / "labels", folder)


def test_a_sheet_takes_the_place_of_an_earlier_one_and_of_nothing_else(folder: Path, tmp_path: Path) -> None:
    labels, before = labelled(folder), (folder / "a.png").read_bytes()
    with fake_session({"coin": [LEFT, GHOST]}) as session:
        with pytest.raises(OutputExistsError, match="no sheet of an earlier run"):
            evaluate_folder(session, labels, folder, "coin", sheet=folder / "a.png")
        for _ in range(2):
            evaluate_folder(session, labels, folder, "coin", sheet=tmp_path / "sheet.png")
    assert (folder / "a.png").read_bytes() == before
    assert load_image(tmp_path / "sheet.png").shape[1] > 400


def test_a_session_that_is_forgotten_is_named(folder: Path) -> None:
    with pytest.raises(OptionError, match="session must be a Sam3Session, got 'str'"):
        evaluate_folder("labels", folder)  # type: ignore[arg-type]
