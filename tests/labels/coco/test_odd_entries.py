"""An entry of a COCO file that makes no sense stands in the way of its own picture, and stays in the file as it is."""

from __future__ import annotations

import copy
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Shape
from sam3_onnx.errors import LabelError, LabelShapeError, MaskError
from sam3_onnx.geometry import rle_to_mask
from sam3_onnx.labels import CocoDataset

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (40, 60)
BOX = Shape("coin", "rectangle", np.array([(1.0, 1.0), (9.0, 9.0)]))
GOOD: dict[str, Any] = {
    "id": 3,
    "image_id": 1,
    "category_id": 1,
    "bbox": [1, 2, 3, 4],
    "segmentation": [[1, 2, 9, 2, 9, 8]],
    "score": 0.5,
    "iscrowd": 0,
    "keypoints": [1, 2, 2],
}
FILE: dict[str, Any] = {
    "images": [
        {"id": 1, "file_name": "a.png", "height": 40, "width": 60},
        {"id": 2, "file_name": "b.png", "height": 40, "width": 60},
    ],
    "annotations": [GOOD, {**GOOD, "id": 4, "image_id": 2}],
    "categories": [{"id": 1, "name": "coin"}],
}
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, -(10**400), 1e300, {"size": [40, 60], "counts": [2400]}, {"size": [60, 40]}, "\ud83d"]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text() | st.just("counts"), inner, max_size=3),
    max_leaves=8,
)


def same(mine: object, theirs: object) -> bool:
    """Whether two JSON values are written alike, NaN among them."""
    return json.dumps(mine) == json.dumps(theirs)


def read(path: Path, content: object) -> CocoDataset:
    path.write_text(json.dumps(content), encoding="utf-8")
    return CocoDataset.read(path)


@given(field=st.sampled_from(sorted(GOOD)), value=ANYTHING)
@settings(deadline=None, max_examples=300)
def test_any_value_in_an_annotation_gives_shapes_or_a_label_error(
    tmp_path_factory: pytest.TempPathFactory, field: str, value: object
) -> None:
    content = copy.deepcopy(FILE)
    content["annotations"][0][field] = value
    dataset = read(tmp_path_factory.getbasetemp() / "odd.json", content)
    try:
        for shape in dataset.shapes("a.png"):
            shape.to_mask(SIZE)
    except LabelError:
        pass
    assert dataset.shapes("b.png")
    dataset.add("c.png", [BOX], image_size=SIZE)
    after = json.loads(dataset.encode())
    assert same(after["annotations"][:2], content["annotations"])


@given(entries=st.sampled_from(["images", "categories", "annotations"]), value=ANYTHING, field=st.text())
@settings(deadline=None, max_examples=200)
def test_any_entry_is_kept_and_the_others_are_read(
    tmp_path_factory: pytest.TempPathFactory, entries: str, value: object, field: str
) -> None:
    for odd in (value, {field: value}, {"id": value}, {"id": 9, "file_name": value, "name": value}):
        content = copy.deepcopy(FILE)
        content[entries].append(odd)
        dataset = read(tmp_path_factory.getbasetemp() / "entry.json", content)
        dataset.add("c.png", [BOX], image_size=SIZE)
        assert len(dataset.shapes("c.png")) == 1
        assert same(json.loads(dataset.encode())[entries][: len(content[entries])], content[entries])


