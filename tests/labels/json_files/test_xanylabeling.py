"""X-AnyLabeling opens what is written, and no failure harms an older file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Shape
from sam3_onnx.errors import LabelShapeError
from sam3_onnx.labels import write_xanylabeling

if TYPE_CHECKING:
    from collections.abc import Sequence

POLYGON = Shape("coin", "polygon", np.array([(10, 4), (20, 5), (15.5, 30)], np.float64), 0.9375)
RECTANGLE = Shape("coin", "rectangle", np.array([(30, 40), (10, 40), (10, 20), (30, 20)], np.float64), 0.5)
ROTATION = Shape("coin", "rotation", np.array([(5, 0), (10, 5), (5, 10), (0, 5)], np.float64), 0.75, np.pi / 4)


def written(path: Path, shapes: Sequence[Shape]) -> dict[str, Any]:
    write_xanylabeling(path, shapes, image_path="coins.png", image_size=(303, 384))
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_the_file_has_the_fields_of_x_anylabeling(tmp_path: Path) -> None:
    content = written(tmp_path / "coins.json", [POLYGON])
    assert {name: value for name, value in content.items() if name not in {"shapes", "version"}} == {
        "flags": {},
        "checked": False,
        "description": None,
        "imagePath": "coins.png",
        "imageData": None,
        "imageHeight": 303,
        "imageWidth": 384,
    }
    assert isinstance(content["version"], str)
    assert content["shapes"] == [
        {
            "label": "coin",
            "score": 0.9375,
            "points": [[10.0, 4.0], [20.0, 5.0], [15.5, 30.0]],
            "group_id": None,
            "description": None,
            "difficult": False,
            "shape_type": "polygon",
            "flags": {},
            "attributes": {},
            "kie_linking": [],
        }
    ]


def test_a_rectangle_is_four_corners_clockwise_from_the_top_left(tmp_path: Path) -> None:
    (shape,) = written(tmp_path / "coins.json", [RECTANGLE])["shapes"]
    assert shape["points"] == [[10.0, 20.0], [30.0, 20.0], [30.0, 40.0], [10.0, 40.0]]


def test_a_rectangle_of_two_corners_keeps_them(tmp_path: Path) -> None:
    diagonal = Shape("coin", "rectangle", np.array([(30, 20), (10, 40)], np.float64))
    (shape,) = written(tmp_path / "coins.json", [diagonal])["shapes"]
    assert shape["points"] == [[30, 20], [10, 40]]


def test_a_rotated_box_keeps_its_corners_and_has_a_direction(tmp_path: Path) -> None:
    (shape,) = written(tmp_path / "coins.json", [ROTATION])["shapes"]
    assert shape["points"] == ROTATION.points.tolist()
    assert shape["direction"] == np.pi / 4
    assert shape["shape_type"] == "rotation"
    assert "direction" not in written(tmp_path / "coins.json", [POLYGON])["shapes"][0]


def test_no_instance_and_no_score(tmp_path: Path) -> None:
    assert written(tmp_path / "coins.json", [])["shapes"] == []
    unscored = Shape("coin", "polygon", POLYGON.points)
    assert written(tmp_path / "coins.json", [unscored])["shapes"][0]["score"] is None


@pytest.mark.usefixtures("names_of_any_letters")
def test_other_scripts_are_written_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "Münzen 硬币.json"
    content = written(path, [Shape("硬币 pièce", "polygon", POLYGON.points)])
    assert content["shapes"][0]["label"] == "硬币 pièce"
    assert "硬币 pièce".encode() in path.read_bytes()


@given(
    points=st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=3, max_size=30),
    label=st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    score=st.floats(0, 1),
)
@settings(deadline=None, max_examples=50)
def test_reading_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, points: list[tuple[float, float]], label: str, score: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    (shape,) = written(path, [Shape(label, "polygon", np.array(points), score)])["shapes"]
    assert (shape["label"], shape["score"]) == (label, score)
    assert np.array_equal(shape["points"], points)


@pytest.mark.parametrize(
    "shape",
    [
        Shape("coin", "polygon", np.array([(0.0, 1.0), (2.0, np.nan), (3.0, 4.0)])),
        Shape("coin", "polygon", np.array([(0.0, 1.0), (2.0, np.inf), (3.0, 4.0)])),
        Shape("coin", "polygon", np.array([0.0, 1.0, 2.0, 3.0])),
        Shape("coin", "polygon", POLYGON.points, np.nan),
        Shape("coin", "rotation", ROTATION.points, direction=np.inf),
    ],
)
def test_shapes_that_no_tool_could_read_are_refused(tmp_path: Path, shape: Shape) -> None:
    path = tmp_path / "coins.json"
    path.write_text("older", encoding="utf-8")
    with pytest.raises(LabelShapeError, match=r"finite (points|score|direction)"):
        written(path, [shape])
    assert path.read_text(encoding="utf-8") == "older"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failing_write_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "coins.json"
    path.write_text("older", encoding="utf-8")
    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[failing], full_disk)
    with pytest.raises(OSError, match="No space left"):
        written(path, [POLYGON])
    assert path.read_text(encoding="utf-8") == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        written(tmp_path / "absent" / "coins.json", [POLYGON])


def test_a_replaced_file_hands_its_permissions_on(tmp_path: Path) -> None:
    path = tmp_path / "coins.json"
    written(path, [POLYGON])
    path.chmod(0o660)
    written(path, [ROTATION])
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_link_goes_on_leading_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    stored, link = tmp_path / "store" / "1f3a.json", tmp_path / "coins.json"
    written(stored, [POLYGON])
    link.symlink_to(stored)
    written(link, [ROTATION])
    assert link.is_symlink()
    assert json.loads(stored.read_text(encoding="utf-8"))["shapes"][0]["shape_type"] == "rotation"
    assert [entry.name for entry in (tmp_path / "store").iterdir()] == ["1f3a.json"]


def test_replacing_leaves_one_file_that_others_may_read(tmp_path: Path) -> None:
    path = tmp_path / "coins.json"
    plain = tmp_path / "plain"
    plain.touch()
    for shapes in ([POLYGON], [ROTATION]):
        assert len(written(path, shapes)["shapes"]) == 1
    assert sorted(tmp_path.iterdir()) == [path, plain]
    assert path.stat().st_mode == plain.stat().st_mode
