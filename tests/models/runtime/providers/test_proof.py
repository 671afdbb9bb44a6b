"""A coarse way is proven with the precisions that run: on the miniature, and once on the model that is opened."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import ProviderError, ProviderWarning
from sam3_onnx.models.runtime import comparing
from sam3_onnx.models.runtime.comparing import photograph_for
from sam3_onnx.models.runtime.graphs.reading import GraphInfo, TensorInfo
from sam3_onnx.models.runtime.opening import GraphSession, open_on
from sam3_onnx.models.runtime.providers import proof
from sam3_onnx.models.runtime.providers.miniature import miniature_graphs, trials
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO
from sam3_onnx.models.runtime.providers.proof import COARSE_PARTS, EXACT, HELD, Changes, changes, limits_of, prove
from sam3_onnx.models.runtime.providers.ways import PLAIN, Way
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fake_openvino import FakeOpenVino

IMAGE_ENCODER = "native/image_encoder.onnx"
COARSE = Way(OPENVINO, {}, "bfloat16")


@pytest.fixture(autouse=True)
def _no_proofs(monkeypatch: pytest.MonkeyPatch, openvino: type[FakeOpenVino]) -> None:
    """No test has proven anything before."""
    monkeypatch.setattr(proof, "_proofs", {})
    assert not openvino.opened


def image_encoder() -> tuple[str, str]:
    """Provider and precision of the image encoder where a session is left to choose."""
    with Sam3Session.from_folder(NATIVE) as session:
        return session.providers["image_encoder"][0], session.precisions["image_encoder"]


def test_limits_belong_to_the_precision_that_runs() -> None:
    assert limits_of({"image_encoder": Way(OPENVINO, {}, "float32"), "decoder": PLAIN}) is EXACT
    assert limits_of({"image_encoder": COARSE, "decoder": PLAIN}) is HELD
    assert limits_of({"image_encoder": COARSE, "decoder": COARSE}) is COARSE_PARTS
    assert (HELD.largest, HELD.mean, HELD.crossings) == (0.05, 0.01, 0)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Changes(0.051, 0.001, 0), "off by 0.051, and 0.05 is allowed"),
        (Changes(0.02, 0.011, 0), "off by 0.011 on average, and 0.01 is allowed"),
        (Changes(0.02, 0.001, 1), "1 of its answers on the miniature appear or disappear"),
        (Changes(float("nan"), 0.001, 0), "off by nan"),
        (Changes(0.05, 0.01, 0), ""),
    ],
)
def test_each_limit_is_held(found: Changes, said: str) -> None:
    assert (said in HELD.broken_by(found)) if said else HELD.broken_by(found) == ""


def test_what_appears_is_counted_and_what_moves_is_averaged_over_questions() -> None:
    truth = {
        "logits": np.array([[6.0, -0.1], [6.0, -6.0]]),
        "presence": np.array([[60.0], [60.0]]),
        "boxes_xyxy": np.zeros((2, 2, 4)),
        "masks": np.ones((2, 2, 4, 4)),
    }
    moved = {**truth, "logits": np.array([[6.0, 0.1], [6.0, -6.0]])}
    found = changes([moved], [truth])
    assert found.crossings == 1
    assert found.mean == pytest.approx(found.largest / 2)


def test_no_answer_of_a_proof_lies_near_the_threshold() -> None:
    """So that bfloat16 crosses it only where it computes wrongly."""
    opened = {role: open_on(graph, [PLAIN], threads=1) for role, graph in miniature_graphs().items()}
    for trial in trials():
        held: dict[str, Any] = dict(trial.feeds())
        waiting = dict(miniature_graphs())
        while waiting:
            role = next(role for role, graph in waiting.items() if set(graph.inputs) <= set(held))
            graph, session = waiting.pop(role), opened[role]
            assert isinstance(session, GraphSession)
            arrays = session.run(list(graph.outputs), {name: held[name] for name in graph.inputs})
            held |= dict(zip(graph.outputs, arrays, strict=True))
        scores = 1 / (1 + np.exp(-held["logits"])) / (1 + np.exp(-held["presence"]))
        assert np.abs(scores - 0.5).min() > 0.1


@pytest.mark.usefixtures("matrix_units")
def test_a_named_openvino_that_answers_wrongly_is_an_error_that_names_precision(openvino: type[FakeOpenVino]) -> None:
    openvino.spoils = "miniature/image_encoder.onnx"
    with pytest.raises(ProviderError, match=r"its answers on the miniature are off by [\d.]+, and 0.02 is allowed"):
        Sam3Session.from_folder(NATIVE, provider="openvino")


@pytest.mark.usefixtures("matrix_units", "openvino")
def test_what_is_too_coarse_says_which_parts_and_what_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "HELD", proof.Limits(1e-9, 1e-9, 0))
    failure = prove((OPENVINO, {}), RuntimeSettings("openvino")).failure
    assert failure.endswith('with fusion in bfloat16, image_encoder in bfloat16; precision="float32" is exact')


@pytest.mark.usefixtures("matrix_units")
def test_the_opened_model_is_compared_once_and_that_is_said(
    openvino: type[FakeOpenVino], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, "sam3_onnx.providers")
    assert image_encoder() == (OPENVINO, "bfloat16")
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "image_encoder.onnx in bfloat16 on openvino is compared with float32, once for this model and this machine.",
        "image_encoder.onnx in bfloat16 on openvino",
    ]
    kept = json.loads((tmp_path / "cache" / "providers.json").read_bytes())
    (cosine,) = (numbers["cosine"] for numbers in kept.values() if "cosine" in numbers)
    assert 0.999 < cosine < 1
    caplog.clear()
    openvino.spoils = IMAGE_ENCODER  # would be found out if it were compared again
    assert image_encoder() == (OPENVINO, "bfloat16")
    assert caplog.records == []


@pytest.mark.usefixtures("matrix_units")
def test_a_model_whose_features_do_not_hold_runs_in_the_plain_way_with_a_warning_each_time(
    openvino: type[FakeOpenVino],
) -> None:
    openvino.spoils = IMAGE_ENCODER
    for _ in range(2):
        openvino.opened.clear()
        with pytest.warns(ProviderWarning, match=r"image encoder runs on cpu. openvino: its features of a photograph"):
            assert image_encoder() == (CPU, "float32")
    assert (IMAGE_ENCODER, "bf16") not in openvino.opened, "what is known is not tried again"


@pytest.mark.usefixtures("matrix_units", "openvino")
def test_another_machine_or_version_has_to_prove_it_anew(
    matrix_units: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "sam3_onnx.providers")
    image_encoder()
    for change in ("processor", "version"):
        caplog.clear()
        if change == "processor":
            matrix_units.write_text(matrix_units.read_text().replace("of the tests", "of others"))
        else:
            monkeypatch.setattr(ort, "__version__", "99.0")
        image_encoder()
        assert "is compared with float32" in caplog.text


@pytest.mark.usefixtures("matrix_units", "openvino")
def test_where_memory_is_short_the_comparison_is_left_out_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(comparing, "memory_left", lambda: 1000)
    assert image_encoder() == (OPENVINO, "bfloat16")
    assert "is used without being compared with float32 first: that needs " in caplog.text


@pytest.mark.usefixtures("matrix_units")
def test_a_plug_in_that_breaks_in_the_comparison_is_passed_over(openvino: type[FakeOpenVino]) -> None:
    openvino.fails = IMAGE_ENCODER
    with pytest.warns(ProviderWarning, match="openvino: it fails on a photograph: the plug-in lost its device"):
        assert image_encoder() == (CPU, "float32")


@pytest.mark.parametrize(
    ("info", "shape", "lowest"),
    [
        (TensorInfo("uint8", (3, 20, 30)), (3, 20, 30), 0),
        (TensorInfo("float32", (None, 3, 20, 20)), (1, 3, 20, 20), -1),
        (TensorInfo("float16", (1, 3, None, None)), (1, 3, 1008, 1008), -1),
    ],
)
def test_the_photograph_comes_as_an_encoder_takes_it(
    info: TensorInfo, shape: tuple[int, ...], lowest: int, tmp_path: Path
) -> None:
    picture = photograph_for(GraphInfo(tmp_path, {"image": info}, {}, {}, (), {}))
    assert (picture.shape, str(picture.dtype)) == (shape, info.dtype)
    assert lowest <= picture.min() < picture.max()
