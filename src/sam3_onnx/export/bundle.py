"""Writes a native bundle from a transformers `Sam3Model`, and proves that it answers the same."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import onnx
import torch
from onnx.external_data_helper import convert_model_to_external_data

from sam3_onnx.export.clicks import ClickDecoder, require_shared_backbone
from sam3_onnx.export.modules import Decoder, Detector, ImageEncoder, TextEncoder
from sam3_onnx.export.roi_align import onnx_translation, stand_in_for_torchvision
from sam3_onnx.export.storage import round_weights, store_as_half
from sam3_onnx.export.verify import Report, verify_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

__all__ = ["Recommended", "export_bundle"]

CONTRACT = "1"
_OPSET = 18
_CONTEXT = 32
_CLIP_START, _CLIP_END = 49406, 49407
_CONCEPT_FEATURES = ("fpn_0", "fpn_1", "fpn_2")
_CLICK_FEATURES = ("click_0", "click_1", "click_2")
_EXTERNAL_ABOVE = 1_500_000_000  # bytes of weights; protobuf ends at 2 GiB


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


@dataclass
class _Graph:
    """One graph on its way out."""

    role: str
    module: nn.Module
    example: tuple[torch.Tensor, ...]
    inputs: Sequence[str]
    outputs: Sequence[str]
    open_sizes: Mapping[str, Mapping[int, object]] = field(default_factory=dict)


def export_bundle(  # noqa: PLR0913 - keyword-only options of one step
    model: nn.Module,
    folder: str | Path,
    *,
    source: str,
    licence: str,
    tracker: nn.Module | None = None,
    storage: Literal["float32", "float16"] = "float32",
    attention: Literal["fused", "plain"] = "plain",
    split_masks: bool = True,
    recommended: Recommended | None = None,
    token_remap: torch.Tensor | None = None,
    pad: int = 0,
) -> Report:
    """Exports a model and compares the bundle with it.

    Args:
        model: transformers' `Sam3Model` with its weights.
        folder: Where `image_encoder.onnx`, `text_encoder.onnx` and `decoder.onnx` go, and
            `click_decoder.onnx` with a tracker.
        source: Where the weights come from, for the manifest.
        licence: Of the weights, for the manifest.
        tracker: transformers' `Sam3TrackerModel` of the same checkpoint: adds clicks on the same image encoder.
        storage: "float16" rounds the weights and halves the files; graphs compute in float32 either
            way, and are compared with the rounded model.
        attention: "fused" makes the image encoder quicker and saves memory by ONNX Runtime's own operators, which its
            CPU, CUDA and DirectML providers have; "plain" has standard operators only, for OpenVINO, CoreML and others.
        split_masks: The mask head is a graph of its own, which is run for what was found only.
        recommended: Defaults of sessions with this bundle.
        token_remap: (49408,) ids of the model's own, smaller token table, if it has one.
        pad: The token that fills prompts up to 32.

    Returns:
        How far bundle and model differ.

    Raises:
        ExportMismatchError: They do not answer the same.
        ValueError: The tracker has another backbone than the model.
        OverflowError: A weight is beyond float16's range, with that storage.
    """
    stand_in_for_torchvision()
    model = model.eval().float()
    if tracker is not None:
        tracker = tracker.eval().float()
        require_shared_backbone(model, tracker)
    if storage == "float16":
        model, tracker = copy.deepcopy(model), copy.deepcopy(tracker)
        for part in (model, tracker):
            if part is not None:
                round_weights(part)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    side = model.config.vision_config.backbone_config.image_size
    size = (side, side) if isinstance(side, int) else (side[0], side[1])
    manifest = {
        "sam3_onnx.contract": CONTRACT,
        "sam3_onnx.input_size": f"{size[0]}x{size[1]}",
        "sam3_onnx.storage": storage,
        "sam3_onnx.pad": str(pad),
        "sam3_onnx.source": source,
        "sam3_onnx.licence": licence,
        **(recommended or Recommended()).manifest(),
    }
    for graph in _graphs(model, tracker, size, token_remap, pad, split=split_masks, fused=attention == "fused"):
        _write(graph, target, {**manifest, "sam3_onnx.role": graph.role}, storage)
    return verify_bundle(target, model, tracker, token_remap=token_remap, pad=pad)


def _graphs(
    model: nn.Module,
    tracker: nn.Module | None,
    size: tuple[int, int],
    remap: torch.Tensor | None,
    pad: int,
    *,
    split: bool,
    fused: bool,
) -> list[_Graph]:
    patch = model.config.vision_config.backbone_config.patch_size
    width = model.config.detr_encoder_config.hidden_size
    rows, cols = size[0] // patch, size[1] // patch
    prompts = torch.export.Dim("prompts", min=1, max=4096)
    tokens = torch.full((2, _CONTEXT), pad)
    tokens[:, 0], tokens[:, 1], tokens[:, 2] = _CLIP_START, 320, _CLIP_END
    compact = None if remap is None else remap.to(torch.int32 if int(remap.max()) > 255 else torch.uint8)  # noqa: PLR2004 - uint8
    features = tuple(torch.rand(1, width, rows * scale, cols * scale) for scale in (4, 2, 1))
    return [
        _Graph(
            "image_encoder",
            ImageEncoder(model, tracker, grid=(rows, cols), fused=fused),
            (torch.zeros(3, *size, dtype=torch.uint8),),
            ("image",),
            (*_CONCEPT_FEATURES, *(_CLICK_FEATURES if tracker is not None else ())),
        ),
        _Graph(
            "text_encoder",
            TextEncoder(model, pad=pad, remap=compact),
            (tokens,),
            ("tokens",),
            ("text_features", "text_mask"),
            {"tokens": {0: prompts}},
        ),
        *_decoders(model, (rows, cols), features, split=split, fused=fused),
        *([] if tracker is None else [_click_decoder(tracker, (rows, cols), size)]),
    ]


def _decoders(
    model: nn.Module, grid: tuple[int, int], features: tuple[torch.Tensor, ...], *, split: bool, fused: bool
) -> list[_Graph]:
    """The decoder as one graph, or without its mask head and that as another."""
    prompts = torch.export.Dim("prompts", min=1, max=4096)
    slots = torch.export.Dim("slots", min=1, max=4096)
    queries = torch.export.Dim("queries", min=1, max=4096)
    each, each_slot = {0: prompts}, {0: prompts, 1: slots}
    width = model.config.detr_encoder_config.hidden_size
    boxes, labels = torch.rand(2, 3, 4) * 0.2 + 0.4, torch.tensor([[1, 0, -10], [1, -10, -10]])
    prompt = (torch.rand(2, _CONTEXT, width), torch.ones(2, _CONTEXT, dtype=torch.bool), boxes, labels)
    names = ("text_features", "text_mask", "boxes", "box_labels")
    open_sizes = {"text_features": each, "text_mask": each, "boxes": each_slot, "box_labels": each_slot}
    answers = ("logits", "presence", "boxes_xyxy")
    if not split:
        whole = Decoder(model, grid, fused=fused)
        every = (*_CONCEPT_FEATURES, *names)
        return [_Graph("decoder", whole, (*features, *prompt), every, (*answers, "masks"), open_sizes)]
    detector = Detector(model, grid, fused=fused)
    between = ("mask_features", "mask_queries")
    fine, middle, coarse = features
    seen = (fine, middle, torch.rand(1, width, *grid), torch.rand(1, 3, width))
    return [
        _Graph("decoder", detector, (coarse, *prompt), ("fpn_2", *names), (*answers, *between), open_sizes),
        _Graph(
            "mask_decoder", detector.masks, seen, ("fpn_0", "fpn_1", *between), ("masks",), {between[1]: {1: queries}}
        ),
    ]


def _click_decoder(tracker: nn.Module, grid: tuple[int, int], size: tuple[int, int]) -> _Graph:
    width = tracker.config.mask_decoder_config.hidden_size
    points = torch.export.Dim("points", min=1, max=4096)
    features = tuple(
        torch.rand(1, width // share, grid[0] * scale, grid[1] * scale) for share, scale in ((8, 4), (4, 2), (1, 1))
    )
    return _Graph(
        "click_decoder",
        ClickDecoder(tracker, grid, size),
        (*features, torch.rand(3, 2), torch.tensor([1, 0, 2])),
        (*_CLICK_FEATURES, "points", "point_labels"),
        ("ious", "masks", "object_logit"),
        {"points": {0: points}, "point_labels": {0: points}},
    )


def _write(graph: _Graph, folder: Path, manifest: Mapping[str, str], storage: str) -> None:
    shapes = {name: dict(graph.open_sizes.get(name, {})) for name in graph.inputs} if graph.open_sizes else None
    with torch.no_grad():
        program = torch.onnx.export(
            graph.module.eval(),
            graph.example,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            opset_version=_OPSET,
            dynamo=True,
            dynamic_shapes=shapes,
            custom_translation_table=onnx_translation(),
            verbose=False,
        )
    proto = program.model_proto
    for node in proto.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del proto.graph.value_info[:]
    if storage == "float16":
        store_as_half(proto)
    onnx.helper.set_model_props(proto, dict(manifest))
    path = folder / f"{graph.role}.onnx"
    if sum(len(tensor.raw_data) for tensor in proto.graph.initializer) > _EXTERNAL_ABOVE:
        convert_model_to_external_data(proto, location=f"{path.name}.data")
    onnx.save_model(proto, path)
