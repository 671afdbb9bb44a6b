"""Linear layers whose answer is split: which are taken apart, which are left, and that the answers stay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("onnx")

_PARTS = "(float[2,5,8] x) => (float[2,5,a] q, float[2,5,b] k, float[2,5,c] v)"
_LAYER = {"w": (8, 12)}
_BIASED = _LAYER | {"b": (12,)}
_SPLIT = "q, k, v = Split<axis=-1, num_outputs=3>"


def _graph(
    steps: str, shapes: Mapping[str, Sequence[int]], *, signature: str = _PARTS, sizes: Sequence[int] = ()
) -> bytes:
    """A graph with random constants of these shapes; `sizes` are the constant s."""
    import onnx  # noqa: PLC0415

    text = f'<ir_version: 9, opset_import: ["": 18]> g {signature} {{ {steps} }}'
    model = onnx.parser.parse_model(text)
    random = np.random.default_rng(7)
    for name, shape in shapes.items():
        values = random.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    if sizes:
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(sizes, np.int64), "s"))
    content: bytes = model.SerializeToString()
    return content


def _answers(graph: bytes) -> list[np.ndarray]:
    import onnxruntime as ort  # noqa: PLC0415

    session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    shape = [2, 5, 8][-len(session.get_inputs()[0].shape) :]
    tokens = np.random.default_rng(0).standard_normal(shape, np.float32)
    return list(session.run(None, {"x": tokens}))


@pytest.mark.parametrize(
    ("graph", "apart"),
    [
        pytest.param(_graph(f"p = MatMul(x, w) {_SPLIT}(p)", _LAYER), 1, id="no bias"),
        pytest.param(_graph(f"p = MatMul(x, w) y = Add(p, b) {_SPLIT}(y)", _BIASED), 1, id="bias behind"),
        pytest.param(_graph(f"p = MatMul(x, w) y = Add(b, p) {_SPLIT}(y)", _BIASED), 1, id="bias before"),
        pytest.param(
            _graph(f"p = MatMul(x, w) y = Add(p, b) {_SPLIT}(y)", _LAYER | {"b": (1, 1, 12)}), 1, id="bias of rank 3"
        ),
        pytest.param(
            _graph("p = MatMul(x, w) q, k, v = Split<axis=2, num_outputs=3>(p)", _LAYER), 1, id="last axis by number"
        ),
        pytest.param(
            _graph("p = MatMul(x, w) q, k, v = Split<axis=-1>(p, s)", _LAYER, sizes=(2, 3, 7)),
            1,
            id="parts of different sizes",
        ),
        pytest.param(_graph(f"p = MatMul(x, w) {_SPLIT}(p)", {"w": (8, 11)}), 1, id="last part smaller"),
        pytest.param(
            _graph(
                f"p = MatMul(x, w) y = Add(p, b) {_SPLIT}(y)",
                _BIASED,
                signature="(float[2,5,8] x) => (float[2,5,4] q, float[2,5,4] k, float[2,5,4] v, float[2,5,12] y)",
            ),
            0,
            id="read by an output too",
        ),
        pytest.param(_graph(f"p = MatMul(x, w) y = Add(p, b) {_SPLIT}(y)", _LAYER | {"b": (5, 12)}), 0, id="other sum"),
        pytest.param(
            _graph(
                "p = MatMul(x, w) q, k = Split<axis=1>(p, s)",
                _LAYER,
                signature="(float[2,5,8] x) => (float[2,2,12] q, float[2,3,12] k)",
                sizes=(2, 3),
            ),
            0,
            id="split by tokens",
        ),
        pytest.param(_graph(f"p = MatMul(x, w) y = Relu(p) {_SPLIT}(y)", _LAYER), 0, id="something between"),
        pytest.param(
            _graph(
                f"t = Transpose<perm=[0,2,1]>(x) p = MatMul(x, t) z = MatMul(p, w) {_SPLIT}(p)",
                {"w": (5, 12)},
                signature="(float[2,5,8] x) => (float[2,5,a] q, float[2,5,b] k, float[2,5,c] v, float[2,5,12] z)",
            ),
            0,
            id="no constant",
        ),
    ],
)
def test_layers_whose_answer_is_split_are_taken_apart(graph: bytes, apart: int) -> None:
    import onnx  # noqa: PLC0415

    from sam3_onnx.optimize.projections import split_projections  # noqa: PLC0415

    model = onnx.load_from_string(graph)
    assert split_projections(model, Path()) == apart
    assert ("Split" in {node.op_type for node in model.graph.node}) is not bool(apart)
    for old, new in zip(_answers(graph), _answers(model.SerializeToString()), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-5, atol=1e-5)


def test_the_projections_of_a_fused_bundle_are_taken_apart_for_int8_alone(maker: ModuleType, tmp_path: Path) -> None:
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    source = tmp_path / "source"
    about = {"source": "a test", "licence": "none", "token_remap": maker.token_remap()}
    export_bundle(maker.make_model(), source, attention="fused", **about)
    report = optimize(source, tmp_path / "int8", words=["coin"], pairs=1)
    encoder = {graph.role: graph for graph in report.graphs}["image_encoder"]
    assert encoder.precision == "int8"
    assert "2 projections split" in encoder.why
    assert report.fidelity["image_encoder"].features["fpn_2"] >= 0.99
    with Sam3Session.from_folder(tmp_path / "int8", provider="cpu") as session:
        assert session.predict(maker.picture((180, 130)), "coin", conf_threshold=0.3).labels
