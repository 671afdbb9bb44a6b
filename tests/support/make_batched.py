"""How were the graphs and the golden answers of families D1 and D2 in `tests/data/batched` made?

`python -m tests.support.make_batched [FOLDER]`, with the extras `[export,test]`.
The model is the one of `make_native`, its weights rounded to what float16 holds so that the
files are half as large. D1 goes to `batched_geometry/`. D2 has the same two encoders; `batched/`
holds its decoder, and all three graphs with float16 borders and quantised.

The answers are those of the model's own `forward`. D1 is asked without any geometry where there are
no boxes, D2 with one empty box slot, which brings in the geometry's CLS token.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn
from transformers.models.sam3.modeling_sam3 import box_cxcywh_to_xyxy

from sam3_onnx.export.modules.concepts import Decoder
from sam3_onnx.export.operators.roi_align import roi_align
from sam3_onnx.export.storage import round_weights, store_as_half
from sam3_onnx.images import to_model_input
from tests.support import make_native as maker
from tests.support.places import DATA

if TYPE_CHECKING:
    from collections.abc import Sequence

OPSET = 18
CONTEXT = 32
FEATURES = ("fpn_feat_0", "fpn_feat_1", "fpn_feat_2")
BOXES = ("input_boxes", "input_boxes_labels")
TEXT = ("text_features", "text_mask")
HEADS = ("pred_masks", "pred_boxes", "pred_logits", "presence_logits")
DECODERS = {"batched_geometry": "decoder", "batched": "geo-encoder-mask-decoder"}
HALF, QUANTIZED = "-fp16", "-q8"


class VisionEncoder(nn.Module):
    """Normalised pictures to features of three strides and the places of the coarsest."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.vision = model.vision_encoder

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, 3, H, W) in -1..1 -> fpn_feat_0..2, fpn_pos_2."""
        seen = self.vision(images)
        places = seen.fpn_position_encoding[2].expand(images.shape[0], -1, -1, -1)
        return (*seen.fpn_hidden_states[:3], places.clone())


class TextEncoder(nn.Module):
    """Tokens with their mask to features, batch first."""

    def __init__(self, model: nn.Module, remap: torch.Tensor) -> None:
        super().__init__()
        self.encoder, self.projection = model.text_encoder, model.text_projection
        self.unknown = int(remap.mode().values)
        known = (remap != self.unknown).nonzero()[:, 0]
        self.register_buffer("known", known)
        self.register_buffer("moved", remap[known] - self.unknown)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 32) twice -> text_features (B, 32, C), text_mask (B, 32), True where a token is real."""
        ids = self.unknown + ((input_ids[..., None] == self.known) * self.moved).sum(-1)
        hidden = self.encoder(input_ids=ids, attention_mask=attention_mask).last_hidden_state
        return self.projection(hidden), attention_mask != 0


