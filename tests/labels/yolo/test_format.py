"""What YOLO trains from is written line by line, with classes whose numbers never move."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Shape
from sam3_onnx.errors import (
    LabelFileDamagedError,
    LabelFileKindError,
    LabelLossWarning,
    LabelNameError,
    LabelShapeError,
    OptionError,
)
from sam3_onnx.labels import LabelFile, Loss, picture_format, read_classes, read_yolo, write_yolo

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.labels import YoloTask

SIZE = (100, 200)
SQUARE = np.array([(20, 10), (60, 10), (60, 50), (20, 50)], np.float64)
HOLE = np.array([(30, 20), (40, 20), (40, 30), (30, 30)], np.float64)
RECTANGLE = Shape("car", "rectangle", SQUARE)
COORDINATE = st.integers(0, 99)
VERTICES = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=9, unique=True)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_a_detection_is_centre_and_size_in_shares_of_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert write_yolo(path, [RECTANGLE], task="detect", image_size=SIZE) == ()
    assert lines(path) == ["0 0.2 0.3 0.2 0.4"]
    assert (tmp_path / "classes.txt").read_bytes() == b"car\n"
    file = read_yolo(path, task="detect", image_size=SIZE)
    assert file.shapes == (RECTANGLE,)


def test_numbers_of_classes_never_move_and_new_ones_come_last(tmp_path: Path) -> None:
    names = tmp_path / "classes.txt"
    names.write_bytes("person\n\n车\n".encode())
    car = Shape("car", "rectangle", SQUARE)
    write_yolo(tmp_path / "a.txt", [car, Shape("车", "rectangle", SQUARE)], task="detect", image_size=SIZE)
    assert read_classes(names) == ("person", "", "车", "car")
    assert [line.split()[0] for line in lines(tmp_path / "a.txt")] == ["3", "2"]
    write_yolo(tmp_path / "b.txt", [Shape("bus", "rectangle", SQUARE), car], task="detect", image_size=SIZE)
    assert read_classes(names) == ("person", "", "车", "car", "bus")
    assert [shape.label for shape in read_yolo(tmp_path / "a.txt", task="detect", image_size=SIZE).shapes] == [
        "car",
        "车",
    ]


def test_a_format_is_a_value_that_grows_by_labels(tmp_path: Path) -> None:
    empty = picture_format("yolo-segment", folder=tmp_path)
    grown = empty.with_labels(["b", "a", "b"]).with_labels(["a", "c"])
    assert grown.shared_files() == {"classes.txt": b"b\na\nc\n"}
    assert empty.shared_files() == {"classes.txt": b""}
    for name, content in grown.shared_files().items():
        (tmp_path / name).write_bytes(content)
    assert picture_format("yolo-segment", folder=tmp_path) == grown
    with pytest.raises(LabelNameError, match="with_labels"):
        grown.encode(LabelFile((RECTANGLE,), "", SIZE))


@given(points=VERTICES)
@settings(deadline=None, max_examples=60)
def test_polygons_come_back_to_the_pixel(
    tmp_path_factory: pytest.TempPathFactory, points: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("polygons") / "a.txt"
    polygon = Shape("car", "polygon", np.array(points, np.float64))
    for size in ((100, 200), (303, 384), (3000, 4001)):
        assert write_yolo(path, [polygon], task="segment", image_size=size) == ()
        before = path.read_bytes()
        file = read_yolo(path, task="segment", image_size=size)
        assert file.shapes == (polygon,)
        write_yolo(path, file, task="segment")
        assert path.read_bytes() == before


def test_parts_of_one_instance_are_one_line_that_encloses_as_much(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    parts = [
        Shape("car", "polygon", SQUARE, group_id=1),
        Shape("car", "polygon", SQUARE[::-1] + np.array([60, 0]), group_id=1),
        Shape("car", "polygon", SQUARE, group_id=2),
        Shape("dog", "polygon", SQUARE, group_id=1),
    ]
    with pytest.warns(LabelLossWarning, match=r"parts were joined by seams \(car\)"):
        write_yolo(path, parts, task="segment", image_size=SIZE)
    assert [len(line.split()) for line in lines(path)] == [1 + 2 * 10, 9, 9]
    joined, *_ = read_yolo(path, task="segment", image_size=SIZE).shapes
    x, y = joined.points.T
    assert abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2 == 2 * 40 * 40
    mask = joined.to_mask(SIZE)
    assert mask is not None
    assert mask[30, 40]
    assert mask[30, 100]
    assert not mask[30, 70]


@pytest.mark.parametrize(("holes", "inside"), [("fill", True), ("seam", False)])
def test_holes_are_filled_or_cut_open(tmp_path: Path, holes: str, *, inside: bool) -> None:
    path = tmp_path / "a.txt"
    ring = Shape("ring", "polygon", SQUARE, holes=(HOLE,))
    with pytest.warns(LabelLossWarning, match="holes"):
        write_yolo(path, [ring], task="segment", image_size=SIZE, holes=holes)  # type: ignore[arg-type]
    mask = read_yolo(path, task="segment", image_size=SIZE).shapes[0].to_mask(SIZE)
    assert mask is not None
    assert mask[25, 35] == inside
    assert mask[45, 50]


def test_rotated_boxes_keep_their_corners_and_get_a_direction(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    turned = np.array([(50, 20), (70, 40), (50, 60), (30, 40)], np.float64)
    write_yolo(path, [Shape("car", "rotation", turned, direction=math.pi / 4)], task="obb", image_size=SIZE)
    assert lines(path) == ["0 0.25 0.2 0.35 0.4 0.25 0.6 0.15 0.4"]
    (shape,) = read_yolo(path, task="obb", image_size=SIZE).shapes
    assert shape.shape_type == "rotation"
    assert shape.direction == pytest.approx(math.pi / 4)
    np.testing.assert_array_equal(shape.points, turned)


@pytest.mark.parametrize(
    ("task", "kind", "says"),
    [
        ("detect", "polygon", "outline was written as its box"),
        ("detect", "rotation", "outline was written as its box"),
        ("segment", "rectangle", "rectangle was written as a polygon"),
        ("segment", "quadrilateral", "quadrilateral was written as a polygon"),
        ("obb", "polygon", "outline was written as its rotated box"),
        ("obb", "point", "point was left out"),
        ("detect", "linestrip", "linestrip was left out"),
        ("segment", "from 2031", "from 2031 was left out"),
    ],
)
def test_shapes_of_another_kind_are_turned_or_left_out_and_that_is_told(
    tmp_path: Path, task: YoloTask, kind: str, says: str
) -> None:
    path = tmp_path / "a.txt"
    with pytest.warns(LabelLossWarning, match=says):
        (loss,) = write_yolo(path, [Shape("car", kind, SQUARE)], task=task, image_size=SIZE)
    assert str(loss) == f"{says} (car)"
    assert len(lines(path)) == ("left out" not in says)


def test_the_box_of_a_mask_is_the_same_from_its_outline_and_from_its_rectangle(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    mask = np.ones((41, 41), np.bool_)
    shapes = [
        Shape("car", "rectangle", np.array([(20, 10), (61, 51)], np.float64)),
        Shape("car", "polygon", SQUARE),
        Shape("car", "mask", np.array([(20.0, 10.0), (60.0, 50.0)]), mask=mask),
        Shape("car", "circle", np.array([(40.0, 30.0), (60.0, 30.0)])),
    ]
    with pytest.warns(LabelLossWarning, match="3 times"):
        write_yolo(path, shapes, task="detect", image_size=SIZE)
    assert len(set(lines(path))) == 1


def test_a_group_is_held_by_one_box_and_what_has_no_area_in_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    group = [
        Shape("car", "rectangle", SQUARE, group_id=4),
        Shape("car", "rectangle", SQUARE + np.array([60, 10]), group_id=4),
        Shape("car", "point", SQUARE[:1], group_id=4),
    ]
    with pytest.warns(LabelLossWarning, match=r"point was left out \(car\); parts were held by one box \(car\)"):
        write_yolo(path, group, task="detect", image_size=SIZE)
    (shape,) = read_yolo(path, task="detect", image_size=SIZE).shapes
    np.testing.assert_array_equal(shape.points[[0, 2]], [(20, 10), (120, 60)])


def test_what_lies_outside_is_moved_to_the_edge_and_what_lies_wholly_outside_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    over = Shape("car", "rectangle", np.array([(-20.0, 50.0), (40.0, 150.0)]))
    away = Shape("car", "rectangle", np.array([(300.0, 50.0), (340.0, 60.0)]))
    with pytest.warns(LabelLossWarning, match="moved to its edge") as told:
        write_yolo(path, [over, away], task="detect", image_size=SIZE)
    assert "box without area was left out" in str(told[0].message)
    assert lines(path) == ["0 0.1 0.75 0.2 0.5"]


def test_a_rotated_box_may_hang_over_the_edge_as_long_as_a_trainer_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    over = np.array([(20, -10), (50, 20), (20, 50), (-10, 20)], np.float64)
    write_yolo(path, [Shape("car", "rotation", over)], task="obb", image_size=SIZE)
    np.testing.assert_array_equal(read_yolo(path, task="obb", image_size=SIZE).shapes[0].points, over)
    for too_far in (over * 5, over - np.array([40, 0])):
        with pytest.warns(LabelLossWarning, match="moved to its edge"):
            write_yolo(path, [Shape("car", "rotation", too_far)], task="obb", image_size=SIZE)
        assert all(0 <= float(share) <= 1 for share in lines(path)[0].split())


def test_scores_are_left_out_without_a_warning_and_other_fields_with_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    scored = Shape("car", "rectangle", SQUARE, 0.5, extra={"flags": {}, "difficult": False})
    losses = write_yolo(path, [scored], task="detect", image_size=SIZE)
    assert losses == (Loss("car", "score", "left out", by_nature=True),)
    noted = Shape("car", "rectangle", SQUARE, extra={"difficult": True, "attributes": {"colour": "red"}})
    with pytest.warns(LabelLossWarning, match=r"fields attributes, difficult were left out \(car\)"):
        write_yolo(path, [noted], task="detect", image_size=SIZE)
    with pytest.warns(LabelLossWarning, match=r"fields checked were left out \(the file\)"):
        write_yolo(path, LabelFile((), "a.png", SIZE, {"checked": True}), task="detect")


def test_a_score_on_a_line_is_read(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("car\n", encoding="utf-8")
    path = tmp_path / "a.txt"
    path.write_text("0 0.2 0.3 0.2 0.4 0.75\n\n", encoding="utf-8")
    (shape,) = read_yolo(path, task="detect", image_size=SIZE).shapes
    assert shape == Shape("car", "rectangle", SQUARE, 0.75)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("0 0.2 0.3 0.2", LabelFileKindError, "2 numbers on line 1"),
        ("0 0.2 0.3 0.2 0.4\n0 0.1 0.1 0.2 0.1 0.2 0.2", LabelFileKindError, "6 numbers on line 2"),
        ("car 0.2 0.3 0.2 0.4", LabelFileDamagedError, "a class number"),
        ("1 0.2 0.3 0.2 0.4", LabelFileDamagedError, r"a class number in 0\.\.0"),
        ("0.5 0.2 0.3 0.2 0.4", LabelFileDamagedError, r"a class number in 0\.\.0"),
        ("-1 0.2 0.3 0.2 0.4", LabelFileDamagedError, r"a class number in 0\.\.0"),
        ("nan 0.2 0.3 0.2 0.4", LabelFileDamagedError, r"a class number in 0\.\.0"),
        ("0 0.2 0.3 x 0.4", LabelFileDamagedError, "numbers on line 1"),
        ("0 0.2 0.3 inf 0.4", LabelFileDamagedError, "finite numbers on line 1"),
        ("\udcff", LabelFileDamagedError, "utf-8"),
    ],
)
def test_lines_that_are_none_are_refused_and_left_alone(
    tmp_path: Path, text: str, error: type[Exception], says: str
) -> None:
    (tmp_path / "classes.txt").write_text("car\n", encoding="utf-8")
    path = tmp_path / "a.txt"
    content = text.encode("utf-8", "surrogateescape")
    path.write_bytes(content)
    with pytest.raises(error, match=says):
        read_yolo(path, task="detect", image_size=SIZE)
    assert path.read_bytes() == content


@pytest.mark.parametrize("label", ["two\nlines", "", " car", "car ", "a\u2028b", "a\x85b", "\t"])
def test_a_name_that_cannot_stand_on_a_line_is_refused_before_anything_is_written(tmp_path: Path, label: str) -> None:
    with pytest.raises(LabelNameError, match="class list"):
        write_yolo(tmp_path / "a.txt", [Shape(label, "rectangle", SQUARE)], task="detect", image_size=SIZE)
    assert list(tmp_path.iterdir()) == []


def test_points_that_are_not_finite_and_unknown_tasks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(LabelShapeError, match="shape 1"):
        write_yolo(path, [RECTANGLE, Shape("car", "polygon", SQUARE * np.nan)], task="segment", image_size=SIZE)
    with pytest.raises(OptionError, match="task"):
        write_yolo(path, [RECTANGLE], task="pose", image_size=SIZE)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="image_size"):
        write_yolo(path, [RECTANGLE], task="detect")
    with pytest.raises(OptionError, match="another file than the class list"):
        write_yolo(tmp_path / "classes.txt", [RECTANGLE], task="detect", image_size=SIZE)
    with pytest.raises(OptionError, match="one of xanylabeling, labelme, yolo-detect"):
        picture_format("voc")
    with pytest.raises(OptionError, match="holes"):
        picture_format("labelme", holes="drill")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_picture_without_objects_has_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_yolo(path, [], task="segment", image_size=SIZE)
    assert path.read_bytes() == b""
    assert read_yolo(path, task="segment", image_size=SIZE, classes=__file__).shapes == ()
