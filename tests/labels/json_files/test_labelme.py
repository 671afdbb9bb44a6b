"""What labelme opens is written, and its files are read without losing anything."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sam3_onnx import Shape
from sam3_onnx.errors import LabelFileSizeError, LabelFileVersionError, LabelLossWarning, LabelShapeError
from sam3_onnx.labels import LabelFile, Loss, picture_format, read_labelme, write_labelme

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIZE = (60, 80)
SQUARE = np.array([(10, 10), (40, 10), (40, 40), (10, 40)], np.float64)
HOLE = np.array([(20, 20), (30, 20), (30, 30), (20, 30)], np.float64)


def written(path: Path, *shapes: Shape) -> dict[str, Any]:
    write_labelme(path, shapes, image_path="coins.png", image_size=SIZE)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_the_file_has_the_fields_of_labelme(tmp_path: Path) -> None:
    content = written(tmp_path / "coins.json", Shape("coin", "polygon", SQUARE, 0.5, group_id=3))
    assert content == {
        "version": "7.1.0",
        "flags": {},
        "shapes": [
            {
                "label": "coin",
                "points": SQUARE.tolist(),
                "group_id": 3,
                "description": "",
                "shape_type": "polygon",
                "flags": {},
                "mask": None,
                "score": 0.5,
            }
        ],
        "imagePath": "coins.png",
        "imageData": None,
        "imageHeight": 60,
        "imageWidth": 80,
    }


@given(
    mask=arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=20)), x=st.integers(0, 40), y=st.integers(0, 30)
)
@settings(deadline=None, max_examples=50)
def test_a_mask_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, mask: NDArray[np.bool_], x: int, y: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "mask.json"
    height, width = mask.shape
    shape = Shape("coin", "mask", np.array([(x, y), (x + width - 1.0, y + height - 1.0)]), mask=mask)
    (entry,) = written(path, shape)["shapes"]
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(entry["mask"]), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(picture, mask.astype(np.uint8))
    (again,) = read_labelme(path, image_size=SIZE).shapes
    assert again.mask is not None
    np.testing.assert_array_equal(again.mask, mask)
    np.testing.assert_array_equal(again.points, shape.points)
    np.testing.assert_array_equal(again.to_mask(SIZE), shape.to_mask(SIZE))


def test_rectangles_have_two_corners_and_rotated_boxes_four(tmp_path: Path) -> None:
    turned = np.array([(20, 10), (30, 20), (20, 30), (10, 20)], np.float64)
    rectangle, rotation = written(
        tmp_path / "boxes.json",
        Shape("coin", "rectangle", SQUARE[::-1]),
        Shape("coin", "rotation", turned, direction=np.pi / 4),
    )["shapes"]
    assert (rectangle["shape_type"], rectangle["points"]) == ("rectangle", [[10, 10], [40, 40]])
    assert (rotation["shape_type"], rotation["points"]) == ("oriented_rectangle", turned.tolist())


def test_an_untouched_file_keeps_every_field(tmp_path: Path) -> None:
    path = tmp_path / "hand.json"
    text = base64.b64encode(cv2.imencode(".png", np.eye(3, dtype=np.uint8))[1].tobytes()).decode()
    shapes: list[dict[str, object]] = [
        {"label": "a", "points": [[1, 2], [3, 4]], "shape_type": "rectangle", "colour": "red"},
        {"label": "b", "points": [[1, 2], [3, 4]], "shape_type": "line", "flags": {"old": True}},
        {"label": "c", "points": [[1, 2], [3, 4], [5, 6]], "shape_type": "points", "description": "three"},
        {"label": "d", "points": [[1, 2], [3, 4]], "shape_type": "mask", "mask": text},
        {"label": "e", "points": [[1, 2]], "shape_type": "from 2031", "group_id": "g"},
    ]
    common: dict[str, object] = {"group_id": None, "description": "", "flags": {}, "mask": None}
    entries: list[dict[str, object]] = [{**common, **shape} for shape in shapes]
    content: dict[str, object] = {"version": "5.4.1", "flags": {"night": True}, "shapes": entries}
    content |= {"imagePath": "a.png", "imageData": "AAAA", "imageHeight": 60, "imageWidth": 80, "lineColor": [0, 255]}
    path.write_text(json.dumps(content), encoding="utf-8")
    write_labelme(path, read_labelme(path))
    after = json.loads(path.read_text(encoding="utf-8"))
    masks = [entry.pop("mask") for entry in after["shapes"]], [entry.pop("mask") for entry in entries]
    assert after == content
    assert [mask is None for mask in masks[0]] == [mask is None for mask in masks[1]]
    held = read_labelme(path).shapes[3].mask
    assert held is not None
    np.testing.assert_array_equal(held, np.eye(3, dtype=np.bool_))


def test_holes_are_filled_and_that_is_told(tmp_path: Path) -> None:
    ring = Shape("ring", "polygon", SQUARE, holes=(HOLE,))
    path = tmp_path / "ring.json"
    with pytest.warns(LabelLossWarning, match=r"ring\.json does not contain everything: holes were filled \(ring\)$"):
        losses = write_labelme(path, [ring], image_path="a.png", image_size=SIZE)
    assert losses == (Loss("ring", "holes", "filled"),)
    np.testing.assert_array_equal(read_labelme(path).shapes[0].points, SQUARE)


def test_a_seam_keeps_the_area_of_a_polygon_with_holes(tmp_path: Path) -> None:
    ring = Shape("ring", "polygon", SQUARE, holes=(HOLE, HOLE - 8))
    path = tmp_path / "ring.json"
    with pytest.warns(LabelLossWarning, match="joined by seams"):
        write_labelme(path, [ring], image_path="a.png", image_size=SIZE, holes="seam")
    (points,) = (shape.points for shape in read_labelme(path).shapes)
    assert len(points) == 4 + 2 * (4 + 2)
    assert cv2.contourArea(points.astype(np.float32)) == 30 * 30 - 2 * 10 * 10


def test_kinds_that_labelme_refuses_are_turned_or_left_out(tmp_path: Path) -> None:
    shapes = [
        Shape("a", "quadrilateral", SQUARE),
        Shape("b", "cuboid", np.zeros((8, 2))),
        Shape("c", "point", SQUARE[:1]),
    ]
    path = tmp_path / "kinds.json"
    with pytest.warns(LabelLossWarning, match="does not contain everything") as told:
        losses = write_labelme(path, shapes, image_path="a.png", image_size=SIZE)
    assert len(told) == 1
    assert [str(loss) for loss in losses] == ["quadrilateral was written as polygon (a)", "cuboid was left out (b)"]
    assert [shape.shape_type for shape in read_labelme(path).shapes] == ["polygon", "point"]


def test_a_mask_that_is_no_picture_another_size_and_a_newer_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    content = written(path, Shape("coin", "polygon", SQUARE))
    for changes, error in (
        ({"shapes": [{"label": "a", "points": [[1, 2], [3, 4]], "shape_type": "mask", "mask": "xx"}]}, LabelShapeError),
        ({"imageWidth": 81}, LabelFileSizeError),
        ({"version": "8.0.0"}, LabelFileVersionError),
    ):
        path.write_text(json.dumps({**content, **changes}), encoding="utf-8")
        with pytest.raises(error):
            read_labelme(path, image_size=SIZE)


def test_the_parts_of_an_outlined_mask_share_a_group_of_their_own() -> None:
    torn = np.zeros((20, 20), np.bool_)
    torn[:5, :5] = torn[10:, 10:] = True
    corners = np.array([(3.0, 4.0), (22.0, 23.0)])
    shapes = (
        Shape("a", "polygon", SQUARE, group_id=7),
        Shape("b", "mask", corners, mask=torn),
        Shape("c", "mask", corners, mask=torn, group_id=7),
        Shape("d", "mask", corners, mask=torn),
    )
    content, _ = picture_format("xanylabeling").encode(LabelFile(shapes, "a.png", SIZE))
    groups = [(entry["label"], entry["group_id"]) for entry in json.loads(content)["shapes"]]
    assert groups == [("a", 7), ("b", 8), ("b", 8), ("c", 7), ("c", 7), ("d", 9), ("d", 9)]


def test_x_anylabeling_gets_polygons_of_masks_and_of_what_it_does_not_know() -> None:
    mask = np.ones((6, 6), np.bool_)
    mask[2:4, 2:4] = False
    xanylabeling = picture_format("xanylabeling")
    shapes = (
        Shape("coin", "mask", np.array([(3.0, 4.0), (8.0, 9.0)]), mask=mask),
        Shape("box", "oriented_rectangle", SQUARE),
        Shape("ai", "points", SQUARE),
        Shape("dust", "mask", np.array([(3.0, 4.0), (3.0, 4.0)]), mask=mask[:1, :1]),
    )
    content, losses = xanylabeling.encode(LabelFile(shapes, "a.png", SIZE))
    entries = json.loads(content)["shapes"]
    assert [(entry["label"], entry["shape_type"]) for entry in entries] == [("coin", "polygon"), ("box", "rotation")]
    assert sorted(entries[0]["points"]) == [[3, 4], [3, 9], [8, 4], [8, 9]]
    assert [str(loss) for loss in losses] == [
        "mask was outlined by polygons (coin)",
        "holes were filled (coin)",
        "points were left out (ai)",
        "mask without an outline was left out (dust)",
    ]
