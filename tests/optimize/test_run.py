"""Does a model in another precision answer as it did, and is one refused that would not?"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.cli import main
from sam3_onnx.errors import FidelityError, OptionError, TargetFolderError
from sam3_onnx.geometry import mask_iou_matrix
from sam3_onnx.hub import model_folder
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.optimize import OptimizeReport

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]

pytest.importorskip("onnx")

GRAPHS = ("image_encoder", "text_encoder", "decoder")


@pytest.fixture(scope="module")
def miniature() -> Path:
    return model_folder("miniature")


@pytest.fixture(scope="module")
def made(miniature: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[OptimizeReport, Path]:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415 - only where onnx is

    target = tmp_path_factory.mktemp("made") / "int8"
    return optimize(miniature, target, precision="int8", words=["coin"], pairs=1), target


def test_the_miniature_finds_the_same_coins_in_int8(
    made: tuple[OptimizeReport, Path], miniature: Path, coins: Path
) -> None:
    found = []
    for folder in (miniature, made[1]):
        with Sam3Session.from_folder(folder, provider="cpu") as session:
            found.append(session.predict(coins, "coin"))
    assert len(found[0]) == len(found[1]) == 24
    overlaps = mask_iou_matrix(found[0].masks, found[1].masks).max(1)
    assert overlaps.min() >= 0.5
    assert overlaps.mean() >= 0.95


def test_the_report_says_what_was_measured_and_lies_beside_the_graphs(made: tuple[OptimizeReport, Path]) -> None:
    report, target = made
    stored = json.loads((target / "optimize_report.json").read_text(encoding="utf-8"))
    assert stored == json.loads(report.json())
    assert [graph["precision"] for graph in stored["graphs"]] == ["int8"] * 3
    for graph in report.graphs:
        assert graph.bytes_after == (target / graph.file).stat().st_size < graph.bytes_before
        assert graph.time is not None
        assert graph.time.before > 0
    whole = report.fidelity["whole"]
    assert set(whole.features) == {"fpn_0", "fpn_1", "fpn_2", "text_features"}
    assert min(whole.features.values()) >= 0.99
    assert 0 < whole.score <= 0.1
    assert whole.masks >= 24
    assert "coins.png: coin" in str(report)


def test_the_manifest_is_kept_and_says_the_precision(made: tuple[OptimizeReport, Path], miniature: Path) -> None:
    for name in GRAPHS:
        before, after = (read_graph(folder / f"{name}.onnx").metadata for folder in (miniature, made[1]))
        assert after == {**before, "sam3_onnx.precision": "int8"}
        assert list(after)[-1] == "sam3_onnx.role"


def test_external_data_comes_out_as_external_data(miniature: Path, tmp_path: Path) -> None:
    import onnx  # noqa: PLC0415 - as above

    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    source = tmp_path / "source"
    shutil.copytree(miniature, source)
    encoder = source / "image_encoder.onnx"
    onnx.save(onnx.load(encoder), encoder, save_as_external_data=True, location="weights.bin")
    report = optimize(source, tmp_path / "target", words=["coin"], pairs=1)
    beside = tmp_path / "target" / "image_encoder.onnx.data"
    graph = read_graph(tmp_path / "target" / "image_encoder.onnx")
    assert graph.external_files == (beside,)
    assert report.graphs[0].bytes_after == graph.path.stat().st_size + beside.stat().st_size
    assert report.fidelity["whole"].features["fpn_2"] >= 0.999


def test_a_stage_beyond_the_limits_stays_in_the_precision_that_it_had(
    miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    monkeypatch.setattr("sam3_onnx.optimize.fidelity.MOST_SCORE", 0.02)
    report = optimize(miniature, tmp_path / "target", words=["coin"], pairs=1)
    changed = {graph.role: graph for graph in report.graphs}
    assert [changed[role].precision for role in GRAPHS] == ["int8", "int8", "fp32"]
    assert "a score differs by 0.0" in changed["decoder"].why
    assert "6 attentions fused" in changed["decoder"].why
    assert b"MatMulInteger" not in (tmp_path / "target" / "decoder.onnx").read_bytes()
    assert report.fidelity["decoder"].score <= 1e-4


def test_without_fusing_such_a_stage_stays_as_it_was(
    miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    monkeypatch.setattr("sam3_onnx.optimize.fidelity.MOST_SCORE", 0.02)
    optimize(miniature, tmp_path / "target", words=["coin"], pairs=1, attention="plain")
    assert (tmp_path / "target" / "decoder.onnx").read_bytes() == (miniature / "decoder.onnx").read_bytes()


def test_a_model_that_would_break_is_refused_and_leaves_nothing(
    miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    monkeypatch.setattr("sam3_onnx.optimize.fidelity.LEAST_MEAN_IOU", 1.0)
    with pytest.raises(FidelityError, match=r"(?s)cannot be had in int8.*decoder: masks overlap by an IoU of 0\.9"):
        optimize(miniature, tmp_path / "target", words=["coin"], pairs=1)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_run_leaves_nothing(miniature: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    def interrupt(line: str) -> None:
        if line.startswith("comparing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimize(miniature, tmp_path / "new" / "target", progress=interrupt)
    assert not list(tmp_path.iterdir())


def test_what_is_rounded_already_is_not_rounded_again(made: tuple[OptimizeReport, Path], tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    for name in GRAPHS:
        assert read_graph(made[1] / f"{name}.onnx").metadata["sam3_onnx.precision"] == "int8"
    with pytest.raises(OptionError, match="precision must be one that changes this export"):
        optimize(made[1], tmp_path / "target")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_is_not_written_to(miniature: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(TargetFolderError, match="expected a folder that is not there yet"):
        optimize(miniature, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_disk_that_is_too_full_is_noticed_before_anything_is_written(
    miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(TargetFolderError, match=r"expected 55\.\d MB of free space, got 1\.0 MB free"):
        optimize(miniature, tmp_path / "target")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "int3"}, "precision must be one of fp32, int8, fp16"),
        ({"attention": "none"}, 'attention must be "fused" or "plain"'),
        ({"pairs": 0}, "pairs must be at least 1"),
        ({"words": []}, "words must be at least one word"),
        ({"pictures": "."}, "pictures must be a folder that holds pictures"),
        ({"pictures": "nowhere"}, "pictures must be a folder that holds pictures"),
    ],
)
def test_options_out_of_range_are_refused(
    options: dict[str, object], message: str, miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match=message):
        optimize(miniature, tmp_path / "target", **options)  # type: ignore[arg-type]


def test_the_command_compares_on_ones_own_pictures(
    miniature: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sam3_onnx.images.writing import write_png  # noqa: PLC0415

    picture = np.full((120, 160, 3), 60, np.uint8)
    picture[40:90, 50:110] = (220, 30, 30)
    (tmp_path / "mine").mkdir()
    write_png(tmp_path / "mine" / "square.png", picture)
    arguments = ["optimize", str(miniature), "-o", str(tmp_path / "out"), "--pictures", str(tmp_path / "mine")]
    assert main([*arguments, "--text", "red square, circle"]) == 0
    printed = capsys.readouterr()
    assert "square.png: red square, circle" in printed.out
    assert "comparing on square.png" in printed.err
    assert main([*arguments]) == 1
    assert "expected a folder that is not there yet" in capsys.readouterr().err


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


def test_attention_becomes_one_operator_and_answers_as_before(miniature: Path, coins: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    report = optimize(miniature, tmp_path / "fused", precision="fp32", words=["coin"], pairs=1)
    assert [graph.precision for graph in report.graphs] == ["fp32", "unchanged", "fp32"]
    assert report.graphs[0].why == "6 attentions fused"
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

    optimize(miniature, tmp_path / "plain", words=["coin"], pairs=1, attention="plain")
    assert b"MultiHeadAttention" not in (tmp_path / "plain" / "image_encoder.onnx").read_bytes()
    with pytest.raises(OptionError, match="precision must be one that changes this export"):
        optimize(miniature, tmp_path / "none", precision="fp32", attention="plain")


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


@pytest.mark.peers
@pytest.mark.parametrize("name", ["C_raw_heads", "D2_batched", "F_tracker"])
def test_other_families_open_in_int8(name: str, peer_fixtures: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    report = optimize(peer_fixtures / name, tmp_path / "target", words=["coin"], pairs=1)
    assert "int8" in {graph.precision for graph in report.graphs}
    with Sam3Session.from_folder(tmp_path / "target", provider="cpu") as session:
        assert session.capabilities.family
