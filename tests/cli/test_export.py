"""`sam3-onnx export`: from a checkpoint on disk to a bundle that opens, and what it refuses."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.cli import main
from sam3_onnx.errors import CheckpointError, OptionError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


needs_pytorch = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]


def marked(test: object) -> object:
    """A test that needs PyTorch."""
    for mark in needs_pytorch:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def checkpoint(maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words and clicks in one folder, as the published checkpoint has them; random weights, CLIP's table of tokens."""
    import torch  # noqa: PLC0415 - only where PyTorch is
    from transformers import Sam3VideoConfig, Sam3VideoModel  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("checkpoint")
    model = maker.make_model()
    tracker = maker.make_tracker(model)
    detector = model.config.to_dict()
    detector["text_config"]["vocab_size"] = 49408
    clicks = {name: value for name, value in tracker.config.to_dict().items() if name.endswith("_config")}
    small = {
        **{f"memory_attention_{name}": 32 for name in ("hidden_size", "feed_forward_hidden_size")},
        "memory_attention_num_layers": 1,
        "memory_attention_rope_feat_sizes": [8, 12],
        "memory_encoder_hidden_size": 32,
        "memory_encoder_output_channels": 16,
        "mask_downsampler_embed_dim": 32,
        "memory_fuser_embed_dim": 32,
        "memory_fuser_intermediate_dim": 64,
        "memory_fuser_num_layers": 1,
    }
    torch.manual_seed(0)
    Sam3VideoModel(Sam3VideoConfig(detector_config=detector, tracker_config={**clicks, **small})).save_pretrained(
        folder
    )
    return folder


@marked
def test_a_checkpoint_becomes_six_files_with_the_usual_threshold(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(checkpoint), "-o", str(tmp_path / "six"), "--contract", "six-file"]) == 0
    assert "6 cases: scores within" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "six" / "export_report.json").read_text(encoding="utf-8"))["manifest"]
    assert manifest["sam3_onnx.threshold"] == "0.5"


