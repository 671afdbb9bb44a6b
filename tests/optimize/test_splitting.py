"""A whole decoder becomes geometry encoder, fusion and decoder, which answer to the bit; what cannot be cut stays."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.models.runtime.graphs.reading import read_graph
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    import onnx

    from sam3_onnx.optimize import OptimizeReport

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("onnx")

PARTS = ("geometry_encoder", "fusion", "decoder")


def optimized(source: Path, target: Path) -> OptimizeReport:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    return optimize(source, target, precision="fp32", attention="plain", words=["coin"], pairs=1)


def rewired(tmp_path: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    """The small native bundle with its decoder changed."""
    import onnx  # noqa: PLC0415

    source = tmp_path / "source"
    shutil.copytree(NATIVE, source)
    model = onnx.load(source / "decoder.onnx")
    change(model)
    onnx.save(model, source / "decoder.onnx")
    return source


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> tuple[OptimizeReport, Path]:
    target = tmp_path_factory.mktemp("cut") / "target"
    return optimized(NATIVE, target), target


def test_a_whole_decoder_is_cut_into_its_parts(cut: tuple[OptimizeReport, Path]) -> None:
    report, target = cut
    changed = {graph.role: graph for graph in report.graphs}
    assert {role: (changed[role].precision, changed[role].file) for role in PARTS} == {
        role: ("fp32", f"{role}.onnx") for role in PARTS
    }
    assert all("part of the split decoder" in changed[role].why for role in PARTS)
    graphs = {role: read_graph(target / f"{role}.onnx") for role in PARTS}
    prompt = {"text_features", "text_mask", "geometry_features", "geometry_mask"}
    assert set(graphs["geometry_encoder"].inputs) == {"fpn_2", "boxes", "box_labels"}
    assert set(graphs["fusion"].inputs) == {"fpn_2", *prompt}
    assert set(graphs["decoder"].inputs) == {"fpn_0", "fpn_1", "fused_features", *prompt}
    for role, graph in graphs.items():
        assert graph.metadata["sam3_onnx.contract"] == "2"
        assert list(graph.metadata.items())[-1] == ("sam3_onnx.role", role)


@pytest.mark.parametrize("boxes", [None, [(30, 20, 90, 80)], [(30, 20, 90, 80), (100, 40, 140, 90)]])
def test_the_parts_answer_to_the_bit(
    cut: tuple[OptimizeReport, Path], boxes: list[tuple[int, int, int, int]] | None
) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    found = []
    for folder in (NATIVE, cut[1]):
        with Sam3Session.from_folder(folder, provider="cpu", threads=1) as session:
            found.append(session.predict(picture, ["coin", "red ring", "dog"], boxes=boxes, conf_threshold=0.2))
    assert len(found[0])
    assert found[0].labels == found[1].labels
    np.testing.assert_allclose(found[0].scores, found[1].scores, atol=1e-6)
    np.testing.assert_allclose(found[0].boxes, found[1].boxes, atol=1e-3)
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one.mask, other.mask)


def test_what_is_shown_is_looked_at_once_for_all_words(cut: tuple[OptimizeReport, Path]) -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    with Sam3Session.from_folder(cut[1], provider="cpu", threads=1) as session:
        session.predict(picture, ["one", "two", "three", "four", "five"], boxes=[(10, 10, 40, 40)])
        assert {role: session.graphs[role].runs for role in PARTS} == {
            "geometry_encoder": 1,
            "fusion": 2,
            "decoder": 2,
        }


def test_what_is_in_parts_already_is_not_cut_again(cut: tuple[OptimizeReport, Path], tmp_path: Path) -> None:
    from sam3_onnx.errors import OptionError  # noqa: PLC0415

    with pytest.raises(OptionError, match="precision must be one that changes this export"):
        optimized(cut[1], tmp_path / "again")


def without_joining(model: onnx.ModelProto) -> None:
    """Words go through another node before they are joined with boxes."""
    from onnx import helper  # noqa: PLC0415

    joined = next(node for node in model.graph.node if node.op_type == "Concat" and "text_features" in node.input)
    joined.input[0] = "renamed"
    model.graph.node.insert(0, helper.make_node("Identity", ["text_features"], ["renamed"]))


def with_a_way_around(model: onnx.ModelProto) -> None:
    """The picture reaches the scores without going through fusion."""
    from onnx import helper, numpy_helper  # noqa: PLC0415

    node = next(node for node in model.graph.node if "logits" in node.output)
    node.output[list(node.output).index("logits")] = "straight"
    model.graph.initializer.append(numpy_helper.from_array(np.array(0, np.float32), "nothing"))
    model.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["fpn_2"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "nothing"], ["around"]),
            helper.make_node("Add", ["straight", "around"], ["logits"]),
        ]
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_joining, "words and boxes are not joined to one prompt"),
        (with_a_way_around, "no single value contains the features"),
    ],
)
def test_a_decoder_without_the_borders_stays_whole_and_the_report_says_why(
    tmp_path: Path, change: Callable[[onnx.ModelProto], None], reason: str
) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    source = rewired(tmp_path, change)
    report = optimize(source, tmp_path / "target", precision="int8", words=["coin"], pairs=1)
    decoder = {graph.role: graph for graph in report.graphs}["decoder"]
    assert f"not split into parts: {reason}" in decoder.why
    assert not (tmp_path / "target" / "fusion.onnx").exists()


def test_parts_that_would_answer_otherwise_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    monkeypatch.setattr("sam3_onnx.optimize.fidelity._SAME_SCORE", -1.0)
    report = optimize(NATIVE, tmp_path / "target", words=["coin"], pairs=1)
    decoder = {graph.role: graph for graph in report.graphs}["decoder"]
    assert "not split into parts: a score differs by 0" in decoder.why


def test_an_export_is_in_parts_and_answers_as_one_of_the_first_contract(maker: ModuleType, tmp_path: Path) -> None:
    """The decoder in `tests/data/native` is whole and of the same weights."""
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is

    about = {"source": "a test", "licence": "none", "token_remap": maker.token_remap()}
    export_bundle(maker.make_model(), tmp_path / "new", attention="plain", **about)
    graphs = {path.stem: read_graph(path) for path in (tmp_path / "new").glob("*.onnx")}
    assert {graph.metadata["sam3_onnx.contract"] for graph in graphs.values()} == {"2"}
    assert set(graphs) == {"image_encoder", "text_encoder", "mask_decoder", *PARTS}
    found = []
    for folder in (NATIVE, tmp_path / "new"):
        with Sam3Session.from_folder(folder, provider="cpu", threads=1) as session:
            picture = maker.picture((180, 130))
            found.append(session.predict(picture, ["coin", "dog"], boxes=[(30, 20, 90, 80)], conf_threshold=0.3))
    assert len(found[0]) == len(found[1]) > 0
    np.testing.assert_allclose(found[0].scores, found[1].scores, atol=1e-4)
