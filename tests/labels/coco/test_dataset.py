"""A COCO file grows picture by picture, and what is in it already stays what it was."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Shape
from sam3_onnx.errors import (
    LabelError,
    LabelFileDamagedError,
    LabelFileKindError,
    LabelFileSizeError,
    LabelLossWarning,
    LabelShapeError,
    OptionError,
)
from sam3_onnx.labels import CocoDataset, coco_picture
from tests.support.coco import RING, SIZE, SQUARE, TORN, result

if TYPE_CHECKING:
    from pathlib import Path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.text(), JSON, max_size=3)


def content(dataset: CocoDataset) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(dataset.encode())
    return parsed


def test_what_is_added_is_numbered_and_read_back(tmp_path: Path) -> None:
    dataset = CocoDataset()
    dataset.add_labels(["dog", "coin"])
    assert dataset.add("a.png", result(RING, TORN)) == ()
    with pytest.warns(LabelLossWarning, match=r"b\.png does not contain everything: holes were filled \(coin\)"):
        dataset.add("b.png", result(RING, TORN), segmentation="polygons", epsilon=0)
    dataset.add("c.png", [Shape("cat", "rectangle", SQUARE)], image_size=SIZE)
    written = content(dataset)
    assert [image["id"] for image in written["images"]] == [1, 2, 3]
    assert [row["id"] for row in written["annotations"]] == [1, 2, 3, 4, 5]
    assert [(entry["id"], entry["name"]) for entry in written["categories"]] == [(1, "dog"), (2, "coin"), (3, "cat")]
    assert written["images"][0] == {"id": 1, "file_name": "a.png", "width": 60, "height": 40}
    dataset.write(tmp_path / "coco.json")
    again = CocoDataset.read(tmp_path / "coco.json")
    assert again.file_names == ("a.png", "b.png", "c.png")
    assert again.labels == ("dog", "coin", "cat")
    ring, torn = again.shapes("a.png")
    np.testing.assert_array_equal(ring.to_mask(SIZE), RING)
    np.testing.assert_array_equal(torn.to_mask(SIZE), TORN)
    assert (ring.shape_type, ring.label, ring.score) == ("mask", "coin", 0.5)
    _, *parts = again.shapes("b.png")
    assert [(part.shape_type, part.group_id) for part in parts] == [("polygon", 1), ("polygon", 1)]
    assert again.shapes("nowhere.png") == ()
    assert again.encode() == dataset.encode()


def test_the_same_steps_give_the_same_bytes_and_replacing_by_the_same_changes_nothing() -> None:
    def made() -> CocoDataset:
        dataset = CocoDataset()
        dataset.add("a.png", result(RING, TORN))
        dataset.add("b.png", result(TORN, label="dog"))
        return dataset

    dataset = made()
    before = dataset.encode()
    assert made().encode() == before
    dataset.add("a.png", result(RING, TORN), replace=True)
    assert dataset.encode() == before
    dataset.add("a.png", result(TORN), replace=True)
    assert [(row["id"], row["image_id"]) for row in content(dataset)["annotations"]] == [(1, 1), (3, 2)]
    dataset.add("a.png", result(RING))
    assert [(row["id"], row["image_id"]) for row in content(dataset)["annotations"]] == [(1, 1), (3, 2), (4, 1)]


def test_rows_can_wait_as_json_and_be_added_in_any_process() -> None:
    directly, later = CocoDataset(), CocoDataset()
    for name, found in (("a.png", result(RING)), ("b.png", result(TORN, RING))):
        directly.add(name, found)
        later.add_rows(json.loads(json.dumps(coco_picture(name, found)[0])))
    assert directly.encode() == later.encode()


FOREIGN: dict[str, Any] = {
    "info": {"year": 2017},
    "licenses": [{"id": 1}],
    "images": [
        {"id": 397, "file_name": "a.png", "height": 40, "width": 60, "coco_url": "x"},
        {"id": 12, "file_name": "b.png", "height": 40, "width": 60},
    ],
    "annotations": [
        {"id": 900, "image_id": 12, "category_id": 18, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0, "note": "hand"},
        {"id": 7, "image_id": 397, "category_id": 18, "bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 4, 2, 4, 6]]},
        {"id": 8, "image_id": 12, "category_id": 90, "segmentation": {"size": [40, 60], "counts": [5, 10, 2385]}},
    ],
    "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 90, "name": "coin"}],
}


@given(top=FIELDS, image=FIELDS, annotation=FIELDS, category=FIELDS)
@settings(deadline=None, max_examples=60)
def test_every_field_of_an_untouched_file_survives(
    tmp_path_factory: pytest.TempPathFactory,
    top: dict[str, Any],
    image: dict[str, Any],
    annotation: dict[str, Any],
    category: dict[str, Any],
) -> None:
    foreign = {**top, **copy.deepcopy(FOREIGN)}
    for name, fields in (("images", image), ("annotations", annotation), ("categories", category)):
        foreign[name][0] = {**fields, **foreign[name][0]}
    path = tmp_path_factory.getbasetemp() / "foreign.json"
    path.write_text(json.dumps(foreign), encoding="utf-8")
    dataset = CocoDataset.read(path)
    assert content(dataset) == foreign
    dataset.add("c.png", result(RING))
    after = content(dataset)
    assert after["images"].pop() == {"id": 398, "file_name": "c.png", "width": 60, "height": 40}
    assert after["annotations"].pop()["id"] == 901
    assert after == foreign


def test_numbers_of_what_stays_are_stable_and_categories_are_merged_by_name(tmp_path: Path) -> None:
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(FOREIGN), encoding="utf-8")
    dataset = CocoDataset.read(path)
    dataset.add(
        "b.png", [*result(RING).shapes("mask"), Shape("cat", "rectangle", SQUARE)], image_size=SIZE, replace=True
    )
    after = content(dataset)
    assert [(row["id"], row["image_id"], row["category_id"]) for row in after["annotations"]] == [
        (900, 12, 90),
        (8, 12, 91),
        (7, 397, 18),
    ]
    assert after["categories"] == [*FOREIGN["categories"], {"id": 91, "name": "cat", "supercategory": ""}]
    assert after["images"] == FOREIGN["images"]


def test_boxes_polygons_and_uncompressed_runs_of_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(FOREIGN), encoding="utf-8")
    dataset = CocoDataset.read(path)
    box, runs = dataset.shapes("b.png")
    assert (box.shape_type, box.label, box.extra) == ("rectangle", "dog", {"note": "hand"})
    np.testing.assert_array_equal(box.points, [(1, 2), (4, 2), (4, 6), (1, 6)])
    mask = runs.to_mask(SIZE)
    assert mask is not None
    assert mask.sum() == 10
    assert mask[5:15, 0].all()
    (polygon,) = dataset.shapes("a.png")
    np.testing.assert_array_equal(polygon.points, [(1, 2), (4, 2), (4, 6)])


def changed(entries: str, /, **fields: object) -> str:
    foreign = copy.deepcopy(FOREIGN)
    foreign[entries][-1].update(fields)
    return json.dumps(foreign)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ('{"images": [', LabelFileDamagedError, "JSON"),
        ("[]", LabelFileKindError, "a list"),
        ('{"version": "4.0.2", "shapes": []}', LabelFileKindError, "shapes, version"),
        ('{"images": [], "annotations": {}, "categories": []}', LabelFileKindError, "lists"),
        ('{"images": [], "images": [1], "annotations": [], "categories": []}', LabelFileDamagedError, "two values"),
    ],
)
def test_what_is_no_coco_file_is_refused(tmp_path: Path, text: str, error: type[LabelError], says: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=says):
        CocoDataset.read(path)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "fields",
    [
        {"category_id": 5},
        {"segmentation": {"size": [40, 60], "counts": [5, 10]}},
        {"segmentation": {"size": [40, 61], "counts": [5, 2435]}},
        {"segmentation": [[1, 2, 3]]},
        {"segmentation": [["a", 2]]},
        {"segmentation": [], "bbox": [1, 2]},
        {"segmentation": None, "bbox": None},
    ],
)
def test_an_annotation_that_cannot_be_understood_is_named_and_kept(tmp_path: Path, fields: dict[str, object]) -> None:
    path = tmp_path / "odd.json"
    path.write_text(changed("annotations", **fields), encoding="utf-8")
    dataset = CocoDataset.read(path)
    with pytest.raises(LabelShapeError, match="annotation 8"):
        dataset.shapes("b.png")
    assert len(dataset.shapes("a.png")) == 1
    assert content(dataset) == json.loads(path.read_text(encoding="utf-8"))


def test_another_size_and_wrong_options_are_refused_and_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(FOREIGN), encoding="utf-8")
    dataset = CocoDataset.read(path)
    with pytest.raises(LabelFileSizeError, match="61 x 40 pixels, got 60 x 40"):
        dataset.add("a.png", [Shape("cat", "rectangle", SQUARE)], image_size=(40, 61))
    with pytest.raises(OptionError, match="image_size"):
        dataset.add("a.png", [])
    with pytest.raises(OptionError, match="segmentation"):
        coco_picture("a.png", result(RING), segmentation="bitmap")  # type: ignore[arg-type]
    assert content(dataset) == FOREIGN


def test_only_annotations_of_the_labels_named_give_way() -> None:
    dataset = CocoDataset()
    coin, tree = (Shape(label, "rectangle", np.array([(1.0, 1.0), (5.0, 6.0)])) for label in ("coin", "tree"))
    dataset.add("a.png", [coin, tree, coin], image_size=(20, 30))
    rows, _ = coco_picture("a.png", [coin], image_size=(20, 30))
    assert dataset.add_rows(rows, replace=["coin"]) == 2
    assert sorted(shape.label for shape in dataset.shapes("a.png")) == ["coin", "tree"]
    once = dataset.encode()
    assert dataset.add_rows(rows, replace=["coin"]) == 1
    assert dataset.encode() == once
    with pytest.raises(OptionError, match=r"such as \[label\]"):
        dataset.add_rows(rows, replace="coin")
