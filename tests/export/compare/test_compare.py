"""A bundle held against its checkpoint on pictures of people: both say the same, and a difference shows."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import cv2
import pytest

from sam3_onnx import Sam3Session

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]

ABOUT: dict[str, Any] = {"source": "a test", "licence": "none"}
CLIP_TOKENS = 49408
THRESHOLD = 0.3
WORDS = "coin, red ring, dog"


@pytest.fixture(scope="module")
def model(maker: ModuleType) -> Any:  # noqa: ANN401 - a model of transformers
    """With CLIP's whole table of tokens, as a published checkpoint has it."""
    return maker.make_lite_model(CLIP_TOKENS)


@pytest.fixture(scope="module")
def bundle(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ANN401
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is

    folder = tmp_path_factory.mktemp("bundle")
    export_bundle(model, folder, **ABOUT)
    return folder


@pytest.fixture(scope="module")
def pictures(maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, size in (("tall.png", (180, 130)), ("wide.png", (90, 240))):
        cv2.imwrite(str(folder / name), maker.picture(size))
    return folder


def test_a_bundle_agrees_with_its_model(model: Any, bundle: Path, pictures: Path) -> None:  # noqa: ANN401
    from sam3_onnx.export.compare import compare_pictures  # noqa: PLC0415 - only where PyTorch is

    with Sam3Session.from_folder(bundle, provider="cpu", feature_precision="exact") as session:
        report = compare_pictures(model, session, sorted(pictures.iterdir()), WORDS, conf_threshold=THRESHOLD)
    assert len(report.answers) == 6
    assert sum(answer.paired for answer in report.answers) > 6
    assert all(answer.reference == answer.bundle == answer.paired for answer in report.answers)
    assert max(answer.score for answer in report.answers) < 1e-3
    assert max(answer.box for answer in report.answers) < 0.5
    assert min(answer.mask_iou for answer in report.answers) > 0.98
    assert report.agrees
    assert "They agree" in str(report)


def test_a_bundle_of_other_weights_does_not(model: Any, bundle: Path, pictures: Path) -> None:  # noqa: ANN401
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export.compare import compare_pictures  # noqa: PLC0415

    other = copy.deepcopy(model)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weights in other.named_parameters():
            if "detr_decoder" in name:
                weights.add_(0.3 * weights.std() * torch.randn_like(weights))
    with Sam3Session.from_folder(bundle, provider="cpu", feature_precision="exact") as session:
        report = compare_pictures(other, session, sorted(pictures.iterdir()), WORDS, conf_threshold=THRESHOLD)
    assert not report.agrees
    assert "They do not agree" in str(report)


def test_the_command_prints_a_report_and_writes_its_figures(
    model: Any,  # noqa: ANN401
    bundle: Path,
    pictures: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from sam3_onnx.export.compare.__main__ import main  # noqa: PLC0415 - only where PyTorch is

    model.save_pretrained(tmp_path / "checkpoint")
    options = ["--pictures", str(pictures), "--text", WORDS, "--conf", str(THRESHOLD)]
    command = [str(tmp_path / "checkpoint"), str(bundle), *options, "--json", str(tmp_path / "report.json")]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "| tall.png | coin |" in printed
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert content["agrees"] is True
    assert {"sam3-onnx", "onnxruntime", "torch", "providers"} <= content["about"].keys()
    assert main([str(tmp_path / "nowhere"), str(bundle), *options]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_a_checkpoint_with_another_table_of_tokens_is_refused(
    maker: ModuleType, bundle: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sam3_onnx.export.compare.__main__ import main  # noqa: PLC0415 - only where PyTorch is

    maker.make_lite_model().save_pretrained(tmp_path / "small")
    assert main([str(tmp_path / "small"), str(bundle), "--pictures", str(pictures), "--text", "coin"]) == 1
    assert "CLIP's table of 49408 tokens" in capsys.readouterr().err


@pytest.mark.parametrize("conf", ["50", "-1", "nan"])
def test_a_threshold_that_is_none_is_refused_at_once(conf: str, capsys: pytest.CaptureFixture[str]) -> None:
    from sam3_onnx.export.compare.__main__ import main  # noqa: PLC0415 - only where PyTorch is

    with pytest.raises(SystemExit):
        main(["nowhere", "nowhere", "--pictures", "nowhere", "--text", "coin", f"--conf={conf}"])
    assert "argument --conf: expected a number in 0..1" in capsys.readouterr().err
