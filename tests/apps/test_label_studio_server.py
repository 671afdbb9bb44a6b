"""Does the real server of Label Studio answer with what the library finds?

Runs with Label Studio's own encoder and decoder where LABEL_STUDIO_ML_PYTHON names an interpreter with label-studio-ml
and this library.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.geometry import rle_to_mask
from tests.support.label_studio import SCRIPT, rectangle, words
from tests.support.serving import exchanged, free_port, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    Ask = Callable[..., Mapping[str, Any]]

CONFIG = SCRIPT.with_name("labeling_config.xml").read_text(encoding="utf-8")


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