@pytest.mark.parametrize(
    "fields",
    [
        {"segmentation": [[]]},
        {"segmentation": [[1, 2, 3]]},
        {"segmentation": [[True, 2, 3, 4, 5, 6]]},
        {"segmentation": [[math.nan, 2, 3, 4, 5, 6]]},
        {"segmentation": [[10**400, 2, 3, 4, 5, 6]]},
        {"segmentation": "text"},
        {"segmentation": {"size": [60, 40], "counts": [2400]}},
        {"segmentation": {"size": [60000, 60000], "counts": [3600000000]}},
        {"segmentation": {"size": [40, 60], "counts": "\ud83d"}},
        {"segmentation": {"size": [40, 60], "counts": [2400, 10**400]}},
        {"segmentation": {"size": [40, 60], "counts": [True, 2399]}},
        {"segmentation": [], "bbox": [1, 2, -3, 4]},
        {"segmentation": None, "bbox": [1, 2, 10**400, 4]},
        {"category_id": None},
        {"category_id": [1]},
        {"category_id": 77},
    ],
)
def test_a_senseless_annotation_is_refused_with_file_and_number(tmp_path: Path, fields: dict[str, object]) -> None:
    content = copy.deepcopy(FILE)
    content["annotations"][0].update(fields)
    dataset = read(tmp_path / "odd.json", content)
    with pytest.raises(LabelShapeError, match=r"odd\.json, annotation 3: expected"):
        dataset.shapes("a.png")
    assert len(dataset.shapes("b.png")) == 1


@pytest.mark.parametrize(
    "images",
    [
        [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}, {"id": 3, "file_name": "a.png"}],
        [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}, {"id": 1, "file_name": "c.png"}],
        [{"id": None, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        [{"file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
    ],
)
def test_a_picture_whose_annotations_are_not_clear_is_refused_alone(tmp_path: Path, images: list[object]) -> None:
    dataset = read(tmp_path / "odd.json", {**FILE, "images": images})
    with pytest.raises(LabelShapeError, match=r"picture a\.png: expected one entry"):
        dataset.shapes("a.png")
    with pytest.raises(LabelShapeError, match=r"picture a\.png"):
        dataset.add("a.png", [BOX], image_size=SIZE)
    assert len(dataset.shapes("b.png")) == 1
    assert json.loads(dataset.encode()) == {**FILE, "images": images}


def test_a_number_with_two_names_is_no_category(tmp_path: Path) -> None:
    content = copy.deepcopy(FILE)
    content["categories"] += [{"id": 2, "name": "dog"}, {"id": 2, "name": "cat"}]
    content["annotations"][0]["category_id"] = 2
    dataset = read(tmp_path / "odd.json", content)
    with pytest.raises(LabelShapeError, match="2 names"):
        dataset.shapes("a.png")
    dataset.add("b.png", [Shape("cat", "rectangle", BOX.points)], image_size=SIZE)
    assert json.loads(dataset.encode())["categories"][-1] == {"id": 3, "name": "cat", "supercategory": ""}


def test_what_is_new_never_adopts_what_names_no_entry(tmp_path: Path) -> None:
    content = copy.deepcopy(FILE)
    content["annotations"].append({**GOOD, "id": 10**400, "image_id": 3, "category_id": 2})
    dataset = read(tmp_path / "orphan.json", content)
    dataset.add("c.png", [Shape("dog", "rectangle", BOX.points)], image_size=SIZE)
    after = json.loads(dataset.encode())
    assert (after["images"][-1]["id"], after["categories"][-1]["id"], after["annotations"][-1]["id"]) == (4, 3, 5)


def test_numbers_that_are_handed_on_are_those_that_nobody_has(tmp_path: Path) -> None:
    content = copy.deepcopy(FILE)
    content["annotations"] = [{**GOOD, "id": 4}, {**GOOD, "id": 4, "image_id": 2}, {**GOOD, "id": [1]}]
    dataset = read(tmp_path / "twice.json", content)
    dataset.add("a.png", [BOX, BOX], image_size=SIZE, replace=True)
    assert [row["id"] for row in json.loads(dataset.encode())["annotations"]] == [5, 6, 4]


def test_run_lengths_that_claim_too_much_are_refused_unless_asked_for() -> None:
    rle = {"size": [60_000, 60_000], "counts": [3_600_000_000]}
    with pytest.raises(MaskError, match="60000 x 60000"):
        rle_to_mask(rle)
    with pytest.raises(MaskError, match="at most 5 pixels"):
        rle_to_mask({"size": [2, 3], "counts": [6]}, max_pixels=5)
    assert not rle_to_mask({"size": [2, 3], "counts": [6]}, max_pixels=None).any()
