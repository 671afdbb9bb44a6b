"""Does an X-AnyLabeling that nobody changed get its shapes from the plug-in for X-AnyLabeling-Server?

The plug-in's answers are tested with stand-ins for the server's few names.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import yaml

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import OptionError
from sam3_onnx.testing import FakeFamily, FakeInstance, FakeTracker
from tests.support.xanylabeling import EXAMPLE, ONE_RECT, TWO_RECTS, asked, received, sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.results import ShapeType


class HTTPError(Exception):
    """Stands for fastapi.HTTPException."""

    def __init__(self, status_code: int, detail: str) -> None:
        self.status_code, self.detail = status_code, detail


class ServerModel:
    """Stands for app.models.BaseModel."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.params = config, config["params"]

    def get_metadata(self) -> dict[str, object]:
        return {"display_name": self.config["display_name"], "widgets": self.config["widgets"], "params": self.params}


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The plug-in's module, with stand-ins for what it takes from the server."""

    def stand_in(module: str, **names: object) -> None:
        made = ModuleType(module)
        made.__dict__.update(names)
        monkeypatch.setitem(sys.modules, module, made)

    stand_in("app")
    stand_in("app.core")
    stand_in("app.core.registry", register_model=lambda _name: lambda model: model)
    stand_in("app.models", BaseModel=ServerModel)
    stand_in("fastapi", HTTPException=HTTPError)
    spec = importlib.util.spec_from_file_location("local_sam3", EXAMPLE / "local_sam3.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def opened(plugin: ModuleType) -> Callable[..., Any]:
    """Makes the plug-in's model, with its own configuration but for what is given."""

    def make(session: Sam3Session | None = None, **params: object) -> Any:  # noqa: ANN401 - a class made at run time
        config = yaml.safe_load((EXAMPLE / "local_sam3.yaml").read_text(encoding="utf-8"))
        model = plugin.LocalSam3({**config, "params": {**config["params"], **params}})
        if session is None:
            model.load()
        else:
            model.session = session
        return model

    return make


@pytest.fixture
def bgr(coins: Path) -> NDArray[np.uint8]:
    """The photograph as the server hands it on."""
    return np.asarray(cv2.imread(str(coins), cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize("output", ["polygon", "rectangle", "rotation"])
def test_words_are_answered_as_predict_does(
    opened: Callable[..., Any], bgr: NDArray[np.uint8], coins: Path, output: ShapeType
) -> None:
    answer = opened(output=output).predict(bgr, asked(text_prompt="coin"))
    with Sam3Session.from_pretrained("miniature") as session:
        expected = session.predict(coins, "coin").shapes(output, epsilon=0.001)
    assert len(expected) > 20
    assert received(answer["shapes"]) == sent(expected)
    assert [shape["score"] for shape in answer["shapes"]] == [shape.score for shape in expected]
    assert [shape["direction"] for shape in answer["shapes"]] == [shape.direction or 0.0 for shape in expected]


def test_shapes_that_the_server_cannot_send_are_refused_before_it_serves(opened: Callable[..., Any]) -> None:
    with pytest.raises(OptionError, match="output must be one of polygon, rectangle, rotation, got 'mask'"):
        opened(output="mask")


def test_rects_are_answered_as_predict_does_and_await_their_name(
    opened: Callable[..., Any], bgr: NDArray[np.uint8], coins: Path
) -> None:
    answer = opened().predict(bgr, asked(marks=TWO_RECTS))
    boxes = [Box(21, 34, 65, 72), Box(300, 200, 350, 250, positive=False)]
    with Sam3Session.from_pretrained("miniature") as session:
        expected = session.predict(coins, boxes=boxes, label="AUTOLABEL_OBJECT").shapes(epsilon=0.001)
    assert expected
    assert received(answer["shapes"]) == sent(expected)


def test_a_second_question_about_a_picture_runs_no_image_encoder(opened: Callable[..., Any], tmp_path: Path) -> None:
    family = FakeFamily({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))], "visual": []})
    session = Sam3Session(family, model="fake")
    bgr = np.random.default_rng(0).integers(0, 256, (100, 90, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "colours.png"), bgr)
    session.encode(tmp_path / "colours.png")
    model = opened(session)
    model.predict(bgr, asked(text_prompt="coin"))
    model.predict(bgr.copy(), asked(marks=ONE_RECT))
    assert family.calls["encode_image"] == 1
    assert model.get_metadata()["cache"]["misses"] == 1


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "The prompt is empty"),
        ({"text_prompt": " , ."}, "The prompt is empty"),
        ({"text_prompt": "word " * 60}, "tokens"),
        ({"marks": [{"type": "rectangle", "data": [900, 900, 950, 950], "label": 1}]}, "outside the picture"),
        ({"marks": [*ONE_RECT, {"type": "point", "data": [3, 4], "label": 1}]}, "point"),
        ({"marks": [{"type": "point", "data": [3, 4], "label": 1}]}, "does not support clicks"),
        ({"text_prompt": "coin", "conf_threshold": 1.5}, "conf_threshold"),
        ({"text_prompt": "coin", "epsilon_factor": -1}, "epsilon"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_librarys_words(
    plugin: ModuleType, opened: Callable[..., Any], bgr: NDArray[np.uint8], params: dict[str, object], says: str
) -> None:
    with pytest.raises(plugin.RefusedError) as refused:
        opened().predict(bgr, asked(**params))
    assert says in refused.value.detail
    assert refused.value.status_code == 422
    # the server passes on a RuntimeError; whatever else is raised becomes an answer that the client takes for success
    assert isinstance(refused.value, RuntimeError)


def test_a_failure_of_the_model_is_no_fault_of_the_request(
    plugin: ModuleType, opened: Callable[..., Any], bgr: NDArray[np.uint8]
) -> None:
    model = opened()
    model.unload()
    with pytest.raises(plugin.RefusedError, match="closed") as refused:
        model.predict(bgr, asked(text_prompt="coin"))
    assert refused.value.status_code == 500


def test_points_cut_out_one_object_where_the_model_takes_clicks(
    opened: Callable[..., Any], bgr: NDArray[np.uint8]
) -> None:
    tracker = FakeTracker()
    model = opened(Sam3Session(None, model="fake", tracker=tracker))
    marks = [{"type": "point", "data": [96, 50], "label": 1}, {"type": "point", "data": [10, 10], "label": 0}]
    (shape,) = model.predict(bgr, asked(marks=marks))["shapes"]
    assert shape["label"] == "AUTOLABEL_OBJECT"
    assert tracker.clicks[0].labels.tolist() == [1, 0]
    assert abs(np.mean(shape["points"], axis=0) - [96, 50]).max() < 6


def test_only_widgets_for_what_the_model_can_do_are_offered(opened: Callable[..., Any]) -> None:
    def offered(session: Sam3Session | None) -> set[str]:
        return {widget["name"] for widget in opened(session).get_metadata()["widgets"]}

    clicks, words = {"button_add_point", "button_remove_point"}, {"edit_text", "button_send"}
    rects = {"add_pos_rect", "add_neg_rect"}
    assert offered(None) & (clicks | words | rects) == words | rects
    tracker = Sam3Session(None, model="fake", tracker=FakeTracker())
    assert offered(tracker) & (clicks | words | rects | {"button_run_rect"}) == clicks | {"button_run_rect"}
