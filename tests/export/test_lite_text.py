"""Does SAM3-LiteText go through the exporter as SAM 3 does, and answer as transformers does with its own tokenizer?

What it is made from is in `tests/support/make_native.py`.
"""

from __future__ import annotations

import gzip
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import CheckpointError, ExportMismatchError, OptionError
from sam3_onnx.geometry import mask_iou

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from transformers import CLIPTokenizer, Sam3LiteTextModel

    from sam3_onnx import Segmentation

CLIP_TOKENS = 49408
THRESHOLD = 0.25
BOX = (0.25, 0.25, 0.5, 0.75)
CASES: dict[str, tuple[str, list[int]]] = {
    "word": ("coin", []),
    "longer": ("a red ring over there", []),
    "one box": ("visual", [1]),
    "not this": ("dog", [0]),
}
"""A prompt, and the labels of BOX: none, positive, negative."""
ABOUT: dict[str, Any] = {"source": "a test", "licence": "none"}

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def model(maker: ModuleType) -> Sam3LiteTextModel:
    """With CLIP's whole table of tokens."""
    made: Sam3LiteTextModel = maker.make_lite_model(CLIP_TOKENS)
    return made


@pytest.fixture(scope="module")
def made(model: Sam3LiteTextModel, maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The native bundle, with a tracker on the same image encoder, and the six files."""
    from sam3_onnx.export import export_bundle, export_six_file  # noqa: PLC0415 - only where PyTorch is

    folder = tmp_path_factory.mktemp("exports")
    native = export_bundle(model, folder / "native", tracker=maker.make_tracker(model), **ABOUT)
    six = export_six_file(model, folder / "six", threshold=THRESHOLD, **ABOUT)
    assert (native.cases, six.cases) == (8, 6)
    for report in (native, six):
        assert report.score <= 1e-4
        assert report.mask_iou >= 0.99
    return {"native": folder / "native", "six-file": folder / "six"}


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    """transformers' own, from CLIP's published table; it fills as `Sam3Processor` does."""
    from tokenizers.pre_tokenizers import ByteLevel  # noqa: PLC0415 - only where PyTorch is
    from transformers import CLIPTokenizer  # noqa: PLC0415

    packed = files("sam3_onnx").joinpath("data", "clip_merges.txt.gz").read_bytes()
    merges = [(first, second) for first, second in map(str.split, gzip.decompress(packed).decode().splitlines())]
    alphabet = sorted(ByteLevel.alphabet())
    ends = [byte + "</w>" for byte in alphabet]
    tokens = [*alphabet, *ends, *map("".join, merges), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={token: index for index, token in enumerate(tokens)}, merges=merges)


def asked_of_pytorch(
    model: Sam3LiteTextModel, tokenizer: CLIPTokenizer, pixels: np.ndarray[Any, Any], prompt: str, labels: list[int]
) -> tuple[np.ndarray[Any, Any], ...]:
    """Scores, boxes and mask logits of all queries, from what `Sam3Processor` hands to the model."""
    import torch  # noqa: PLC0415 - only where PyTorch is

    x1, y1, x2, y2 = BOX
    text = tokenizer(prompt, return_tensors="pt", padding="max_length", max_length=32)
    with torch.no_grad():
        heads = model(
            pixel_values=torch.from_numpy(pixels).float()[None] / 127.5 - 1,
            **text,
            input_boxes=torch.tensor([[[(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]]]),
            input_boxes_labels=torch.tensor([labels or [-10]]),
        )
    scores = heads.pred_logits[0].sigmoid() * heads.presence_logits[0].sigmoid()
    return scores.numpy(), heads.pred_boxes[0].numpy(), heads.pred_masks


def predicted(folder: Path, picture: np.ndarray[Any, Any], prompt: str, labels: list[int]) -> Segmentation:
    height, width = picture.shape[:2]
    corners = (BOX[0] * width, BOX[1] * height, BOX[2] * width, BOX[3] * height)
    boxes = [Box(*corners, positive=bool(label)) for label in labels]
    with Sam3Session.from_folder(
        folder, provider="cpu", conf_threshold=THRESHOLD, feature_precision="exact"
    ) as session:
        return session.predict(picture, None if prompt == "visual" else prompt, boxes=boxes)


@pytest.mark.parametrize("contract", ["native", "six-file"])
@pytest.mark.parametrize("case", CASES)
def test_a_session_answers_as_transformers_does_with_its_own_tokenizer(
    made: dict[str, Path],
    maker: ModuleType,
    model: Sam3LiteTextModel,
    tokenizer: CLIPTokenizer,
    contract: str,
    case: str,
) -> None:
    from torch.nn import functional  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.images import to_model_input  # noqa: PLC0415

    prompt, labels = CASES[case]
    picture = maker.picture((180, 130))
    pixels = to_model_input(picture, maker.SIZE)
    scores, boxes, logits = asked_of_pytorch(model, tokenizer, pixels, prompt, labels)
    found = predicted(made[contract], picture, prompt, labels)
    order = np.argsort(-scores, kind="stable")
    kept = [query for query in order if scores[query] > THRESHOLD]
    assert len(found) == len(kept) > 0
    np.testing.assert_allclose(found.scores, scores[kept], atol=1e-4)
    sides = np.array([130, 180, 130, 180])
    np.testing.assert_allclose(found.boxes, (boxes[kept] * sides).clip(0, sides), atol=1.0)
    masks = functional.interpolate(logits, size=(180, 130), mode="bilinear", align_corners=False)[0].numpy() > 0
    for mask, expected in zip(found.masks, masks[kept], strict=True):
        assert mask_iou(mask, expected) >= 0.99 or not expected.any()


def test_one_encoding_serves_words_boxes_and_clicks(made: dict[str, Path], maker: ModuleType) -> None:
    picture = maker.picture((180, 130))
    with Sam3Session.from_folder(made["native"], provider="cpu") as session:
        session.predict(picture, "coin", boxes=[Box(10, 20, 60, 100)])
        assert len(session.predict_object(picture, [(40, 70)]).candidates) == 3
        assert session.graphs["image_encoder"].runs == 1


def test_what_fills_a_prompt_matters_and_the_graph_sees_to_it(made: dict[str, Path], model: Sam3LiteTextModel) -> None:
    import onnxruntime as ort  # noqa: PLC0415 - only where PyTorch is
    import torch  # noqa: PLC0415

    ids = torch.full((1, 32), 49407)
    ids[0, :2] = torch.tensor([49406, 1125])
    real = (torch.arange(32) < 3)[None]
    features = {}
    for filler in (0, 49407):
        with torch.no_grad():
            text = model.text_encoder(input_ids=ids.where(real, filler), attention_mask=real.long())
            features[filler] = model.text_projection(text.last_hidden_state)[0, :3].numpy()
    assert np.abs(features[0] - features[49407]).max() > 0.1
    graph = ort.InferenceSession(made["native"] / "text_encoder.onnx", providers=["CPUExecutionProvider"])
    answer, mask = graph.run(("text_features", "text_mask"), {"tokens": ids.where(real, 0).numpy()})
    np.testing.assert_allclose(answer[0, :3], features[49407], atol=1e-4)
    assert mask.tolist() == real.tolist()


def test_a_checkpoint_on_disk_becomes_a_bundle_of_another_size_at_half_precision(
    maker: ModuleType, tmp_path: Path
) -> None:
    from sam3_onnx.export import export_checkpoint  # noqa: PLC0415 - only where PyTorch is

    maker.make_lite_model(CLIP_TOKENS).save_pretrained(tmp_path / "lite")
    report = export_checkpoint(tmp_path / "lite", tmp_path / "out", size=(84, 140), storage="float16")
    assert report.score <= 1e-4
    assert report.mask_iou >= 0.99
    with Sam3Session.from_folder(tmp_path / "out", provider="cpu") as session:
        assert session.capabilities.input_size == (84, 140)
        session.predict(maker.picture((90, 70)), "coin")
    with pytest.raises(CheckpointError, match=r"sam3_tracker or sam3_video, got model_type sam3_lite_text\."):
        export_checkpoint(tmp_path / "lite", tmp_path / "clicks", tracker=True)


def test_a_bundle_of_other_text_weights_is_noticed(made: dict[str, Path], maker: ModuleType) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export.comparison.native import verify_bundle  # noqa: PLC0415

    other = maker.make_lite_model(CLIP_TOKENS)
    with torch.no_grad():
        other.text_encoder.layers[0].token_mixer.layer_scale.add_(0.5)
    with pytest.raises(ExportMismatchError, match="Do not use it"):
        verify_bundle(made["native"], other, token_remap=None, pad=0)


@pytest.mark.parametrize("pad", [49406, 49407])
def test_a_token_that_every_prompt_has_cannot_fill_it(model: Sam3LiteTextModel, tmp_path: Path, pad: int) -> None:
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is

    with pytest.raises(OptionError, match=f"pad must be an id that prompts do not have, such as 0, got {pad}"):
        export_bundle(model, tmp_path / "out", pad=pad, **ABOUT)
    assert not (tmp_path / "out").exists()
