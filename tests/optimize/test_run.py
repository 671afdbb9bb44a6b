"""Does a model in another precision answer as it did, and is one refused that would not?"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import FidelityError, OptionError, TargetFolderError
from sam3_onnx.geometry import mask_iou_matrix
from sam3_onnx.hub import model_folder
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.optimize import OptimizeReport

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("onnx")
GRAPHS = ("image_encoder", "text_encoder", "decoder", "geometry_encoder", "fusion")


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


@pytest.mark.parametrize("around", [".", "models/.."])
def test_folders_may_be_named_from_where_one_is(
    miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, around: str
) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415 - only where onnx is

    shutil.copytree(miniature, tmp_path / "models" / "mine")
    monkeypatch.chdir(tmp_path)
    optimize(f"{around}/models/mine", "fp32", precision="fp32", words=["coin"], pairs=1)
    assert {path.stem for path in (tmp_path / "fp32").glob("*.onnx")} == set(GRAPHS)


def test_the_report_says_what_was_measured_and_lies_beside_the_graphs(made: tuple[OptimizeReport, Path]) -> None:
    report, target = made
    stored = json.loads((target / "optimize_report.json").read_text(encoding="utf-8"))
    assert stored == json.loads(report.json())
    assert {graph["role"]: graph["precision"] for graph in stored["graphs"]} == dict.fromkeys(GRAPHS, "int8")
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
    assert [changed[role].precision for role in GRAPHS] == ["int8", "int8", "fp32", "fp32", "fp32"]
    assert "a score differs by 0.0" in changed["decoder"].why
    assert "3 attentions fused" in changed["decoder"].why
    assert b"MatMulInteger" not in (tmp_path / "target" / "decoder.onnx").read_bytes()
    assert report.fidelity["decoder"].score <= 1e-4


def test_without_fusing_such_a_stage_stays_as_it_was(
    miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    monkeypatch.setattr("sam3_onnx.optimize.fidelity.MOST_SCORE", 0.02)
    optimize(miniature, tmp_path / "target", words=["coin"], pairs=1, attention="plain")
    for role in ("geometry_encoder", "fusion", "decoder"):
        assert (tmp_path / "target" / f"{role}.onnx").read_bytes() == (miniature / f"{role}.onnx").read_bytes()


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
        ({"precision": "int3"}, "precision must be one of fp32, int8, int8-static, fp16"),
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


@pytest.mark.peers
@pytest.mark.parametrize("name", ["C_raw_heads", "D2_batched", "F_tracker"])
def test_other_families_open_in_int8(name: str, peer_fixtures: Path, tmp_path: Path) -> None:
    from sam3_onnx.optimize import optimize  # noqa: PLC0415

    report = optimize(peer_fixtures / name, tmp_path / "target", words=["coin"], pairs=1)
    assert "int8" in {graph.precision for graph in report.graphs}
    with Sam3Session.from_folder(tmp_path / "target", provider="cpu") as session:
        assert session.capabilities.family
