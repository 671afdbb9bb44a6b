"""Does attention become one operator, and nothing else, and answer as before?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError
from sam3_onnx.hub import model_folder
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def miniature() -> Path:
    return model_folder("miniature")


def test_attention_becomes_one_operator_and_answers_as_before(miniature: Path, coins: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    report = optimize(miniature, tmp_path / "fused", precision="fp32", words=["coin"], pairs=1)
    assert [graph.precision for graph in report.graphs[:3]] == ["fp32", "unchanged", "fp32"]
    assert report.graphs[0].why == "6 attentions fused, 2 convolutions folded"
    assert report.fidelity["whole"].score <= 1e-4
    assert report.fidelity["whole"].mask_iou >= 0.99
    before, after = (read_graph(folder / "image_encoder.onnx") for folder in (miniature, tmp_path / "fused"))
    assert before.metadata == after.metadata
    found = []
    for folder in (miniature, tmp_path / "fused"):
        with Sam3Session.from_folder(folder, provider="cpu") as session:
            found.append(session.predict(coins, "coin"))
    np.testing.assert_allclose(found[0].scores, found[1].scores, atol=1e-4)


def test_plain_attention_stays_as_it_is(miniature: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    optimize(miniature, tmp_path / "plain", precision="fp32", words=["coin"], pairs=1, attention="plain")
    assert b"MultiHeadAttention" not in (tmp_path / "plain" / "image_encoder.onnx").read_bytes()
    with pytest.raises(OptionError, match="precision must be one that changes this export"):
        optimize(tmp_path / "plain", tmp_path / "again", precision="fp32", attention="plain")


@pytest.mark.parametrize(
    ("steps", "fused"),
    [
        ("p = MatMul(q, k)  s = Softmax<axis=-1>(p)  y = MatMul(s, v)", 1),
        ("p = MatMul(q, k)  s = Softmax<axis=2>(p)  y = MatMul(s, v)", 0),
        ("p = MatMul(q, k)  m = Add(p, mask)  s = Softmax<axis=-1>(m)  y = MatMul(s, v)", 0),
        ("p = MatMul(q, k)  s = Softmax<axis=-1>(p)  w = MatMul(s, v)  y = Add(w, s)", 0),
    ],
)
def test_only_what_is_attention_becomes_attention(steps: str, fused: int) -> None:
    import onnx  # noqa: PLC0415
    import onnxruntime as ort  # noqa: PLC0415

    from sam3_onnx.optimize.attention import fuse_attention  # noqa: PLC0415

    model = onnx.parser.parse_model(f"""
        <ir_version: 9, opset_import: ["": 18]>
        some (float[b,2,t,t] q, float[b,2,t,t] k, float[b,2,t,t] v, float[1,1,t,t] mask) => (float[b,2,t,t] y)
        {{ {steps} }}
    """)
    before = model.SerializeToString()
    assert fuse_attention(model) == fused
    feeds = dict(zip("qkv", np.random.default_rng(0).standard_normal((3, 3, 2, 5, 5), np.float32), strict=True))
    feeds["mask"] = np.where(np.tri(5, dtype=np.bool_), 0, -np.inf).astype(np.float32)[None, None]
    answers = []
    for graph in (before, model.SerializeToString()):
        session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
        answers.append(session.run(None, feeds)[0])
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)


@pytest.mark.peers
@pytest.mark.parametrize("name", ["A_six_file", "C_raw_heads", "D2_batched", "F_tracker"])
def test_attention_of_other_families_becomes_one_operator(name: str, peer_fixtures: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    report = optimize(peer_fixtures / name, tmp_path / "target", precision="fp32", words=["coin"], pairs=1)
    assert {graph.role: graph.precision for graph in report.graphs}["image_encoder"] == "fp32"
    assert report.fidelity["whole"].score <= 1e-4
