"""Does labelme open a folder that was labelled before, with what the library found?

The last test opens the folder in labelme's own window where LABELME_PYTHON names an interpreter with labelme.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.labels import read_labelme

if TYPE_CHECKING:
    from types import ModuleType

    from sam3_onnx.results import ShapeType

FOLDER = Path(__file__).parents[2] / "examples" / "labelme"
LABELS = FOLDER / "labels.txt"
EPSILON = 0.005
BY_HAND: dict[str, object] = {
    "label": "stone",
    "shape_type": "point",
    "points": [[5.0, 6.0]],
    "group_id": None,
    "flags": {},
}


@pytest.fixture(scope="module")
def prelabel() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prelabel", FOLDER / "prelabel.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pictures(tmp_path: Path, coins: Path) -> Path:
    """A folder with the photograph, and a label that somebody made by hand."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    shutil.copy(coins, folder)
    content = {"version": "6.3.1", "flags": {"done": True}, "shapes": [BY_HAND], "imagePath": "coins.png"}
    size = {"imageData": None, "imageHeight": 303, "imageWidth": 384}
    (folder / "coins.json").write_text(json.dumps({**content, **size}), encoding="utf-8")
    return folder


def test_the_list_of_labels_says_what_to_look_for(prelabel: ModuleType, tmp_path: Path) -> None:
    listed = tmp_path / "labels.txt"
    listed.write_text("__ignore__\n_background_\n coin \n\n2.5 mm screw\n", encoding="utf-8")
    assert prelabel.words_of(listed) == ["coin", "2.5 mm screw"]


def test_what_was_labelled_by_hand_stays_and_a_second_run_adds_nothing(
    prelabel: ModuleType, pictures: Path, coins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prelabel.main([str(pictures), "--labels", str(LABELS)]) == 0
    assert "24 coin" in capsys.readouterr().out
    first = (pictures / "coins.json").read_bytes()
    shapes = read_labelme(pictures / "coins.json").shapes
    with Sam3Session.from_pretrained("miniature") as session:
        found = session.predict(coins, "coin").shapes(epsilon=EPSILON)
    assert shapes[0].label == "stone"
    assert [shape.points.tolist() for shape in shapes[1:]] == [shape.points.tolist() for shape in found]
    assert json.loads(first)["flags"] == {"done": True}
    assert prelabel.main([str(pictures), "--labels", str(LABELS)]) == 0
    assert (pictures / "coins.json").read_bytes() == first


def test_a_broken_picture_is_told_and_the_others_are_labelled(
    prelabel: ModuleType, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    assert prelabel.main([str(pictures), "--labels", str(LABELS)]) == 3
    assert "broken.png" in capsys.readouterr().out
    assert len(read_labelme(pictures / "coins.json").shapes) > 20


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["nowhere", "--labels", str(LABELS)], "nowhere"),
        (["pictures", "--labels", "missing.txt"], "missing.txt"),
        (["pictures", "--labels", "ignored.txt"], "at least one label"),
        (["pictures", "--labels", str(LABELS), "--model", "no-such-model"], "no-such-model"),
    ],
    ids=["no folder", "no list", "nothing to look for", "no model"],
)
def test_what_cannot_be_done_is_told_in_a_line(
    prelabel: ModuleType,
    pictures: Path,
    options: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(pictures.parent)
    Path("ignored.txt").write_text("__ignore__\n", encoding="utf-8")
    assert prelabel.main(options) == 1
    error = capsys.readouterr().err
    assert error.startswith("prelabel: ")
    assert told in error


@pytest.mark.parametrize(
    ("mode", "shown_as"),
    [("polygon", "polygon"), ("rectangle", "rectangle"), ("rotation", "oriented_rectangle"), ("mask", "mask")],
)
def test_labelmes_own_window_shows_them(
    prelabel: ModuleType, pictures: Path, coins: Path, tmp_path: Path, mode: ShapeType, shown_as: str
) -> None:
    python = os.environ.get("LABELME_PYTHON")
    if not python:
        pytest.skip("LABELME_PYTHON names no interpreter with labelme")
    assert prelabel.main([str(pictures), "--labels", str(LABELS), "--mode", mode]) == 0
    script = Path(__file__).parent / "inside" / "labelme_window.py"
    arguments: list[str | Path] = [python, script, pictures, LABELS, tmp_path / "window.png"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PYTHONPATH": ""}
    ran = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=120, env=environment)  # noqa: S603 - the caller's
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])["coins.png"]
    with Sam3Session.from_pretrained("miniature") as session:
        found = session.predict(coins, "coin")
    expected = found.shapes(mode, epsilon=EPSILON)
    assert [kind for _, kind, _ in told["shown"]] == ["point", *[shown_as] * len(expected)]
    assert told["shown"] == told["read"]
    assert told["picture"] == "coins.png"
    if mode == "mask":
        assert told["masks"] == [instance.area for instance in found]
    else:
        corners = slice(None, None, 2 if mode == "rectangle" else 1)  # labelme's rectangle is two of them
        points = [points for _, _, points in told["shown"][1:]]
        assert points == [shape.points[corners].tolist() for shape in expected]
    window = cv2.imread(str(tmp_path / "window.png"))
    assert window is not None
    assert np.ptp(window) > 100
