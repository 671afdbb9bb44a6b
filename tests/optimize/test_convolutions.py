"""Folding of 1x1 convolutions: what is folded, what is left, and that the answers stay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.hub import model_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("onnx")

_HEADER = '<ir_version: 9, opset_import: ["": 18]> g (float[1,4,5,6] x) => '
_FINER = "float[1,3,10,12] y"
_WIDE = "float[1,3,5,6] y"
_UP = "t = ConvTranspose<strides=[2,2]>"
_NEXT = "y = Conv"


def _graph(outputs: str, steps: str, shapes: dict[str, Sequence[int]]) -> bytes:
    """A graph with random constants of these shapes."""
    import onnx  # noqa: PLC0415

    model = onnx.parser.parse_model(f"{_HEADER} ({outputs}) {{ {steps} }}")
    random = np.random.default_rng(7)
    for name, shape in shapes.items():
        values = random.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    content: bytes = model.SerializeToString()
    return content


def _answers(graph: bytes) -> list[np.ndarray]:
    import onnxruntime as ort  # noqa: PLC0415

    picture = np.random.default_rng(0).standard_normal((1, 4, 5, 6), np.float32)
    return list(ort.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"x": picture}))


@pytest.mark.parametrize(
    ("outputs", "steps", "shapes", "folded"),
    [
        pytest.param(_FINER, f"{_UP}(x, a) {_NEXT}(t, b)", {"a": (4, 8, 2, 2), "b": (3, 8, 1, 1)}, 1, id="no bias"),
        pytest.param(
            _FINER,
            f"{_UP}(x, a, p) {_NEXT}(t, b, q)",
            {"a": (4, 8, 2, 2), "p": (8,), "b": (3, 8, 1, 1), "q": (3,)},
            1,
            id="both biases",
        ),
        pytest.param(
            _WIDE,
            f"t = Conv<pads=[1,1,1,1]>(x, a, p) {_NEXT}(t, b)",
            {"a": (8, 4, 3, 3), "p": (8,), "b": (3, 8, 1, 1)},
            1,
            id="first bias",
        ),
        pytest.param(
            _WIDE,
            f"t = Conv<pads=[1,1,1,1]>(x, a) {_NEXT}(t, b, q)",
            {"a": (8, 4, 3, 3), "b": (3, 8, 1, 1), "q": (3,)},
            1,
            id="second bias",
        ),
        pytest.param(
            _WIDE,
            f"s = Conv(x, a) t = Conv(s, b) {_NEXT}(t, c)",
            {"a": (8, 4, 1, 1), "b": (6, 8, 1, 1), "c": (3, 6, 1, 1)},
            2,
            id="chain of three",
        ),
        pytest.param(
            f"{_WIDE}, float[1,8,5,6] t",
            f"t = Conv(x, a) {_NEXT}(t, b)",
            {"a": (8, 4, 1, 1), "b": (3, 8, 1, 1)},
            0,
            id="read by an output too",
        ),
        pytest.param(
            _WIDE,
            f"t = Conv(x, a) r = Relu(t) {_NEXT}(r, b)",
            {"a": (8, 4, 1, 1), "b": (3, 8, 1, 1)},
            0,
            id="something between",
        ),
        pytest.param(
            _WIDE,
            "t = Conv<group=2>(x, a) y = Conv(t, b)",
            {"a": (8, 2, 1, 1), "b": (3, 8, 1, 1)},
            0,
            id="first in groups",
        ),
        pytest.param(
            "float[1,3,7,8] y",
            "t = Conv(x, a, p) y = Conv<pads=[1,1,1,1]>(t, b)",
            {"a": (8, 4, 1, 1), "p": (8,), "b": (3, 8, 1, 1)},
            0,
            id="border between",
        ),
        pytest.param(
            "float[1,3,3,3] y",
            "t = Conv(x, a) y = Conv<strides=[2,2]>(t, b)",
            {"a": (8, 4, 1, 1), "b": (3, 8, 1, 1)},
            0,
            id="skips pixels",
        ),
        pytest.param(
            "float[1,40,5,6] y",
            "t = Conv<pads=[1,1,1,1]>(x, a) y = Conv(t, b)",
            {"a": (2, 4, 3, 3), "b": (40, 2, 1, 1)},
            0,
            id="narrow in the middle",
        ),
    ],
)
def test_pointwise_convolutions_are_folded_where_that_is_the_same_and_cheaper(
    outputs: str, steps: str, shapes: dict[str, Sequence[int]], folded: int
) -> None:
    import onnx  # noqa: PLC0415

    from sam3_onnx.optimize.convolutions import fold_pointwise  # noqa: PLC0415

    before = _graph(outputs, steps, shapes)
    model = onnx.load_from_string(before)
    assert fold_pointwise(model, Path()) == folded
    assert len(model.graph.node) == len(onnx.load_from_string(before).graph.node) - folded
    for old, new in zip(_answers(before), _answers(model.SerializeToString()), strict=True):
        np.testing.assert_allclose(new, old, atol=1e-5 * np.abs(old).max())


def test_the_neck_of_a_bundle_is_folded_and_answers_as_before(coins: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    source = model_folder("miniature")
    report = optimize(source, tmp_path / "folded", precision="fp32", attention="plain", words=["coin"], pairs=1)
    assert [graph.precision for graph in report.graphs] == ["fp32", *["unchanged"] * 4]
    assert report.graphs[0].why == "2 convolutions folded"
    found = []
    for folder in (source, tmp_path / "folded"):
        with Sam3Session.from_folder(folder, provider="cpu") as session:
            found.append(session.predict(coins, "coin"))
    np.testing.assert_allclose(found[0].scores, found[1].scores, atol=1e-4)
