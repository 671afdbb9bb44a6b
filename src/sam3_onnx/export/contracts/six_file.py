"""Writes the six-file contract, which X-AnyLabeling and others read, from transformers' SAM 3 models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from sam3_onnx.errors import OptionError
from sam3_onnx.export.comparison.reference import input_size
from sam3_onnx.export.comparison.six_file import verify_six_file
from sam3_onnx.export.graphs import Graph
from sam3_onnx.export.modules.attention import is_fused
from sam3_onnx.export.modules.six_file import SixFileDecoder, SixFileImageEncoder, SixFileTextEncoder
from sam3_onnx.export.pipeline import Progress, make
from sam3_onnx.export.preparing import manifest_of, prepared
from sam3_onnx.export.tokens import compact_remap, example_tokens
from sam3_onnx.prompts.tokenizer import ClipTokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from sam3_onnx.export.comparison.report import ExportReport
    from sam3_onnx.export.modules.attention import Attention

__all__ = ["export_six_file", "six_file_graphs"]

_PREFIX = "sam3_"
_PLACES = ("vision_pos_enc_0", "vision_pos_enc_1", "vision_pos_enc_2")
_FEATURES = ("backbone_fpn_0", "backbone_fpn_1", "backbone_fpn_2")
_TEXT = ("text_attention_mask", "text_memory", "text_embeds")
_LANGUAGE = ("language_mask", "language_features")
_BOX = ("box_coords", "box_labels", "box_masks")


def export_six_file(  # noqa: PLR0913 - keyword-only options of one step
    model: nn.Module,
    folder: str | Path,
    *,
    source: str,
    licence: str,
    threshold: float = 0.5,
    storage: Literal["float32", "float16"] = "float32",
    attention: Attention = "auto",
    token_remap: torch.Tensor | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Exports a model as six files and compares them with it.

    Boxes come in pixels of the picture whose size the decoder is given, and prompts are filled with 0.

    Args:
        model: transformers' `Sam3Model` or `Sam3LiteTextModel` with its weights.
        folder: Where `sam3_image_encoder.onnx`, `sam3_language_encoder.onnx`, `sam3_decoder.onnx`, their `.data`
            where they are large, and `export_report.json` go, once they have been compared; an older export
            there is replaced.
        source: Where the weights come from, for the graphs' metadata.
        licence: Of the weights, for the graphs' metadata.
        threshold: In 0..1. Only scores above it come out of the decoder, whoever asks.
        storage: "float16" rounds the weights and halves the files; graphs compute in float32 either
            way, and are compared with the rounded model.
        attention: Of the image encoder; see `export_bundle`.
        token_remap: (49408,) ids of the model's own, smaller token table, if it has one.
        progress: Is told what begins.

    Returns:
        How far files and model differ.

    Raises:
        OptionError: The threshold is not in 0..1, or fused attention does not suit the input's size.
        CheckpointError: The model is not one of SAM 3.
        WeightRangeError: A weight is beyond float16's range, with that storage.
        ExportMemoryError: There is too little memory for it.
        ExportDiskError: There is too little room on the disk.
        ExportMismatchError: Files and model do not answer the same.
        OSError: A file cannot be written.
    """
    if not 0 <= threshold <= 1:
        raise OptionError("threshold", expected="a number in 0..1", got=threshold)
    model, _ = prepared(model, storage=storage)
    size = input_size(model)
    manifest = {
        **manifest_of(size, storage=storage, source=source, licence=licence),
        "sam3_onnx.threshold": str(threshold),
    }

    def compare(draft: Path) -> ExportReport:
        return verify_six_file(draft, model, threshold=threshold, token_remap=token_remap)

    graphs = six_file_graphs(model, size, token_remap, threshold, fused=is_fused(attention, model))
    return make(folder, graphs, manifest, compare, contract="six-file", progress=progress)


def six_file_graphs(
    model: nn.Module, size: tuple[int, int], remap: torch.Tensor | None, threshold: float, *, fused: bool
) -> list[Graph]:
    """Returns image encoder, language encoder and decoder as `export_six_file` writes them."""
    patch = model.config.vision_config.backbone_config.patch_size
    width = model.config.detr_encoder_config.hidden_size
    grid = rows, cols = size[0] // patch, size[1] // patch
    features = tuple(torch.rand(1, width, rows * scale, cols * scale) for scale in (4, 2, 1))
    context = ClipTokenizer.CONTEXT
    words = torch.zeros(1, context, dtype=torch.bool), torch.rand(context, 1, width)
    box = torch.rand(1, 1, 4) * 0.2 + 0.4, torch.ones(1, 1, dtype=torch.int64), torch.zeros(1, 1, dtype=torch.bool)
    return [
        Graph(
            "image_encoder",
            SixFileImageEncoder(model, grid, fused=fused),
            (torch.zeros(3, *size, dtype=torch.uint8),),
            ("image",),
            (*_PLACES, *_FEATURES),
            prefix=_PREFIX,
        ),
        Graph(
            "language_encoder",
            SixFileTextEncoder(model, compact_remap(remap)),
            (example_tokens(prompts=1, pad=0),),
            ("tokens",),
            _TEXT,
            prefix=_PREFIX,
        ),
        Graph(
            "decoder",
            SixFileDecoder(model, grid, threshold),
            (torch.tensor(480), torch.tensor(640), torch.rand_like(features[-1]), *features, *words, *box),
            ("original_height", "original_width", _PLACES[-1], *_FEATURES, *_LANGUAGE, *_BOX),
            ("boxes", "scores", "masks"),
            prefix=_PREFIX,
        ),
    ]
