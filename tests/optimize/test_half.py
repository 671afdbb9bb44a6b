"""Does a model in half precision answer as it did?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.hub import model_folder
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("onnx")
GRAPHS = ("image_encoder", "text_encoder", "decoder")


@pytest.fixture(scope="module")
def miniature() -> Path:
    return model_folder("miniature")


def test_half_precision_keeps_the_borders_and_the_answers(miniature: Path, coins: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    report = optimize(miniature, tmp_path / "half", precision="fp16", words=["coin"], pairs=1)
    assert report.fidelity["whole"].score <= 0.03
    assert report.fidelity["whole"].mask_iou >= 0.95
    for name in GRAPHS:
        before, after = (read_graph(folder / f"{name}.onnx") for folder in (miniature, tmp_path / "half"))
        assert before.signature() == after.signature()
        assert after.metadata["sam3_onnx.precision"] == "float16"
    with Sam3Session.from_folder(tmp_path / "half", provider="cpu") as session:
        assert len(session.predict(coins, "coin")) == 24


def test_values_beyond_half_precision_stay_in_float32(tmp_path: Path) -> None:
    import onnx  # noqa: PLC0415
    import onnxruntime as ort  # noqa: PLC0415

    from sam3_onnx.optimize.graphs import load_graph  # noqa: PLC0415
    from sam3_onnx.optimize.half import overflowing, to_half  # noqa: PLC0415

    path = tmp_path / "large.onnx"
    model = onnx.parser.parse_model("""
        <ir_version: 9, opset_import: ["": 18]> large (float[4] x) => (float[4] y)
        <float thousand = {1000.0}> { a = Mul(x, thousand)  b = Mul(a, thousand)  c = Div(b, thousand)  y = Add(c, x) }
    """)
    onnx.save(model, path)
    graph = load_graph(path)
    feeds = {"x": np.array([1, 2, 3, 4], np.float32)}
    large = overflowing(graph, tmp_path, feeds)
    assert large == {"b"}
    assert to_half(graph, tmp_path, large=large) == (2, 4)
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, feeds)[0], 1001 * feeds["x"], rtol=1e-3)