@marked
def test_a_checkpoint_becomes_a_bundle_of_another_size_with_clicks(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bundle"
    words = ["export", str(checkpoint), "-o", str(out), "--tracker", "--size", "84", "140", "--storage", "float16"]
    assert main(words) == 0
    said = capsys.readouterr().out.splitlines()
    parts = ["geometry_encoder", "fusion", "decoder"]
    graphs = ["image_encoder", "text_encoder", *parts, "mask_decoder", "click_decoder"]
    stages = [f"load {checkpoint}", *(f"export {name}.onnx" for name in graphs), "compare with PyTorch"]
    assert [line for line in said if line.endswith(" ...")] == [f"{stage} ..." for stage in stages]
    assert any(line.startswith("8 cases: scores within") for line in said)
    assert sum(line.startswith(f"wrote {out}") for line in said) == len(graphs)
    report = json.loads((out / "export_report.json").read_text(encoding="utf-8"))
    assert report["manifest"]["sam3_onnx.source"] == str(checkpoint)
    assert report["manifest"]["sam3_onnx.storage"] == "float16"
    assert report["differences"]["mask_iou"] >= 0.99
    picture = np.zeros((90, 70, 3), np.uint8)
    with Sam3Session.from_folder(out, provider="cpu") as session:
        assert session.capabilities.input_size == (84, 140)
        session.predict(picture, "coin")
        assert len(session.predict_object(picture, [(30, 40)]).candidates) == 3


@marked
def test_positions_of_a_size_that_is_not_square_go_row_by_row_over_the_range_that_was_learned(checkpoint: Path) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export.checkpoint import load_model  # noqa: PLC0415

    wide = load_model(str(checkpoint), size=(84, 140)).vision_encoder.backbone.layers[1].position_ids
    across, down = wide.reshape(6, 10, 2).unbind(-1)
    torch.testing.assert_close(across, (torch.arange(10) * 4 / 10).expand(6, 10))
    torch.testing.assert_close(down, (torch.arange(6) * 4 / 6)[:, None].expand(6, 10))
    square = load_model(str(checkpoint), size=(112, 112)).vision_encoder.backbone.layers[1]
    assert torch.equal(square.position_ids, square.precompute_positions(square.config, 0))


@marked
def test_a_checkpoint_that_lacks_weights_is_refused(maker: ModuleType, tmp_path: Path) -> None:
    from sam3_onnx.export import export_checkpoint  # noqa: PLC0415 - only where PyTorch is

    model = maker.make_model()
    model.save_pretrained(tmp_path / "words")
    weights = model.state_dict()
    del weights["text_projection.weight"]
    model.save_pretrained(tmp_path / "torn", state_dict=weights)
    with pytest.raises(CheckpointError, match=r"of a Sam3Model, got 1 missing, text_projection\.weight among"):
        export_checkpoint(tmp_path / "torn", tmp_path / "out")
    with pytest.raises(CheckpointError, match=r"sam3_tracker or sam3_video, got model_type sam3\."):
        export_checkpoint(tmp_path / "words", tmp_path / "out", tracker=True)
    assert not (tmp_path / "out").exists()


@marked
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{other}"], "a SAM 3 checkpoint of model_type sam3, sam3_lite_text or sam3_video, got model_type clip"),
        (["{other}/nowhere"], "expected a folder with config.json and weights"),
        (["{checkpoint}", "--size", "84", "100"], "size must be multiples of 14, got (84, 100)"),
        (["{checkpoint}", "--size", "0", "0"], "--size must be a whole number of at least 1, got 0"),
        (["{checkpoint}", "--contract", "six-file", "--tracker"], "tracker must be left out"),
        (["{checkpoint}", "--threshold", "0.3"], "threshold must be left out with the native contract"),
        (["{checkpoint}", "--contract", "six-file", "--threshold", "3"], "threshold must be a number in 0..1"),
    ],
)
def test_what_cannot_be_exported_is_one_message_and_exit_code_one(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "clip"}')
    asked = [word.format(checkpoint=checkpoint, other=other) for word in words]
    assert main(["export", *asked, "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert message in next(line for line in said if line.startswith("sam3-onnx: "))
    assert not (tmp_path / "out").exists()


def test_help_needs_no_pytorch(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit) as ended:
        main(["export", "--help"])
    assert ended.value.code == 0
    assert "--contract {native,six-file}" in capsys.readouterr().out


def test_without_pytorch_the_command_that_brings_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("sam3_onnx.export")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["export", "somewhere", "-o", str(tmp_path)]) == 1
    assert 'pip install "sam3-onnx[export]"' in capsys.readouterr().err


@marked
def test_a_checkpoint_becomes_a_bundle_that_follows_objects(maker: ModuleType, tmp_path: Path) -> None:
    from transformers import Sam3VideoConfig, Sam3VideoModel  # noqa: PLC0415 - only where PyTorch is

    from tests.support import tiny_video  # noqa: PLC0415

    assert maker
    model = tiny_video.make_model()
    detector, tracker = model.config.to_dict(), tiny_video.make_tracker(model).config.to_dict()
    detector["text_config"]["vocab_size"] = 49408
    config = Sam3VideoConfig(detector_config=detector, tracker_config=tracker, hotstart_delay=11)
    Sam3VideoModel(config).save_pretrained(tmp_path / "checkpoint")
    out = tmp_path / "bundle"
    assert main(["export", str(tmp_path / "checkpoint"), "-o", str(out), "--video", "--attention", "fused"]) == 0
    report = json.loads((out / "export_report.json").read_text(encoding="utf-8"))
    assert report["manifest"]["sam3_onnx.video.hotstart_delay"] == "11"
    assert report["differences"]["memory"] < 1e-4
    names = ("memory_attention", "track_decoder", "memory_encoder", "mask_prompt", "click_decoder")
    assert {f"{name}.onnx" for name in names} < set(report["files"])
    assert b"MultiHeadAttention" in (out / "memory_attention.onnx").read_bytes()


@marked
@pytest.mark.usefixtures("maker")
def test_six_files_have_no_video(tmp_path: Path) -> None:
    from sam3_onnx.export import export_checkpoint  # noqa: PLC0415 - only where PyTorch is

    with pytest.raises(OptionError, match="video must be left out with the six-file contract"):
        export_checkpoint("nowhere", tmp_path / "out", contract="six-file", video=True)
