"""Does Label Studio get from the backend what the library finds?

The backend's answers are tested with stand-ins for Label Studio's few names. The last tests run the real server with
Label Studio's own encoder and decoder where LABEL_STUDIO_ML_PYTHON names an interpreter with label-studio-ml and this
library.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import EmptyPromptError, OptionError, PictureDecodeError, UnsupportedPromptError
from sam3_onnx.geometry import rle_to_mask
from sam3_onnx.testing import FakeFamily, FakeInstance, FakeTracker
from tests.support.serving import exchanged, free_port, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    Ask = Callable[..., Mapping[str, Any]]

SCRIPT = Path(__file__).parents[2] / "examples" / "label-studio" / "sam3_backend.py"
CONFIG = SCRIPT.with_name("labeling_config.xml").read_text(encoding="utf-8")
ONE_COIN = {"x": 100 * 21 / 384, "y": 100 * 34 / 303, "width": 100 * 44 / 384, "height": 100 * 38 / 303, "rotation": 0}
"""The first coin of the photograph, 21, 34, 65, 72 in pixels, as Label Studio sends a smart rectangle."""


def rectangle(label: str = "coin", **more: object) -> dict[str, object]:
    value = {**ONE_COIN, "rectanglelabels": [label], **more}
    return {"type": "rectanglelabels", "from_name": "example", "to_name": "image", "value": value}


def words(text: str | list[str]) -> dict[str, object]:
    return {"type": "textarea", "from_name": "words", "to_name": "image", "value": {"text": text}}


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
        (words(" , "), EmptyPromptError, "Nothing was asked for"),
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


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter with label-studio-ml."""
    named = os.environ.get("LABEL_STUDIO_ML_PYTHON")
    if not named:
        pytest.skip("LABEL_STUDIO_ML_PYTHON names no interpreter")
    return named


@pytest.fixture(scope="module")
def server(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real backend, made and started as the README says, that has the photograph and a broken picture."""
    folder = tmp_path_factory.mktemp("backend")
    (folder / "pictures").mkdir()
    shutil.copy(SCRIPT.parents[1] / "pictures" / "coins.png", folder / "pictures")
    (folder / "pictures" / "broken.png").write_bytes(b"no picture")
    manager = [python, "-m", "label_studio_ml.server"]
    subprocess.run([*manager, "create", "backend", "--script", SCRIPT], cwd=folder, check=True, capture_output=True)  # noqa: S603 - the caller's
    port = free_port()
    environment = {
        "LOCAL_FILES_DOCUMENT_ROOT": str(folder / "pictures"),
        "LABEL_STUDIO_URL": f"http://127.0.0.1:{free_port()}",
        "LABEL_STUDIO_API_KEY": "none",
        "MODEL_DIR": str(folder),
    }
    command: list[str | Path] = [python, folder / "backend" / "_wsgi.py", "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with started(command, folder=folder, alive=f"{url}/health", environment=environment):
        yield url


def request(tag: str, *drawn: Mapping[str, object], picture: str = "coins.png") -> dict[str, object]:
    """What Label Studio posts to /predict."""
    context = {"context": {"result": list(drawn)}} if drawn else {}
    return {
        "tasks": [{"id": 7, "data": {"image": f"/data/local-files/?d={picture}"}, "project": 1}],
        "project": "1.1700000000",
        "label_config": CONFIG.replace("BrushLabels", tag),
        "params": {"login": None, "password": None, **context},
    }


def decoded(python: str, prediction: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Masks of a prediction, read by Label Studio's own decoder."""
    script = Path(__file__).parent / "inside" / "label_studio_decoder.py"
    rows = json.dumps([region["value"]["rle"] for region in prediction["result"]])
    ran = subprocess.run([python, script], input=rows, check=True, capture_output=True, text=True, timeout=120)  # noqa: S603 - as above
    return np.array([rle_to_mask(rle) for rle in json.loads(ran.stdout)])


def test_the_real_server_is_healthy_and_can_be_set_up(server: str) -> None:
    assert exchanged(f"{server}/health") == (200, {"model_class": "Sam3Backend", "status": "UP"})
    setup = {"project": "1.1700000000", "schema": CONFIG, "extra_params": None}
    status, answer = exchanged(f"{server}/setup", setup)
    assert status == 200
    assert answer["model_version"].startswith("sam3-onnx-")


@pytest.mark.parametrize("drawn", [words("coin"), rectangle()], ids=["words", "rectangle"])
def test_label_studios_decoder_reads_the_very_masks_that_predict_finds(
    server: str, python: str, coins: Path, drawn: dict[str, object]
) -> None:
    status, answer = exchanged(f"{server}/predict", request("BrushLabels", drawn))
    assert status == 200, answer
    (prediction,) = answer["results"]
    with Sam3Session.from_pretrained("miniature") as session:
        by_words = drawn["type"] == "textarea"
        found = session.predict(coins, "coin") if by_words else session.predict(coins, boxes=[Box(21, 34, 65, 72)])
    assert len(found) > 20
    assert np.array_equal(decoded(python, prediction), found.masks)
    assert prediction["model_version"].startswith("sam3-onnx-")


def test_the_real_server_answers_a_task_alone_with_polygons(server: str, coins: Path) -> None:
    status, answer = exchanged(f"{server}/predict", request("PolygonLabels"))
    assert status == 200, answer
    with Sam3Session.from_pretrained("miniature") as session:
        expected = session.predict(coins, ["coin", "circle", "disc"]).shapes()
    points = [np.array(region["value"]["points"]) * (384, 303) / 100 for region in answer["results"][0]["result"]]
    assert [np.rint(place).tolist() for place in points] == [shape.points.tolist() for shape in expected]


@pytest.mark.parametrize(
    ("drawn", "picture", "says"),
    [
        (words("silver coin"), "coins.png", "OptionError: a word or label must be one of coin"),
        (words("coin"), "broken.png", "PictureDecodeError"),
    ],
)
def test_the_real_server_answers_what_it_refuses_with_our_words(
    server: str, drawn: dict[str, object], picture: str, says: str
) -> None:
    status, answer = exchanged(f"{server}/predict", request("BrushLabels", drawn, picture=picture))
    assert status == 500
    assert says in answer["detail"]
