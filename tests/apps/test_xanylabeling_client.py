"""Do the real X-AnyLabeling-Server, and the real client against it, show the shapes that the library finds?

Runs where environment variables say where they are: XANYLABELING_SERVER names a checkout of X-AnyLabeling-Server,
XANYLABELING_SERVER_PYTHON an interpreter with its requirements and this library, and XANYLABELING_PYTHON one with
X-AnyLabeling.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sam3_onnx import Sam3Session
from tests.support.serving import exchanged, free_port, started
from tests.support.xanylabeling import EXAMPLE, TWO_RECTS, asked, received, sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real server with the plug-in, set up as the README says."""
    checkout, python = os.environ.get("XANYLABELING_SERVER"), os.environ.get("XANYLABELING_SERVER_PYTHON")
    if not (checkout and python):
        pytest.skip("XANYLABELING_SERVER and XANYLABELING_SERVER_PYTHON name no server")
    folder = tmp_path_factory.mktemp("server")
    for part in ("app", "configs"):
        shutil.copytree(Path(checkout) / part, folder / part)
    shutil.copy(EXAMPLE / "local_sam3.py", folder / "app" / "models")
    shutil.copy(EXAMPLE / "local_sam3.yaml", folder / "configs" / "auto_labeling")
    (folder / "models.yaml").write_text("enabled_models: [local_sam3]\n", encoding="utf-8")
    port = free_port()
    command = [python, "-m", "app.cli", "--host", "127.0.0.1", "--port", str(port), "--models-config", "models.yaml"]
    url = f"http://127.0.0.1:{port}"
    with started(command, folder=folder, alive=f"{url}/health"):
        yield url


def body_of(picture: bytes, **params: object) -> dict[str, object]:
    image = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    return {"model": "local_sam3", "image": image, "params": asked(**params)}


def test_the_real_server_answers_words_and_rects_and_encodes_the_picture_once(server: str, coins: Path) -> None:
    def ask(**params: object) -> list[Mapping[str, Any]]:
        status, answer = exchanged(f"{server}/v1/predict", body_of(coins.read_bytes(), **params))
        assert (status, answer["success"]) == (200, True)
        shapes: list[Mapping[str, Any]] = answer["data"]["shapes"]
        return shapes

    def encoded() -> int:
        return int(exchanged(f"{server}/v1/models/local_sam3/info")[1]["data"]["cache"]["misses"])

    before = encoded()
    by_word, by_rect = ask(text_prompt="coin"), ask(marks=TWO_RECTS)
    assert encoded() - before == 1
    with Sam3Session.from_pretrained("miniature") as session:
        words = session.predict(coins, "coin").shapes(epsilon=0.001)
        rects = session.predict(coins, marks=TWO_RECTS, label="AUTOLABEL_OBJECT").shapes(epsilon=0.001)
    assert (received(by_word), received(by_rect)) == (sent(words), sent(rects))


def test_the_real_server_answers_what_it_refuses_with_a_status_and_our_words(server: str, coins: Path) -> None:
    marks = [{"type": "rectangle", "data": [900, 900, 950, 950], "label": 1}]
    status, answer = exchanged(f"{server}/v1/predict", body_of(coins.read_bytes(), marks=marks))
    assert status == 422
    assert "inside the picture of 384 x 303 pixels" in answer["detail"]


def test_the_real_server_says_itself_that_a_picture_is_broken(server: str) -> None:
    _, answer = exchanged(f"{server}/v1/predict", body_of(b"no picture", text_prompt="coin"))
    assert (answer["success"], answer["error"]["code"]) == (False, "INVALID_IMAGE")


@pytest.mark.parametrize("question", [{"text_prompt": "coin"}, {"marks": TWO_RECTS}, {"text_prompt": "word " * 60}])
def test_the_real_client_draws_the_same_shapes_or_reports_an_error(
    server: str, coins: Path, tmp_path: Path, question: dict[str, object]
) -> None:
    python = os.environ.get("XANYLABELING_PYTHON")
    if not python:
        pytest.skip("XANYLABELING_PYTHON names no interpreter with X-AnyLabeling")
    config = tmp_path / "xanylabelingrc"
    config.write_text(f"remote_server_settings:\n  server_url: {server}\n", encoding="utf-8")
    script = Path(__file__).parent / "inside" / "xanylabeling_client.py"
    command: list[str | Path] = [python, script, config, "local_sam3", coins, json.dumps(question)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PYTHONPATH": ""}
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env=environment)  # noqa: S603 - as above
    answer = json.loads(ran.stdout.splitlines()[-1])
    refused = "word" in str(question)
    assert bool(answer["told"]) == refused
    with Sam3Session.from_pretrained("miniature") as session:
        label = None if "text_prompt" in question else "AUTOLABEL_OBJECT"
        text, marks = question.get("text_prompt"), question.get("marks")
        expected = [] if refused else session.predict(coins, text, marks=marks, label=label).shapes(epsilon=0.001)  # type: ignore[arg-type]
    # the client takes the repeated vertex for the sign that the ring is closed, and keeps it once
    assert [shape["points"] for shape in answer["shapes"]] == [shape.points.tolist() for shape in expected]
