"""Writes a native bundle from one of transformers' SAM 3 models, and proves that it answers the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from sam3_onnx.errors import OptionError
from sam3_onnx.export.comparison.native import verify_bundle
from sam3_onnx.export.comparison.reference import input_size
from sam3_onnx.export.contracts.video import require_square, video_graphs, video_manifest
from sam3_onnx.export.graphs import Graph
from sam3_onnx.export.modules.attention import is_fused
from sam3_onnx.export.modules.clicks import ClickDecoder
from sam3_onnx.export.modules.concepts import Decoder, ImageEncoder, TextEncoder
from sam3_onnx.export.modules.memory import has_memory
from sam3_onnx.export.modules.parts import Fusion, GeometryEncoder, WholeHeads, WithoutMasks
from sam3_onnx.export.pipeline import Progress, make
from sam3_onnx.export.preparing import manifest_of, prepared
from sam3_onnx.export.tokens import compact_remap, example_tokens
from sam3_onnx.prompts.tokenizer import ClipTokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from sam3_onnx.export.comparison.report import ExportReport
    from sam3_onnx.export.modules.attention import Attention

__all__ = ["Recommended", "export_bundle"]

CONTRACT = "2"
_CONCEPT_FEATURES = ("fpn_0", "fpn_1", "fpn_2")
_CLICK_FEATURES = ("click_0", "click_1", "click_2")
_ANSWERS = ("logits", "presence", "boxes_xyxy")


@dataclass(frozen=True)
class Recommended:
    """What sessions do with this bundle unless told otherwise; written into its manifest."""

    conf_threshold: float = 0.5
    cut_to_box: bool = False
    nms: float | None = None

    def manifest(self) -> dict[str, str]:
        """The recommendations as manifest entries."""
        entries = {"sam3_onnx.conf_threshold": str(self.conf_threshold)}
        entries["sam3_onnx.cut_to_box"] = "true" if self.cut_to_box else "false"
        return entries | ({} if self.nms is None else {"sam3_onnx.nms": str(self.nms)})


def export_bundle(  # noqa: PLR0913 - keyword-only options of one step
    model: nn.Module,
    folder: str | Path,
    *,
    source: str,
    licence: str,
    tracker: nn.Module | None = None,
    rules: object | None = None,
    storage: Literal["float32", "float16"] = "float32",
    attention: Attention = "auto",
    split_masks: bool = True,
    recommended: Recommended | None = None,
    token_remap: torch.Tensor | None = None,
    pad: int = 0,
    progress: Progress | None = None,
) -> ExportReport:
    """Exports a model and compares the bundle with it.

    Args:
        model: transformers' `Sam3Model` or `Sam3LiteTextModel` with its weights.
        folder: Where `image_encoder.onnx`, `text_encoder.onnx`, the decoder's parts and `export_report.json`
            go, and `click_decoder.onnx` with a tracker, and the graphs of videos with one that remembers, once they
            have been compared; an older export there is replaced.
        source: Where the weights come from, for the manifest.
        licence: Of the weights, for the manifest.
        tracker: Of the same checkpoint, adds clicks on the same image encoder: transformers' `Sam3TrackerModel`, or
            `Sam3TrackerVideoModel`, which adds videos too.
        rules: transformers' `Sam3VideoConfig`: how words become tracks in a video, for the manifest; None for the
            library's own rules.
        storage: "float16" rounds the weights and halves the files; graphs compute in float32 either
            way, and are compared with the rounded model.
        attention: "fused" saves time and memory by ONNX Runtime's own operators, which its CPU, CUDA and DirectML
            providers have; "plain" has standard operators only, for OpenVINO, CoreML and others; "auto" is fused
            unless the input's size leaves windows of attention broken.
        split_masks: The mask head is a graph of its own, which is run for what was found only.
        recommended: Defaults of sessions with this bundle.
        token_remap: (49408,) ids of the model's own, smaller token table, if it has one.
        pad: The token that fills prompts up to 32; the graph gives the model what it was made for in its place.
        progress: Is told what begins.

    Returns:
        How far bundle and model differ.

    Raises:
        OptionError: Fused attention does not suit the input's size, or video, which takes squares; every prompt has the
            token that is to fill it; rules without video; or there is a file in the folder's place.
        CheckpointError: The model or the tracker is not one of SAM 3.
        TrackerMismatchError: The tracker has another backbone than the model.
        WeightRangeError: A weight is beyond float16's range, with that storage.
        ExportMemoryError: There is too little memory for it.
        ExportDiskError: There is too little room on the disk.
        ExportMismatchError: Bundle and model do not answer the same.
        OSError: A file cannot be written.
    """
    if pad in {ClipTokenizer.START, ClipTokenizer.END}:
        raise OptionError("pad", expected="an id that prompts do not have, such as 0", got=pad)
    model, tracker = prepared(model, tracker, storage=storage)
    size = input_size(model)
    remembers = tracker is not None and has_memory(tracker)
    if remembers:
        require_square(size)
    elif rules is not None:
        raise OptionError("rules", expected="left out without a Sam3TrackerVideoModel", got=type(rules).__name__)
    manifest = {
        "sam3_onnx.contract": CONTRACT,
        **manifest_of(size, storage=storage, source=source, licence=licence),
        "sam3_onnx.pad": str(pad),
        **(recommended or Recommended()).manifest(),
        **(video_manifest(tracker, rules) if remembers else {}),
    }

    def compare(draft: Path) -> ExportReport:
        return verify_bundle(draft, model, tracker, token_remap=token_remap, pad=pad)

    graphs = _graphs(model, tracker, size, token_remap, pad, split=split_masks, fused=is_fused(attention, model))
    return make(folder, graphs, manifest, compare, contract="native", progress=progress)


def _graphs(
    model: nn.Module,
    tracker: nn.Module | None,
    size: tuple[int, int],
    remap: torch.Tensor | None,
    pad: int,
    *,
    split: bool,
    fused: bool,
) -> list[Graph]:
    patch = model.config.vision_config.backbone_config.patch_size
    width = model.config.detr_encoder_config.hidden_size
    rows, cols = size[0] // patch, size[1] // patch
    prompts = torch.export.Dim("prompts", min=1, max=4096)
    features = tuple(torch.rand(1, width, rows * scale, cols * scale) for scale in (4, 2, 1))
    return [
        Graph(
            "image_encoder",
            ImageEncoder(model, tracker, grid=(rows, cols), fused=fused),
            (torch.zeros(3, *size, dtype=torch.uint8),),
            ("image",),
            (*_CONCEPT_FEATURES, *(_CLICK_FEATURES if tracker is not None else ())),
        ),
        Graph(
            "text_encoder",
            TextEncoder(model, pad=pad, remap=compact_remap(remap)),
            (example_tokens(prompts=2, pad=pad),),
            ("tokens",),
            ("text_features", "text_mask"),
            {"tokens": {0: prompts}},
        ),
        *_decoders(model, (rows, cols), features, split=split, fused=fused),
        *([] if tracker is None else [_click_decoder(tracker, (rows, cols), size)]),
        *([] if tracker is None or not has_memory(tracker) else video_graphs(tracker, (rows, cols), size, fused=fused)),
    ]


def _decoders(
    model: nn.Module, grid: tuple[int, int], features: tuple[torch.Tensor, ...], *, split: bool, fused: bool
) -> list[Graph]:
    """Geometry encoder, fusion and decoder, the mask head in the last of them or as a graph of its own."""
    prompts, slots, queries = (torch.export.Dim(name, min=1, max=4096) for name in ("prompts", "slots", "queries"))
    tokens = torch.export.Dim("geometry_tokens", min=2, max=4097)
    width = model.config.detr_encoder_config.hidden_size
    context = ClipTokenizer.CONTEXT
    boxes, labels = torch.rand(2, 3, 4) * 0.2 + 0.4, torch.tensor([[1, 0, -10], [1, -10, -10]])
    prompt = {
        "text_features": (torch.rand(2, context, width), {0: prompts}),
        "text_mask": (torch.ones(2, context, dtype=torch.bool), {0: prompts}),
        "geometry_features": (torch.rand(2, 4, width), {0: prompts, 1: tokens}),
        "geometry_mask": (torch.ones(2, 4, dtype=torch.bool), {0: prompts, 1: tokens}),
    }
    examples = tuple(example for example, _ in prompt.values())
    sizes = {name: size for name, (_, size) in prompt.items()}
    fine, middle, coarse = features
    seen = (torch.rand(2, grid[0] * grid[1], width), *examples)
    sizes_seen = {"fused_features": {0: prompts}, **sizes}
    each_slot = {0: prompts, 1: slots}
    decoder = Decoder(model, grid, fused=fused)
    before = [
        Graph(
            "geometry_encoder",
            GeometryEncoder(decoder),
            (coarse, boxes, labels),
            ("fpn_2", "boxes", "box_labels"),
            ("geometry_features", "geometry_mask"),
            {"boxes": each_slot, "box_labels": each_slot},
        ),
        Graph("fusion", Fusion(decoder), (coarse, *examples), ("fpn_2", *prompt), ("fused_features",), sizes),
    ]
    if not split:
        inputs = ("fpn_0", "fpn_1", *sizes_seen)
        whole = Graph("decoder", WholeHeads(decoder), (fine, middle, *seen), inputs, (*_ANSWERS, "masks"), sizes_seen)
        return [*before, whole]
    between = ("mask_features", "mask_queries")
    one = (fine, middle, torch.rand(1, width, *grid), torch.rand(1, 3, width))
    return [
        *before,
        Graph("decoder", WithoutMasks(decoder), seen, (*sizes_seen,), (*_ANSWERS, *between), sizes_seen),
        Graph("mask_decoder", decoder.masks, one, ("fpn_0", "fpn_1", *between), ("masks",), {between[1]: {1: queries}}),
    ]


def _click_decoder(tracker: nn.Module, grid: tuple[int, int], size: tuple[int, int]) -> Graph:
    width = tracker.config.mask_decoder_config.hidden_size
    points = torch.export.Dim("points", min=1, max=4096)
    features = tuple(
        torch.rand(1, width // share, grid[0] * scale, grid[1] * scale) for share, scale in ((8, 4), (4, 2), (1, 1))
    )
    return Graph(
        "click_decoder",
        ClickDecoder(tracker, grid, size),
        (*features, torch.rand(3, 2), torch.tensor([1, 0, 2])),
        (*_CLICK_FEATURES, "points", "point_labels"),
        ("ious", "masks", "object_logit"),
        {"points": {0: points}, "point_labels": {0: points}},
    )
