"""What a new user does by mistake is refused with a word on what to do, and nothing is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Instance, Shape
from sam3_onnx.errors import LabelError, LabelFileKindError, LabelFolderMissingError, LabelLossWarning, OptionError
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.labels import (
    CocoDataset,
    LabelFile,
    coco_picture,
    picture_format,
    read_labelme,
    read_xanylabeling,
    write_label_file,
    write_labelme,
    write_xanylabeling,
    write_yolo,
)
from sam3_onnx.results import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = (40, 60)
COIN = Shape("coin", "polygon", np.array([(10, 10), (30, 10), (30, 30)], np.float64))
RESULT = Segmentation(
    (Instance("coin", "coin", 0.5, np.array([0, 0, 1, 1], np.float32), PackedMask.pack(np.ones(SIZE, np.bool_))),), SIZE
)
ENTRY: dict[str, object] = {"label": "coin", "points": [[1, 2], [3, 2], [3, 4]], "shape_type": "polygon"}
SIZES: dict[str, object] = {"imagePath": "a.png", "imageData": None, "imageHeight": 40, "imageWidth": 60}


def put(path: Path, *entries: dict[str, object], **fields: object) -> Path:
    path.write_text(json.dumps({**SIZES, "shapes": entries, **fields}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ({"mask": None}, {"version": "7.1.0"}),
        ({}, {"version": "5.0.1"}),
        ({"mask": None}, {}),
        ({"mask": None, "difficult": False}, {"version": "7.1.0", "checked": False}),
    ],
)
def test_a_file_of_labelme_is_refused_as_one_of_x_anylabeling(
    tmp_path: Path, entry: dict[str, object], fields: dict[str, object]
) -> None:
    path = put(tmp_path / "a.json", ENTRY | entry, **fields)
    with pytest.raises(LabelFileKindError, match=r"a label file of labelme.*read_labelme.*--format labelme"):
        read_xanylabeling(path)
    assert len(read_labelme(path).shapes) == 1


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ({}, {"version": "4.0.2", "checked": False}),
        ({"kie_linking": []}, {"version": "2.4.1"}),
        ({"difficult": False, "mask": None}, {"version": "3.0.0"}),
        ({"attributes": {}}, {}),
    ],
)
def test_a_file_of_x_anylabeling_is_refused_as_one_of_labelme(
    tmp_path: Path, entry: dict[str, object], fields: dict[str, object]
) -> None:
    path = put(tmp_path / "a.json", ENTRY | entry, **fields)
    with pytest.raises(LabelFileKindError, match=r"file of X-AnyLabeling.*read_xanylabeling.*--format xanylabeling"):
        read_labelme(path)
    assert len(read_xanylabeling(path).shapes) == 1


@pytest.mark.parametrize("fields", [{}, {"version": "4.5.6"}, {"version": "3.16.7", "flags": {}}])
def test_a_file_that_may_be_of_either_is_read_by_both(tmp_path: Path, fields: dict[str, object]) -> None:
    path = put(tmp_path / "a.json", ENTRY, **fields)
    assert read_labelme(path).shapes == read_xanylabeling(path).shapes


def test_a_file_that_is_carried_over_belongs_to_the_other_program(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_xanylabeling(path, [COIN], image_path="a.png", image_size=SIZE)
    write_labelme(path, read_xanylabeling(path))
    assert json.loads(path.read_text(encoding="utf-8"))["version"] == "7.1.0"
    with pytest.raises(LabelFileKindError, match="labelme"):
        read_xanylabeling(path)
    write_xanylabeling(path, read_labelme(path))
    assert read_xanylabeling(path).shapes[0].label == "coin"
    with pytest.raises(LabelFileKindError, match="X-AnyLabeling"):
        read_labelme(path)


@pytest.mark.parametrize("given", [RESULT, RESULT.instances, COIN, None])
def test_what_is_no_list_of_shapes_is_refused_with_what_to_pass(tmp_path: Path, given: object) -> None:
    says = r'result\.shapes\("polygon"\)'
    for write in (write_xanylabeling, write_labelme):
        with pytest.raises(OptionError, match=says):
            write(tmp_path / "a.json", given, image_path="a.png", image_size=SIZE)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=says):
        write_yolo(tmp_path / "a.txt", given, task="detect", image_size=SIZE)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=says):
        write_label_file(tmp_path / "a.json", given, picture_format("labelme"))  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=says):
        LabelFile(given, "a.png", SIZE)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nodir" / "x.json"
    file = LabelFile((COIN,), "a.png", SIZE)
    says = r"x\.json cannot be written: expected the folder .*nodir, which does not exist"
    for write in (write_xanylabeling, write_labelme):
        with pytest.raises(LabelFolderMissingError, match=says):
            write(path, file)
    with pytest.raises(LabelFolderMissingError, match=says):
        write_yolo(path, file, task="segment", classes=tmp_path / "classes.txt")
    with pytest.raises(FileNotFoundError, match=says):
        write_label_file(path, file, picture_format("labelme"))
    with pytest.raises(LabelError, match=says):
        CocoDataset().write(path)
    assert list(tmp_path.iterdir()) == []


def test_coco_takes_a_label_file_with_its_size() -> None:
    dataset = CocoDataset()
    with pytest.warns(LabelLossWarning, match=r"fields checked were left out \(the file\)"):
        dataset.add("a.png", LabelFile((COIN, COIN), "a.png", SIZE, {"version": "4.0.2", "checked": True}))
    assert len(dataset.shapes("a.png")) == 2
    dataset.require_size("a.png", SIZE)
    assert repr(dataset) == "<CocoDataset of 1 pictures, 2 annotations, 1 categories>"
    with pytest.raises(OptionError, match="image_size"):
        dataset.add("b.png", LabelFile((COIN,), "b.png", SIZE), image_size=(1, 1))


WIDE = Shape("coin", "polygon", np.array([[2.0, 2.0], [80.0, 2.0], [80.0, 50.0]]))


@pytest.mark.parametrize(
    "write",
    [
        lambda folder, size: write_xanylabeling(folder / "a.json", [WIDE], image_path="a.png", image_size=size),
        lambda folder, size: write_labelme(folder / "a.json", [WIDE], image_path="a.png", image_size=size),
        lambda folder, size: write_yolo(folder / "a.txt", [WIDE], task="segment", image_size=size),
        lambda _, size: coco_picture("a.png", [WIDE], image_size=size),
    ],
    ids=["xanylabeling", "labelme", "yolo", "coco"],
)
def test_a_size_with_height_and_width_exchanged_is_refused(
    tmp_path: Path, write: Callable[[Path, object], object]
) -> None:
    with pytest.raises(OptionError, match=r"Did you mean \(60, 90\)\? The height comes first") as caught:
        write(tmp_path, (90, 60))
    assert "points as far as x 80, y 50" in str(caught.value)
    for size in (60, "6090", (60,), (60.5, 90), (0, 90), (True, 90)):
        with pytest.raises(OptionError, match="image_size must be the height and width"):
            write(tmp_path, size)
    assert list(tmp_path.iterdir()) == []
    write(tmp_path, (60, 90))


def test_a_format_of_one_file_for_all_pictures_is_answered_with_its_class() -> None:
    with pytest.raises(OptionError, match=r"For COCO, .*use sam3_onnx\.labels\.CocoDataset"):
        picture_format("coco")
