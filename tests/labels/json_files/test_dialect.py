"""What a label file says survives a read-modify-write, and what is no label file is refused and left alone."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
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
    LabelFilePermissionError,
    LabelFileSizeError,
    LabelFileVersionError,
    LabelShapeError,
    OptionError,
)
from sam3_onnx.labels import read_labelme, read_xanylabeling, write_labelme, write_xanylabeling

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = (303, 384)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NUMBER = st.integers(-9999, 9999) | st.floats(-1e6, 1e6)
POINTS = st.lists(st.lists(NUMBER, min_size=2, max_size=2), max_size=6)
ENTRY = st.builds(
    lambda known, extra: {**extra, **known},
    st.fixed_dictionaries(
        {
            "label": st.text(),
            "points": POINTS,
            "shape_type": st.sampled_from(["polygon", "point", "line", "circle", "linestrip", "cuboid", "from 2031"]),
            "score": st.none() | NUMBER | JSON | st.just(10**400),
            "group_id": st.none() | st.integers() | JSON,
            "description": JSON,
            "difficult": JSON,
            "flags": JSON,
            "attributes": JSON,
            "kie_linking": JSON,
        },
        optional={"direction": NUMBER | JSON, "locked": st.booleans()},
    ),
    st.dictionaries(st.text(), JSON, max_size=3),
)
FILE = st.builds(
    lambda known, extra: {**extra, **known},
    st.fixed_dictionaries(
        {
            "version": st.sampled_from(["4.0.2", "4.9.0", "2.5.4", "0.3.3"]),
            "flags": JSON,
            "checked": st.booleans(),
            "shapes": st.lists(ENTRY, max_size=4),
            "description": JSON,
            "imagePath": st.text(),
            "imageData": st.none() | st.text(),
            "imageHeight": st.just(SIZE[0]),
            "imageWidth": st.just(SIZE[1]),
        }
    ),
    st.dictionaries(st.text(), JSON, max_size=3),
)
COIN = Shape("coin", "polygon", np.array([(10, 4), (20, 5), (15.5, 30)], np.float64), 0.9375)
PLAIN: dict[str, object] = {"version": "4.0.2", "shapes": [], "imagePath": "coins.png", "imageData": None}
PLAIN |= {"imageHeight": SIZE[0], "imageWidth": SIZE[1]}


@given(content=FILE)
@settings(deadline=None, max_examples=150)
def test_an_untouched_file_is_written_back_with_the_same_meaning(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "untouched.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    file = read_xanylabeling(path, image_size=SIZE)
    write_xanylabeling(path, file)
    assert json.loads(path.read_text(encoding="utf-8")) == content
    assert read_xanylabeling(path) == file


@given(content=FILE)
@settings(deadline=None, max_examples=100)
def test_an_untouched_file_of_labelme_is_written_back_with_the_same_meaning(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    content["version"] = "5.4.1"
    content["shapes"] = [{**shape, "mask": None} for shape in content["shapes"] if shape["shape_type"] != "cuboid"]
    path = tmp_path_factory.getbasetemp() / "labelme.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    assert write_labelme(path, read_labelme(path, image_size=SIZE)) == ()
    assert json.loads(path.read_text(encoding="utf-8")) == content


@given(content=FILE)
@settings(deadline=None, max_examples=50)
def test_what_is_added_stands_beside_what_was_there(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "added.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    file = read_xanylabeling(path)
    write_xanylabeling(path, file.with_shapes([*file.shapes, COIN]))
    after = json.loads(path.read_text(encoding="utf-8"))
    added = after["shapes"].pop()
    assert (added["label"], added["points"]) == ("coin", COIN.points.tolist())
    assert after == content


def test_what_a_changed_shape_leaves_out_is_written_as_the_application_would_take_it(tmp_path: Path) -> None:
    path = tmp_path / "short.json"
    entry = {"label": "car", "points": [[1, 2], [3, 2], [3, 4], [1, 4]], "shape_type": "rotation"}
    path.write_text(json.dumps({**PLAIN, "shapes": [entry, entry]}), encoding="utf-8")
    file = read_xanylabeling(path)
    write_xanylabeling(path, file.with_shapes([file.shapes[0], replace(file.shapes[1], label="bus")]))
    untouched, after = json.loads(path.read_text(encoding="utf-8"))["shapes"]
    assert untouched == entry
    assert "direction" not in after
    assert after | entry | {"label": "bus"} == after
    assert (after["flags"], after["attributes"], after["difficult"], after["score"]) == ({}, {}, False, None)


@pytest.mark.parametrize("points", [[[1, 2], [5, 9]], [[1, 2], [5, 2], [5, 9], [1, 9]]])
def test_rectangles_of_two_and_of_four_corners_stay_what_they_are(tmp_path: Path, points: list[list[int]]) -> None:
    path = tmp_path / "rectangle.json"
    entry = {"label": "car", "points": points, "shape_type": "rectangle"}
    path.write_text(json.dumps({**PLAIN, "shapes": [entry]}), encoding="utf-8")
    write_xanylabeling(path, read_xanylabeling(path))
    assert json.loads(path.read_text(encoding="utf-8"))["shapes"][0]["points"] == points


def test_open_and_closed_rings_are_read_and_stay_what_they_are(tmp_path: Path) -> None:
    ring = [[1.0, 2.0], [5.0, 2.0], [5.0, 9.0]]
    masks = []
    for points in (ring, [*ring, ring[0]]):
        path = tmp_path / "ring.json"
        entry = {"label": "car", "points": points, "shape_type": "polygon"}
        path.write_text(json.dumps({**PLAIN, "shapes": [entry]}), encoding="utf-8")
        file = read_xanylabeling(path)
        mask = file.shapes[0].to_mask(SIZE)
        assert mask is not None
        masks.append(mask)
        write_xanylabeling(path, file)
        assert json.loads(path.read_text(encoding="utf-8"))["shapes"][0]["points"] == points
    np.testing.assert_array_equal(masks[0], masks[1])


def test_a_byte_order_mark_is_no_part_of_the_json(tmp_path: Path) -> None:
    path = tmp_path / "windows.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(PLAIN).encode())
    assert read_xanylabeling(path).shapes == ()


def test_half_a_surrogate_pair_survives(tmp_path: Path) -> None:
    path = tmp_path / "half.json"
    path.write_text(json.dumps({**PLAIN, "description": "\ud83d"}), encoding="utf-8")
    write_xanylabeling(path, read_xanylabeling(path))
    assert json.loads(path.read_text(encoding="utf-8"))["description"] == "\ud83d"


def test_a_size_that_the_file_does_not_say_is_the_pictures(tmp_path: Path) -> None:
    path = tmp_path / "unsaid.json"
    path.write_text(json.dumps({**PLAIN, "imageHeight": None, "imageWidth": None}), encoding="utf-8")
    assert read_xanylabeling(path, image_size=SIZE).image_size == SIZE
    with pytest.raises(LabelFileKindError, match="image_size"):
        read_xanylabeling(path)


def entry(**changes: object) -> str:
    shape = {"label": "car", "points": [[1, 2], [3, 2], [3, 4]], "shape_type": "polygon", **changes}
    return json.dumps({**PLAIN, "shapes": [shape]})


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        ("", LabelFileDamagedError, "an empty file"),
        ('{"shapes": [', LabelFileDamagedError, "JSON in UTF-8"),
        (entry(score=float("nan")), LabelFileDamagedError, "NaN"),
        ('{"shapes": [], "imagePath": "a", "x": 1e999}', LabelFileDamagedError, "1e999"),
        ("[" * 100_000, LabelFileDamagedError, "JSON"),
        ("[]", LabelFileKindError, "a list"),
        ('{"images": [], "annotations": []}', LabelFileKindError, "annotations, images"),
        (json.dumps({**PLAIN, "imageWidth": 383}), LabelFileSizeError, "384 x 303 pixels, got 383 x 303"),
        (
            json.dumps({**PLAIN, "version": "5.0.0", "checked": True}),
            LabelFileVersionError,
            "X-AnyLabeling 4 or older, got 5.0.0",
        ),
        (entry(points=[[1, 2], [3, "4"]]), LabelShapeError, "shape 0: expected points"),
        (entry(points=[[1, 2, 3]]), LabelShapeError, "shape 0: expected points"),
        (entry(points=[[1, 10**400]]), LabelShapeError, "finite"),
        (entry(points=None), LabelShapeError, "shape 0"),
        (entry(label=None), LabelShapeError, "label"),
        (json.dumps({**PLAIN, "shapes": [3]}), LabelShapeError, "an object"),
    ],
)
def test_what_is_no_label_file_of_this_picture_is_refused_and_left_alone(
    tmp_path: Path, content: str, error: type[LabelError], says: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(error, match=says) as refused:
        read_xanylabeling(path, image_size=SIZE)
    assert isinstance(refused.value, ValueError)
    assert str(path) in str(refused.value)
    assert path.read_text(encoding="utf-8") == content


def test_another_encoding_than_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gbk.json"
    path.write_bytes(json.dumps({**PLAIN, "description": "硬币"}, ensure_ascii=False).encode("gbk"))
    with pytest.raises(LabelFileDamagedError, match="utf-8"):
        read_xanylabeling(path)


def refuse(*_: object) -> bool:
    return False


def denied(*_: object) -> None:
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize(("owner", "name", "stand_in"), [(os, "access", refuse), (Path, "open", denied)])
def test_a_file_that_may_not_be_written_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, stand_in: Callable[..., object]
) -> None:
    path = tmp_path / "coins.json"
    path.write_text("older", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, stand_in)
        with pytest.raises(LabelFilePermissionError, match="write to") as refused:
            write_xanylabeling(path, [COIN], image_path="coins.png", image_size=SIZE)
    assert isinstance(refused.value, PermissionError)
    assert path.read_text(encoding="utf-8") == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_knows_its_picture_and_shapes_do_not(tmp_path: Path) -> None:
    path = tmp_path / "coins.json"
    with pytest.raises(OptionError, match="image_path"):
        write_xanylabeling(path, [COIN])
    write_xanylabeling(path, [COIN], image_path="coins.png", image_size=SIZE)
    file = read_xanylabeling(path)
    assert file.shapes == (COIN.__class__(**{**vars(COIN), "extra": file.shapes[0].extra}),)
    with pytest.raises(OptionError, match="LabelFile"):
        write_xanylabeling(path, file, image_path="other.png")
