"""An image encoder with ranges that are fixed: what is rewritten and how, that it answers, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import FidelityError, OptionError
from sam3_onnx.hub import model_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnx

    from sam3_onnx.optimize import OptimizeReport

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("onnx")

_WEIGHTS = {"w": (32, 48), "b": (48,)}


@pytest.fixture(scope="module")
def made(coins: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[OptimizeReport, Path]:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    target = tmp_path_factory.mktemp("made") / "static"
    options = {"calibration": coins.parent, "words": ["coin"], "pairs": 1}
    return optimize(model_folder("miniature"), target, precision="int8-static", **options), target  # type: ignore[arg-type]


def test_the_image_encoder_alone_is_rewritten(made: tuple[OptimizeReport, Path]) -> None:
    import onnx  # noqa: PLC0415

    report, target = made
    changed = {graph.role: graph for graph in report.graphs}
    assert changed["image_encoder"].precision == "int8-static"
    assert changed["image_encoder"].why.startswith("36 of 36 linear layers")
    assert {graph.precision for role, graph in changed.items() if role != "image_encoder"} <= {"fp32", "unchanged"}
    model = onnx.load(target / "image_encoder.onnx")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["sam3_onnx.precision"] == "int8-static"
    assert "DynamicQuantizeLinear" not in {node.op_type for node in model.graph.node}
    assert report.fidelity["whole"].features["fpn_2"] >= 0.99


def test_it_finds_the_same_coins(made: tuple[OptimizeReport, Path], coins: Path) -> None:
    found = []
    for folder in (model_folder("miniature"), made[1]):
        with Sam3Session.from_folder(folder, provider="cpu") as session:
            found.append(session.predict(coins, "coin"))
    assert len(found[0]) == len(found[1]) == 24
    np.testing.assert_allclose(found[0].scores, found[1].scores, atol=0.1)


def model_of(steps: str, *, rank: int = 3, constants: Mapping[str, tuple[int, ...]] = _WEIGHTS) -> onnx.ModelProto:
    """A graph with a layer of 32 by 48 channels and random constants."""
    import onnx  # noqa: PLC0415

    shape = ",".join(str(size) for size in (2, 5, 32)[-rank:])
    answer = ",".join(str(size) for size in (2, 5, 48)[-rank:])
    signature = f"(float[{shape}] x) => (float[{answer}] y)"
    model = onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["": 18]> g {signature} {{ {steps} }}')
    random = np.random.default_rng(7)
    for name, sizes in constants.items():
        values = random.standard_normal(sizes).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    return model


def fed(rank: int = 3, *, seed: int = 0, size: float = 1.0) -> dict[str, np.ndarray[Any, Any]]:
    shape = (2, 5, 32)[-rank:]
    return {"x": np.float32(size) * np.random.default_rng(seed).standard_normal(shape).astype(np.float32)}


def answer(model: onnx.ModelProto, feeds: Mapping[str, np.ndarray[Any, Any]], *, optimized: bool = True) -> np.ndarray:
    import onnxruntime as ort  # noqa: PLC0415

    options = ort.SessionOptions()
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, dict(feeds))[0]
    return found


def rewritten(model: onnx.ModelProto, *feeds: Mapping[str, np.ndarray[Any, Any]]) -> tuple[int, int]:
    from sam3_onnx.optimize.static_int8 import to_static_int8  # noqa: PLC0415

    return to_static_int8(model, Path(), feeds)


@pytest.mark.parametrize(
    "steps", ["p = MatMul(x, w) y = Add(p, b)", "p = MatMul(x, w) y = Add(b, p)", "y = MatMul(x, w)"]
)
def test_a_layer_computes_nearly_the_same(steps: str) -> None:
    exact = answer(model_of(steps), fed())
    model = model_of(steps)
    assert rewritten(model, fed()) == (1, 1)
    assert np.abs(answer(model, fed()) - exact).max() < 0.02 * np.abs(exact).max()


def test_onnx_runtime_multiplies_integers(tmp_path: Path) -> None:
    """A bias of (N,) would make a product in float32 of it."""
    import onnx  # noqa: PLC0415
    import onnxruntime as ort  # noqa: PLC0415

    model = model_of("p = MatMul(x, w) y = Add(p, b)")
    rewritten(model, fed())
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    operators = {node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node}
    assert "MatMulIntegerToFloat" in operators
    assert not operators & {"Gemm", "MatMul"}


def test_ranges_are_those_of_all_pictures_and_hold_zero() -> None:
    from onnx import numpy_helper  # noqa: PLC0415

    model = model_of("y = MatMul(x, w)")
    small, large = fed(seed=1), {"x": np.abs(fed(seed=2, size=3.0)["x"]) + np.float32(1)}
    rewritten(model, small, large)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    low, high = small["x"].min(), large["x"].max()
    assert constants["x.scale"] == pytest.approx((high - low) / 255, rel=1e-6)
    assert constants["x.zero"] == round(-low / ((high - low) / 255))
    model = model_of("y = MatMul(x, w)")
    rewritten(model, large)
    assert {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}["x.zero"] == 0


@pytest.mark.parametrize("value", [0.0, np.inf, np.nan])
def test_an_input_without_a_range_breaks_nothing(value: float) -> None:
    model = model_of("y = MatMul(x, w)")
    count, _ = rewritten(model, {"x": np.full((2, 5, 32), value, np.float32)})
    assert count == (value == 0)
    assert np.isfinite(answer(model, fed())).all()


def test_a_layer_that_answers_a_matrix_stays() -> None:
    model = model_of("p = MatMul(x, w) y = Add(p, b)", rank=2)
    assert rewritten(model, fed(2)) == (0, 1)
    np.testing.assert_array_equal(
        answer(model, fed(2)), answer(model_of("p = MatMul(x, w) y = Add(p, b)", rank=2), fed(2))
    )


@pytest.mark.parametrize(
    ("options", "got"),
    [
        ({"precision": "int8-static"}, "None"),
        ({"precision": "int8", "calibration": "pictures"}, "pictures"),
    ],
)
def test_calibration_belongs_to_int8_static(options: dict[str, Any], got: str, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    expected = f'calibration must be a folder of pictures for "int8-static", .* got .*{got}'
    with pytest.raises(OptionError, match=expected):
        optimize(model_folder("miniature"), tmp_path / "target", **options)
    assert not list(tmp_path.iterdir())


def test_a_folder_without_pictures_is_no_calibration(tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    (tmp_path / "empty").mkdir()
    with pytest.raises(OptionError, match="calibration must be a folder with pictures"):
        optimize(model_folder("miniature"), tmp_path / "t", precision="int8-static", calibration=tmp_path / "empty")


def test_an_encoder_that_would_answer_otherwise_is_refused(
    coins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    monkeypatch.setattr("sam3_onnx.optimize.fidelity.LEAST_COSINE", 1.0)
    options: dict[str, Any] = {"precision": "int8-static", "calibration": coins.parent, "words": ["coin"], "pairs": 1}
    with pytest.raises(FidelityError, match="cannot be converted to int8-static"):
        optimize(model_folder("miniature"), tmp_path / "target", **options)
    assert not list(tmp_path.iterdir())
