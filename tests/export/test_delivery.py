"""Does an export come whole or not at all, and is what cannot be exported refused by name before it begins?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import CheckpointError, ExportDiskError, ExportMemoryError, OptionError, WeightRangeError

if TYPE_CHECKING:
    from types import ModuleType

    from transformers import Sam3Model


pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def model(maker: ModuleType) -> Sam3Model:
    made: Sam3Model = maker.make_model()
    return made


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A folder with an older export, a file that it needs, and one that is none of its own."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name in ("decoder.onnx", "decoder.onnx.data", "click_decoder.onnx", "notes.txt"):
        (folder / name).write_text(f"old {name}")
    files = dict.fromkeys(("decoder.onnx", "decoder.onnx.data", "click_decoder.onnx"), 1)
    (folder / "export_report.json").write_text(json.dumps({"files": files}))
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.name != "export_report.json"}


def test_a_newer_export_replaces_an_older_one_and_nothing_else(maker: ModuleType, older: Path) -> None:
    assert maker
    from sam3_onnx.export.delivery import delivery  # noqa: PLC0415 - only where PyTorch is

    with delivery(older) as draft:
        (draft / "decoder.onnx").write_text("new")
        (draft / "export_report.json").write_text("{}")
        assert contents(older)["decoder.onnx"] == "old decoder.onnx"
    assert contents(older) == {"decoder.onnx": "new", "notes.txt": "old notes.txt"}
    assert [path.name for path in older.parent.iterdir()] == ["bundle"]


def test_a_file_that_cannot_be_put_in_place_leaves_the_older_export_as_it_was(
    maker: ModuleType, older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert maker
    from sam3_onnx.export.delivery import delivery  # noqa: PLC0415 - only where PyTorch is

    before, replace = contents(older), Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if path.read_text() == "new image encoder":
            raise PermissionError(target)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError), delivery(older) as draft:  # noqa: PT012 - the block is what fails
        (draft / "decoder.onnx").write_text("new decoder")
        (draft / "image_encoder.onnx").write_text("new image encoder")
    assert contents(older) == before
    assert (older / "export_report.json").is_file()
    assert [path.name for path in older.parent.iterdir()] == ["bundle"]


def test_an_interrupted_export_leaves_nothing_and_an_older_one_as_it_was(model: Sam3Model, older: Path) -> None:
    from sam3_onnx.export import export_bundle, export_six_file  # noqa: PLC0415 - only where PyTorch is

    before = contents(older)

    def interrupt(stage: str) -> None:
        raise KeyboardInterrupt(stage)

    for export, folder in ((export_bundle, older), (export_six_file, older.parent / "new")):
        with pytest.raises(KeyboardInterrupt, match=r"image_encoder\.onnx"):
            export(model, folder, progress=interrupt, source="a test", licence="none")
    assert contents(older) == before
    assert [path.name for path in older.parent.iterdir()] == ["bundle"]


def test_a_file_in_the_place_of_the_folder_is_refused(model: Sam3Model, tmp_path: Path) -> None:
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is

    (tmp_path / "taken").write_text("mine")
    with pytest.raises(OptionError, match="folder must be a folder"):
        export_bundle(model, tmp_path / "taken", source="a test", licence="none")
    assert (tmp_path / "taken").read_text() == "mine"


def test_what_is_not_sam_3_is_refused_by_its_type(maker: ModuleType, model: Sam3Model, tmp_path: Path) -> None:
    from torch import nn  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export import export_bundle  # noqa: PLC0415

    tracker = maker.make_tracker(model)
    with pytest.raises(CheckpointError, match=r"expected a Sam3Model .* got model_type sam3_tracker\. Load"):
        export_bundle(tracker, tmp_path / "out", source="a test", licence="none")
    with pytest.raises(CheckpointError, match=r"expected a Sam3TrackerModel .* got model_type sam3\. Load"):
        export_bundle(model, tmp_path / "out", tracker=model, source="a test", licence="none")
    with pytest.raises(CheckpointError, match=r"This Linear cannot be exported: .* got no transformers model"):
        export_bundle(nn.Linear(2, 2), tmp_path / "out", source="a test", licence="none")
    assert not list(tmp_path.iterdir())


def test_a_weight_beyond_float16_is_named(model: Sam3Model, tmp_path: Path) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export import export_six_file  # noqa: PLC0415

    with torch.no_grad():
        model.text_projection.weight[0, 0] = 70000.0
    with pytest.raises(WeightRangeError, match=r"text_projection.weight .* at most 65504, got 70000"):
        export_six_file(model, tmp_path / "out", storage="float16", source="a test", licence="none")
    assert float(model.text_projection.weight[0, 0]) == 70000.0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_outside_0_to_1_is_refused(model: Sam3Model, tmp_path: Path, threshold: float) -> None:
    from sam3_onnx.export import export_six_file  # noqa: PLC0415 - only where PyTorch is

    with pytest.raises(OptionError, match=r"threshold must be a number in 0\.\.1"):
        export_six_file(model, tmp_path / "out", threshold=threshold, source="a test", licence="none")


@pytest.mark.parametrize("narrow", ["available_memory", "memory_left", "disk_usage"])
def test_too_little_memory_or_disk_is_said_before_the_export_begins(
    model: Sam3Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, narrow: str
) -> None:
    from types import SimpleNamespace  # noqa: PLC0415 - beside what needs PyTorch

    from sam3_onnx.export import capacity, export_bundle  # noqa: PLC0415

    little = 150_000_000
    answers = {"available_memory": (2**40, little), "memory_left": little}
    if narrow == "disk_usage":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=little))
    else:
        monkeypatch.setattr(capacity, narrow, lambda: answers[narrow])
    stages: list[str] = []
    kind = ExportDiskError if narrow == "disk_usage" else ExportMemoryError
    with pytest.raises(kind, match=r"too (little|full) .* this export: expected about \d+\.\d [GM]B.* got 150\.0 MB"):
        export_bundle(model, tmp_path / "out", progress=stages.append, source="a test", licence="none")
    assert stages == []
    assert not list(tmp_path.iterdir())
