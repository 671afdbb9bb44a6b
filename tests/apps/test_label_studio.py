"""Does Label Studio get from the backend what the library finds?

The backend's answers are tested with stand-ins for Label Studio's few names.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import EmptyPromptError, OptionError, PictureDecodeError, UnsupportedPromptError
from sam3_onnx.testing import FakeFamily, FakeInstance, FakeTracker
from tests.support.label_studio import SCRIPT, rectangle, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Ask = Callable[..., Mapping[str, Any]]


class BackendBase:
    """Stands for LabelStudioMLBase: a project of two labels, and tasks that name files."""

    tag = "BrushLabels"
    labels: Mapping[str, str | None] = {"coin": None, "Round thing": "circle, disc"}

    def __init__(self) -> None:
        picture = SimpleNamespace(name="image", value_name="image")
        attributes = {label: SimpleNamespace(attr={"predicted_values": words}) for label, words in self.labels.items()}
        tags = [("TextArea", "words", None), (self.tag, "found", attributes), ("RectangleLabels", "example", None)]
        controls = [
            SimpleNamespace(tag=tag, name=name, objects=[picture], labels_attrs=labels) for tag, name, labels in tags
        ]
        self.label_interface = SimpleNamespace(controls=controls)

    def get_local_path(self, url: str, *, task_id: int) -> str:
        assert task_id
        return url


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The backend's module, with stand-ins for what it takes from Label Studio."""

    def stand_in(module: str, **names: object) -> None:
        made = ModuleType(module)
        made.__dict__.update(names)
        monkeypatch.setitem(sys.modules, module, made)

    for package in ("label_studio_ml", "label_studio_sdk", "label_studio_sdk.converter"):
        stand_in(package)
    stand_in("label_studio_ml.model", LabelStudioMLBase=BackendBase)
    stand_in("label_studio_ml.response", ModelResponse=lambda predictions: predictions)
    stand_in("label_studio_sdk.converter.brush", mask2rle=lambda mask: mask.tolist())
    spec = importlib.util.spec_from_file_location("sam3_backend", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "sam3_backend", module)  # where dataclasses look annotations up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ask(backend: ModuleType, monkeypatch: pytest.MonkeyPatch, coins: Path) -> Ask:
    """Asks about the photograph; `session` takes the miniature's place."""

    def asking(*drawn: Mapping[str, object], session: Sam3Session | None = None, tag: str = "BrushLabels") -> Any:  # noqa: ANN401 - Label Studio's JSON
        if session is not None:
            monkeypatch.setattr(backend, "session", lambda: session)
        monkeypatch.setattr(BackendBase, "tag", tag)
        context = {"result": list(drawn)} if drawn else None
        (prediction,) = backend.Sam3Backend().predict([{"id": 1, "data": {"image": str(coins)}}], context)
        return prediction

    return asking


def masks_of(prediction: Mapping[str, Any]) -> NDArray[np.bool_]:
    """With the stand-in of the encoder."""
    return np.array([region["value"]["rle"] for region in prediction["result"]]).astype(np.bool_)


def labels_of(prediction: Mapping[str, Any]) -> list[str]:
    return [label for region in prediction["result"] for label in region["value"][region["type"]]]


def test_a_task_alone_is_asked_for_the_labels_of_the_project(ask: Ask, coins: Path) -> None:
    prediction = ask()
    with Sam3Session.from_pretrained("miniature") as session:
        found = session.predict(coins, {"coin": "coin", "circle": "Round thing", "disc": "Round thing"})
    assert len(found) > 20
    assert labels_of(prediction) == found.labels
    assert np.array_equal(masks_of(prediction), found.masks)
    assert [region["score"] for region in prediction["result"]] == [instance.score for instance in found]
    assert prediction["score"] == pytest.approx(found.scores.mean())
    first = prediction["result"][0]
    assert (first["from_name"], first["to_name"], first["type"]) == ("found", "image", "brushlabels")
    assert (first["original_width"], first["original_height"], first["image_rotation"]) == (384, 303, 0)
    assert len({region["id"] for region in prediction["result"]}) == len(found)


