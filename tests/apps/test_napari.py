"""Do napari's layers hold what the library finds, and is it asked for what was drawn?

The conversions are tested as they are. The last tests use the widget in napari's own window where NAPARI_PYTHON is a
command that runs an interpreter with napari and this library, such as `xvfb-run -a python` where there is no screen.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Box, Sam3Session
from sam3_onnx.geometry import rle_to_mask
from sam3_onnx.testing import FakeInstance, fake_session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from sam3_onnx.results import Segmentation

FOLDER = Path(__file__).parents[2] / "examples" / "napari"


@pytest.fixture(scope="module")
def layers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sam3_layers", FOLDER / "sam3_layers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@given(places=st.tuples(*[st.integers(0, 90)] * 2), sides=st.tuples(*[st.integers(1, 9)] * 2))
@settings(deadline=None, max_examples=30)
def test_a_box_around_pixels_covers_just_these(
    layers: ModuleType, places: tuple[int, int], sides: tuple[int, int]
) -> None:
    (row, column), (height, width) = places, sides
    top, left, bottom, right = row - 0.5, column - 0.5, row + height - 0.5, column + width - 0.5
    drawn = np.array([[top, right], [bottom, right], [bottom, left], [top, left]])
    expected = Box(column, row, column + width, row + height, positive=False)
    assert layers.as_boxes([drawn], positive=False) == [expected]


def test_a_click_in_the_middle_of_a_pixel_is_in_its_middle(layers: ModuleType) -> None:
    assert layers.as_clicks(np.array([[0, 0], [7, 3]])) == [(0.5, 0.5), (3.5, 7.5)]


def test_the_better_score_is_on_top_and_nothing_found_is_zero_everywhere(layers: ModuleType) -> None:
    left, whole = FakeInstance((0, 0, 0.5, 1), score=0.9), FakeInstance((0, 0, 1, 1), score=0.6)
    session = fake_session({"coin": [left, whole]})
    found = session.predict(np.zeros((60, 80, 3), np.uint8), "coin")
    numbers = layers.as_label_map(found)
    assert np.array_equal(numbers == 1, found[0].mask)
    assert np.array_equal(numbers == 2, found[1].mask & ~found[0].mask)
    assert not layers.as_label_map(found[:0]).any()


def test_outlines_are_rows_and_columns_and_know_their_instance(layers: ModuleType) -> None:
    speck, disc = FakeInstance((0.5, 0.5, 0.5001, 0.5001), score=0.9), FakeInstance((0.1, 0.2, 0.5, 0.9), score=0.8)
    found = fake_session({"coin": [speck, disc]}).predict(np.zeros((60, 80, 3), np.uint8), "coin")
    outlines, which = layers.as_outlines(found)
    polygon = found[1].polygon()
    assert polygon is not None
    assert which == [1]
    assert np.array_equal(outlines[0], polygon[:, ::-1])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What happened in napari's own window."""
    command = os.environ.get("NAPARI_PYTHON")
    if not command:
        pytest.skip("NAPARI_PYTHON names no interpreter with napari")
    folder = tmp_path_factory.mktemp("napari")
    picture = FOLDER.parent / "pictures" / "coins.png"
    script = Path(__file__).parent / "inside" / "napari_session.py"
    arguments: list[str | Path] = [*shlex.split(command), script, FOLDER, picture, folder / "window.png"]
    environment = {**os.environ, "PYTHONPATH": "", "NAPARI_CONFIG": str(folder / "settings.yaml")}
    ran = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=300, env=environment)  # noqa: S603 - the caller's
    assert ran.returncode == 0, ran.stderr
    window = cv2.imread(str(folder / "window.png"))
    assert window is not None
    assert window.std() > 10
    answers: Mapping[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answers


def assert_held(layers: Mapping[str, Any], found: Segmentation) -> None:
    assert layers["labels"][1:] == found.labels
    assert layers["scores"][1:] == [instance.score for instance in found]
    assert np.array_equal([rle_to_mask(rle) for rle in layers["masks"]], found.masks)
    assert layers["outlines"] == [shape.points[:, ::-1].tolist() for shape in found.shapes()]
    assert layers["place"] == [[2, 2], [5, -3]]


def test_words_and_drawn_examples_become_layers_of_what_predict_finds(told: Mapping[str, Any], coins: Path) -> None:
    boxes = [Box(21, 34, 65, 72), Box(300, 200, 350, 250, positive=False)]
    with Sam3Session.from_pretrained("miniature") as session:
        words, examples = session.predict(coins, "coin"), session.predict(coins, boxes=boxes)
    assert len(words) > 20
    assert len(examples) > 20
    assert_held(told["words"], words)
    assert_held(told["boxes"], examples)
    assert told["encoded"] == 1
    assert told["layers"] == ["coins", "like this", "not this", "found", "outlines"]


def test_nothing_found_is_an_empty_layer(told: Mapping[str, Any]) -> None:
    layers, status = told["nothing"]
    assert (layers["masks"], layers["labels"], layers["outlines"]) == ([], ["nothing"], [])
    assert status == "0 found"


def test_clicks_cut_out_one_object_where_the_model_takes_them(told: Mapping[str, Any]) -> None:
    assert told["click layers"] == ["coins", "on it", "beside it"]
    points, labels = told["clicks"]
    assert np.allclose(points, [[96.5 / 384, 50.5 / 303], [10.5 / 384, 10.5 / 303]])
    assert labels == [1, 0]
    assert told["object"]["labels"] == ["nothing", "object"]


def test_what_cannot_be_answered_is_a_message_in_napari(told: Mapping[str, Any]) -> None:
    assert "tokens" in told["error"]
    assert told["status"] == "not answered"
