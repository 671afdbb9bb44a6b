"""Do the forms that a bundle can have all answer as PyTorch does, and does each save what it is for?

What they are made from is in `tests/support/make_native.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError, UnknownFamilyError
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

FORMS: dict[str, dict[str, Any]] = {
    "whole": {"attention": "plain", "split_masks": False},
    "split": {"attention": "plain", "split_masks": True},
    "fused": {"attention": "fused", "split_masks": True},
}

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def bundle(maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is

    made: dict[str, Path] = {}
    model = maker.make_model()

    def get(form: str) -> Path:
        if form not in made:
            made[form] = tmp_path_factory.mktemp(form)
            about = {"source": "a test", "licence": "none", "token_remap": maker.token_remap()}
            report = export_bundle(model, made[form], **FORMS[form], **about)
            assert report.score <= 1e-4
            assert report.mask_iou >= 0.99
        return made[form]

    return get


@pytest.mark.parametrize("form", ["split", "fused"])
def test_every_form_answers_alike(bundle: Callable[[str], Path], maker: ModuleType, form: str) -> None:
    picture = maker.picture((180, 130))
    answers = []
    for folder in (bundle("whole"), bundle(form)):
        with Sam3Session.from_folder(folder, provider="cpu") as session:
            answers.append(session.predict(picture, ["coin", "red ring", "dog"], conf_threshold=0.3))
    usual, found = answers
    assert found.labels == usual.labels
    np.testing.assert_allclose(found.scores, usual.scores, atol=1e-4)
    np.testing.assert_allclose(found.boxes, usual.boxes, atol=1.0)
    for mine, theirs in zip(found, usual, strict=True):
        assert (mine.mask != theirs.mask).mean() < 0.005


def test_masks_are_made_for_what_was_found_only(bundle: Callable[[str], Path], maker: ModuleType) -> None:
    picture = maker.picture((180, 130))
    with Sam3Session.from_folder(bundle("split"), provider="cpu") as session:
        heads = session.graphs
        assert len(session.predict(picture, ["coin", "dog"], conf_threshold=1.0)) == 0
        assert (heads["decoder"].runs, heads["mask_decoder"].runs) == (1, 0)
        found = session.predict(picture, ["coin", "dog"], conf_threshold=0.3)
        assert set(found.labels) == {"coin", "dog"}
        assert (heads["decoder"].runs, heads["mask_decoder"].runs) == (2, 2)


def test_a_fused_bundle_holds_no_scores_of_attention(bundle: Callable[[str], Path]) -> None:
    def operators(form: str, role: str) -> bytes:
        return (bundle(form) / f"{role}.onnx").read_bytes()

    assert b"Softmax" in operators("split", "image_encoder")
    assert b"Softmax" not in operators("fused", "image_encoder")
    for role in ("image_encoder", "fusion"):
        assert b"MultiHeadAttention" in operators("fused", role)
        assert b"MultiHeadAttention" not in operators("split", role)


@pytest.mark.parametrize("role", ["geometry_encoder", "fusion", "mask_decoder"])
def test_a_bundle_without_a_part_is_refused(bundle: Callable[[str], Path], tmp_path: Path, role: str) -> None:
    for path in bundle("split").glob("*.onnx"):
        if path.stem != role:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    missing = rf"native bundle is not whole(.|\n)*Its {role.replace('_', ' ')} is missing"
    with pytest.raises(UnknownFamilyError, match=missing):
        Sam3Session.from_folder(tmp_path)


def test_a_whole_decoder_beside_parts_is_refused(bundle: Callable[[str], Path], tmp_path: Path) -> None:
    for path in bundle("whole").glob("*.onnx"):
        source = NATIVE / path.name if path.stem == "decoder" else path
        (tmp_path / path.name).write_bytes(source.read_bytes())
    with pytest.raises(UnknownFamilyError, match="is there twice: its decoder has one of its own"):
        Sam3Session.from_folder(tmp_path)


def test_onnx_runtime_makes_one_operator_of_gelu(bundle: Callable[[str], Path], tmp_path: Path) -> None:
    import onnxruntime as ort  # noqa: PLC0415 - beside what needs PyTorch

    for role in ("image_encoder", "text_encoder"):
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = str(tmp_path / f"{role}.onnx")
        ort.InferenceSession(str(bundle("fused") / f"{role}.onnx"), options, providers=["CPUExecutionProvider"])
        optimized = (tmp_path / f"{role}.onnx").read_bytes()
        assert b"Gelu" in optimized
        assert b"Erf" not in optimized


def test_fused_attention_needs_whole_windows(maker: ModuleType, tmp_path: Path) -> None:
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is

    model = maker.make_model(size=(112, 140))
    with pytest.raises(OptionError, match=r'or "fused" where the patches make whole windows of 4 x 4, got .*fused'):
        export_bundle(model, tmp_path, attention="fused", source="a test", licence="none")


def test_attention_is_fused_where_the_size_allows_it(maker: ModuleType) -> None:
    from sam3_onnx.export.modules.attention import is_fused  # noqa: PLC0415 - only where PyTorch is

    assert is_fused("auto", maker.make_model(size=(112, 112)))
    assert not is_fused("auto", maker.make_model(size=(112, 140)))