def test_polygons_are_in_percent_of_the_picture(ask: Ask, coins: Path) -> None:
    prediction = ask(words("coin"), tag="PolygonLabels")
    with Sam3Session.from_pretrained("miniature") as session:
        expected = session.predict(coins, "coin").shapes()
    assert len(prediction["result"]) == len(expected) > 20
    for region, shape in zip(prediction["result"], expected, strict=True):
        assert (region["type"], region["value"]["closed"]) == ("polygonlabels", True)
        assert np.allclose(np.array(region["value"]["points"]) * (384, 303) / 100, shape.points, atol=1e-9)


def test_what_has_no_outline_is_no_polygon(ask: Ask) -> None:
    speck = FakeInstance((0.5, 0.5, 0.5001, 0.5001))
    session = Sam3Session(FakeFamily({"coin": [speck]}), model="fake")
    assert len(ask(words("coin"), session=session)["result"]) == 1
    assert ask(words("coin"), session=session, tag="PolygonLabels") == {"result": [], "score": 0.0}


def test_a_smart_rectangle_is_an_example_of_its_label(ask: Ask, coins: Path) -> None:
    prediction = ask(rectangle())
    with Sam3Session.from_pretrained("miniature") as session:
        found = session.predict(coins, boxes=[Box(21, 34, 65, 72)])
    assert len(found) > 20
    assert np.array_equal(masks_of(prediction), found.masks)
    assert set(labels_of(prediction)) == {"coin"}


def test_words_go_with_rectangles_of_both_signs_and_the_picture_is_encoded_once(ask: Ask) -> None:
    family = FakeFamily({"disc": [FakeInstance((0.1, 0.1, 0.4, 0.5))]})
    session = Sam3Session(family, model="fake")
    prediction = ask(words(["disc"]), rectangle(), {**rectangle(), "is_positive": False}, session=session)
    assert labels_of(prediction) == ["Round thing"]
    assert family.queries[0].labels.tolist() == [1, 0]
    ask(words("coin"), session=session)
    assert family.calls["encode_image"] == 1


def test_smart_key_points_cut_out_one_object(ask: Ask) -> None:
    tracker = FakeTracker()
    session = Sam3Session(None, model="fake", tracker=tracker)
    point = {"type": "keypointlabels", "value": {"x": 25, "y": 50, "keypointlabels": ["Round thing"]}}
    prediction = ask(point, {**point, "value": {**point["value"], "x": 75}, "is_positive": False}, session=session)  # type: ignore[dict-item]
    assert labels_of(prediction) == ["Round thing"]
    assert tracker.clicks[0].labels.tolist() == [1, 0]
    assert tracker.clicks[0].points.tolist() == [[0.25, 0.5], [0.75, 0.5]]


def test_where_there_is_one_label_any_word_is_it(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BackendBase, "labels", {"Money": None})
    session = Sam3Session(FakeFamily({"silver coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]}), model="fake")
    assert labels_of(ask(words("silver coin"), session=session)) == ["Money"]


@pytest.mark.parametrize(
    ("drawn", "error", "says"),
    [
        (words("silver coin"), OptionError, "must be one of coin"),
        (words(" , "), EmptyPromptError, "The prompt is empty"),
        (rectangle(rotation=30), OptionError, "rotation"),
        (rectangle(label="Stone"), OptionError, "Stone"),
        ({**rectangle(), "is_positive": False}, EmptyPromptError, "positive box"),
        ({"type": "ellipselabels", "value": {"x": 1, "y": 1}}, OptionError, "ellipselabels"),
        (
            {"type": "keypointlabels", "value": {"x": 1, "y": 1, "keypointlabels": ["coin"]}},
            UnsupportedPromptError,
            "clicks",
        ),
    ],
)
def test_what_cannot_be_asked_is_an_error_of_the_library(
    ask: Ask, drawn: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ask(drawn)


def test_a_project_without_a_tag_for_masks_is_an_error(ask: Ask) -> None:
    with pytest.raises(OptionError, match=r"BrushLabels.*got.*TextArea"):
        ask(tag="Choices")


def test_a_broken_picture_is_an_error(backend: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    task = {"id": 1, "data": {"image": str(tmp_path / "broken.png")}}
    with pytest.raises(PictureDecodeError, match=r"broken\.png"):
        backend.Sam3Backend().predict([task])