class GeometryEncoder(nn.Module):
    """`Sam3GeometryEncoder.forward` with its masks written out; the CLS token comes last and is always real."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.geometry = model.geometry_encoder

    def forward(
        self, boxes: torch.Tensor, labels: torch.Tensor, coarse: torch.Tensor, places: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes (B, N, 4) with labels 1, 0 or -10 -> geometry_features (B, N + 1, C), geometry_mask (B, N + 1)."""
        geometry, (batch, slots) = self.geometry, boxes.shape[:2]
        height, width = coarse.shape[-2:]
        normed = geometry.vision_layer_norm(coarse.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        cells = box_cxcywh_to_xyxy(boxes) * torch.tensor([width, height, width, height], dtype=torch.float32)
        pooled = geometry.boxes_pool_project(roi_align(normed, cells, geometry.roi_size))
        coordinates = geometry._encode_box_coordinates(*boxes.reshape(-1, 4).unbind(-1))  # noqa: SLF001 - the model's own step
        embedded = geometry.boxes_direct_project(boxes) + pooled.reshape(batch, slots, -1)
        embedded = embedded + geometry.boxes_pos_enc_project(coordinates).reshape(batch, slots, -1)
        embedded = embedded + geometry.label_embed(labels.clamp(min=0))
        embedded = torch.cat([embedded, geometry.cls_embed.weight.expand(batch, 1, -1)], 1)
        real = labels != -10
        mask = torch.cat([real, real.new_ones(batch, 1)], 1)
        embedded = geometry.prompt_layer_norm(geometry.final_proj(embedded))
        hidden = (~mask)[:, None, None, :] * torch.finfo(torch.float32).min
        seen, where = (each.flatten(2).transpose(1, 2) for each in (coarse, places))
        for layer in geometry.layers:
            embedded = layer(embedded, seen, where, hidden)
        return geometry.output_layer_norm(embedded), mask


class PromptDecoder(nn.Module):
    """D1: features, places and finished prompts to raw heads."""

    def __init__(self, model: nn.Module, grid: tuple[int, int]) -> None:
        super().__init__()
        self.decoder = Decoder(model, grid)

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """fpn_feat_0..2, fpn_pos_2, prompt_features (B, L, C), prompt_mask (B, L) -> HEADS."""
        fine, middle, coarse, places, prompt, mask = given
        seen, where = (each.flatten(2).transpose(1, 2) for each in (coarse, places))
        logits, presence, boxes, masks = self.decoder.heads((fine, middle), seen, where, prompt, mask)
        return masks, boxes, logits, presence


class BoxDecoder(nn.Module):
    """D2: the geometry encoder and the decoder of D1 in one graph."""

    def __init__(self, model: nn.Module, grid: tuple[int, int]) -> None:
        super().__init__()
        self.geometry, self.decoder = GeometryEncoder(model), PromptDecoder(model, grid)

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """fpn_feat_0..2, fpn_pos_2, text_features, text_mask, input_boxes, input_boxes_labels -> HEADS."""
        *levels, places, words, mask, boxes, labels = given
        shown, shown_mask = self.geometry(boxes, labels, levels[-1], places)
        return self.decoder(*levels, places, torch.cat([words, shown], 1), torch.cat([mask, shown_mask], 1))


def export(
    module: nn.Module, example: Sequence[torch.Tensor], inputs: Sequence[str], outputs: Sequence[str]
) -> onnx.ModelProto:
    """Writes a module down with its batch, and the numbers of prompts and boxes, left open."""
    batch, length = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("length", min=1, max=512)
    open_sizes = [
        {0: batch, 1: length} if name in {*BOXES, "prompt_features", "prompt_mask"} else {0: batch} for name in inputs
    ]
    shapes = {"given": tuple(open_sizes)} if isinstance(module, PromptDecoder | BoxDecoder) else tuple(open_sizes)
    with torch.no_grad():
        program = torch.onnx.export(
            module.eval(),
            tuple(example),
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=shapes,
            verbose=False,
        )
    proto = program.model_proto
    for node in proto.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del proto.graph.value_info[:]
    return proto


def graphs(model: nn.Module, remap: torch.Tensor, rows: int, columns: int) -> dict[str, onnx.ModelProto]:
    """The two encoders, D1's geometry encoder, and the decoders of both, by the names of their files."""
    width, ids = model.config.detr_encoder_config.hidden_size, torch.full((2, CONTEXT), 49407)
    levels = [torch.rand(2, width, rows * scale, columns * scale) for scale in (4, 2, 1)]
    places, words, mask = torch.rand_like(levels[-1]), torch.rand(2, CONTEXT, width), torch.ones(2, CONTEXT) > 0
    shown = [torch.rand(2, 3, 4) * 0.2 + 0.4, torch.tensor([[1, 0, -10], [1, -10, -10]])]
    pictures = torch.rand(2, 3, rows * 14, columns * 14)
    prompts, prompt_mask = torch.rand(2, CONTEXT + 3, width), torch.ones(2, CONTEXT + 3) > 0
    seen, geometry = (*FEATURES, "fpn_pos_2"), ("geometry_features", "geometry_mask")
    return {
        "vision-encoder": export(VisionEncoder(model), [pictures], ["images"], seen),
        "text-encoder": export(
            TextEncoder(model, remap), [ids, torch.ones_like(ids)], ["input_ids", "attention_mask"], TEXT
        ),
        "geometry-encoder": export(GeometryEncoder(model), [*shown, levels[-1], places], [*BOXES, *seen[2:]], geometry),
        "decoder": export(
            PromptDecoder(model, (rows, columns)),
            [*levels, places, prompts, prompt_mask],
            [*seen, "prompt_features", "prompt_mask"],
            HEADS,
        ),
        "geo-encoder-mask-decoder": export(
            BoxDecoder(model, (rows, columns)), [*levels, places, words, mask, *shown], [*seen, *TEXT, *BOXES], HEADS
        ),
    }


def with_half_borders(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with every float32 input and output as float16, and casts just inside."""
    half = onnx.ModelProto()
    half.CopyFrom(proto)
    graph, inside = half.graph, {}
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
            inside[value.name] = f"{value.name}.float32"
    for node in graph.node:
        node.input[:] = [inside.get(name, name) for name in node.input]
        node.output[:] = [inside.get(name, name) for name in node.output]
    cast, kinds = partial(onnx.helper.make_node, "Cast"), onnx.TensorProto
    first = [cast([each.name], [inside[each.name]], to=kinds.FLOAT) for each in graph.input if each.name in inside]
    last = [cast([inside[each.name]], [each.name], to=kinds.FLOAT16) for each in graph.output if each.name in inside]
    nodes = [*first, *graph.node, *last]
    del graph.node[:]
    graph.node.extend(nodes)
    return half


def quantized(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with the weights of its matrix products as QUInt8."""
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch, "before.onnx"), Path(scratch, "after.onnx")
        onnx.save_model(proto, before)
        quantize_dynamic(before, after, weight_type=QuantType.QUInt8, op_types_to_quantize=["MatMul", "Gemm"])
        return onnx.load_model(after)


def shorten_names(graph: onnx.GraphProto) -> None:
    """Gives nodes, and what passes between them, short names: a sixth of a tiny file is names.

    No node goes without: older releases of ONNX Runtime make names of fused nodes from those of their parts.
    """
    kept = {value.name for value in (*graph.input, *graph.output)} | {""}
    given = [*(tensor.name for tensor in graph.initializer), *(name for node in graph.node for name in node.output)]
    short = {name: name if name in kept else f"{place:x}" for place, name in enumerate(given)}
    for tensor in graph.initializer:
        tensor.name = short[tensor.name]
    for place, node in enumerate(graph.node):
        node.name = f"n{place:x}"
        node.input[:] = [short.get(name, name) for name in node.input]
        node.output[:] = [short[name] for name in node.output]


def save(proto: onnx.ModelProto, path: Path) -> None:
    """Writes a graph with its weights stored as float16, which they fit, and with short names."""
    store_as_half(proto)
    del proto.graph.value_info[:]
    shorten_names(proto.graph)
    onnx.checker.check_model(proto)
    onnx.save_model(proto, path)
    sys.stdout.write(f"{path.parent.name}/{path.name}: {path.stat().st_size} bytes\n")


def write_answers(model: nn.Module, path: Path) -> None:
    """Stores pictures as they are and as the encoder takes them, and all scores and boxes, masks of the BEST."""
    stored: dict[str, Any] = {"cases": np.array(json.dumps(maker.CASES))}
    for name, size in maker.PICTURES.items():
        image = maker.picture(size)
        pixels = to_model_input(image, maker.SIZE)
        stored[f"{name}/image"], stored[f"{name}/pixels"] = image, pixels
        for case, asked in maker.CASES.items():
            for kind in ("empty_slot",) if asked["boxes"] else ("empty_slot", "no_geometry"):
                answer = maker.ask(model, pixels, asked, size, always_geometry=kind == "empty_slot")
                best = np.argsort(-answer.scores, axis=1)[:, : maker.BEST]
                key = f"{name}/{case}/{kind}"
                stored[f"{key}/scores"], stored[f"{key}/boxes"] = answer.scores, answer.boxes
                stored[f"{key}/masks"] = np.packbits(np.take_along_axis(answer.masks, best[..., None, None], 1))
    np.savez_compressed(path, **stored)
    sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")


def main(folder: Path) -> None:
    """Writes both folders and `ref.npz`."""
    model = maker.make_model()
    round_weights(model)
    for name in DECODERS:
        (folder / name).mkdir(exist_ok=True)
    write_answers(model, folder / "ref.npz")
    made = graphs(model, maker.token_remap(), maker.ROWS, maker.COLUMNS)
    for name in ("vision-encoder", "text-encoder", "geo-encoder-mask-decoder"):
        for ending, change in ((HALF, with_half_borders), (QUANTIZED, quantized)):
            save(change(made[name]), folder / "batched" / f"{name}{ending}.onnx")
    save(made.pop("geo-encoder-mask-decoder"), folder / "batched" / "geo-encoder-mask-decoder.onnx")
    for name, proto in made.items():
        save(proto, folder / "batched_geometry" / f"{name}.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "batched")
