"""Inputs and outputs of the graphs of every family, without the graphs."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from sam3_onnx.models.runtime.graphs.reading import GraphInfo, TensorInfo

Ports: TypeAlias = "dict[str, tuple[object, ...]]"
"""Name of an input or output: its element type, then its sizes."""
Parts: TypeAlias = "dict[str, GraphInfo]"


def ports(given: Ports) -> dict[str, TensorInfo]:
    return {
        name: TensorInfo(str(kind), tuple(size if isinstance(size, int) else None for size in sizes))
        for name, (kind, *sizes) in given.items()
    }


def graph(name: str, inputs: Ports, outputs: Ports, metadata: dict[str, str] | None = None) -> GraphInfo:
    return GraphInfo(Path(f"{name}.onnx"), ports(inputs), ports(outputs), metadata or {}, (), {})


def levels(names: str, cells: tuple[int, int], channels: tuple[int, int, int] = (256, 256, 256)) -> Ports:
    """Features of three strides, the finest first; "?" in `names` stands for the level."""
    return {
        names.replace("?", str(level)): ("float32", 1, channels[level], cells[0] >> level, cells[1] >> level)
        for level in range(3)
    }


def cells_of(size: tuple[int, int]) -> tuple[int, int]:
    """Cells of the finest features: 3.5 pixels each."""
    return size[0] * 2 // 7, size[1] * 2 // 7


def native(size: tuple[int, int] = (1008, 1008)) -> Parts:
    features, text = levels("fpn_?", cells_of(size)), {"text_features": ("float32", None, 32, 256)}
    mask: Ports = {"text_mask": ("bool", None, 32)}
    boxes: Ports = {"boxes": ("float32", None, None, 4), "box_labels": ("int64", None, None)}
    answers: Ports = dict.fromkeys(("logits", "presence", "boxes_xyxy", "masks"), ("float32", None))
    graphs: dict[str, tuple[Ports, Ports]] = {
        "image_encoder": ({"image": ("uint8", 3, *size)}, features),
        "text_encoder": ({"tokens": ("int64", None, 32)}, text | mask),
        "decoder": (features | text | mask | boxes, answers),
    }
    return {
        role: graph(role, *ends, {"sam3_onnx.contract": "1", "sam3_onnx.role": role}) for role, ends in graphs.items()
    }


def meta(size: tuple[int, int], extra: Ports, answers: Ports, slots: int = 1) -> Parts:
    """Families A, B and C, of which only the decoders differ."""
    features, text = levels("backbone_fpn_?", cells_of(size)), {"text_memory": ("float32", 32, 1, 256)}
    places = levels("vision_pos_enc_?", cells_of(size))
    coarsest = {name: places[name] for name in places if name.endswith("2")}
    mask: Ports = {"text_attention_mask": ("bool", 1, 32), "text_embeds": ("float32", 32, 1, 1024)}
    words: Ports = {"language_mask": ("bool", 1, 32), "language_features": ("float32", 32, 1, 256)}
    boxes: Ports = {
        "box_coords": ("float32", slots, 1, 4),
        "box_labels": ("int64", slots, 1),
        "box_masks": ("bool", 1, slots),
    }
    return {
        "image_encoder": graph("sam3_image_encoder", {"image": ("uint8", 3, *size)}, features | places),
        "text_encoder": graph("sam3_language_encoder", {"tokens": ("int64", 1, 32)}, text | mask),
        "decoder": graph("sam3_decoder", features | coarsest | words | boxes | extra, answers),
    }


SIZE_INPUTS: Ports = {"original_height": ("int64",), "original_width": ("int64",)}
CUT_ANSWERS: Ports = {
    "boxes": ("float32", None, 4),
    "scores": ("float32", None),
    "masks": ("bool", None, 1, None, None),
}


def six_file(size: tuple[int, int] = (1008, 1008)) -> Parts:
    return meta(size, SIZE_INPUTS, CUT_ANSWERS)


def osam(size: tuple[int, int] = (1008, 1008)) -> Parts:
    return meta(size, {}, CUT_ANSWERS)


def raw_heads(size: tuple[int, int] = (1008, 1008)) -> Parts:
    heads = ("pred_boxes", "pred_logits", "pred_masks", "presence_logit_dec")
    return meta(size, SIZE_INPUTS, dict.fromkeys(heads, ("float32", 1, None)), slots=8)


BATCHED_HEADS: Ports = dict.fromkeys(
    ("pred_masks", "pred_boxes", "pred_logits", "presence_logits"), ("float32", None, None)
)
INPUT_BOXES: Ports = {"input_boxes": ("float32", None, None, 4), "input_boxes_labels": ("int64", None, None)}
IDS: Ports = {"input_ids": ("int64", None, 32), "attention_mask": ("int64", None, 32)}


def batched(size: tuple[int, int] = (1008, 1008)) -> Parts:
    features = levels("fpn_feat_?", cells_of(size))
    features["fpn_pos_2"] = features["fpn_feat_2"]
    text: Ports = {"text_features": ("float32", None, 32, 256), "text_mask": ("bool", None, 32)}
    return {
        "image_encoder": graph("vision-encoder", {"images": ("float32", None, 3, *size)}, features),
        "text_encoder": graph("text-encoder", IDS, text),
        "decoder": graph("decoder", features | text | INPUT_BOXES, BATCHED_HEADS),
    }


def batched_geometry(size: tuple[int, int] = (1008, 1008)) -> Parts:
    shared = batched(size)
    features = dict(shared["image_encoder"].outputs)
    finished: Ports = {"prompt_features": ("float32", None, None, 256), "prompt_mask": ("bool", None, None)}
    found: Ports = {"geometry_features": ("float32", None, None, 256), "geometry_mask": ("bool", None, None)}
    coarse = {name: features[name] for name in ("fpn_feat_2", "fpn_pos_2")}
    return {
        "image_encoder": shared["image_encoder"],
        "text_encoder": shared["text_encoder"],
        "geometry_encoder": GraphInfo(
            Path("geometry-encoder.onnx"), ports(INPUT_BOXES) | coarse, ports(found), {}, (), {}
        ),
        "decoder": GraphInfo(Path("decoder.onnx"), features | ports(finished), ports(BATCHED_HEADS), {}, (), {}),
    }


def text_only(size: tuple[int, int] = (1008, 1008)) -> Parts:
    features = levels("fpn_hidden_state_?", cells_of(size))
    places = {"fpn_position_encoding_2": features["fpn_hidden_state_2"]}
    text: Ports = {"text_features": ("float32", 1, 32, 256)}
    heads: Ports = dict.fromkeys(("pred_masks", "pred_boxes", "pred_logits"), ("float32", 1, 200))
    mask: Ports = {"attention_mask": ("int64", 1, 32)}
    return {
        "image_encoder": graph("vision_encoder", {"pixel_values": ("float32", 1, 3, *size)}, features | places),
        "text_encoder": graph("text_encoder", IDS, text),
        "decoder": graph("decoder", features | places | text | mask, heads),
    }


CLICKS: Ports = {
    "input_points": ("float32", None, 1, None, 2),
    "input_labels": ("int64", None, 1, None),
    "input_boxes": ("float32", None, None, 4),
}
CANDIDATES: Ports = dict.fromkeys(("iou_scores", "pred_masks", "object_score_logits"), ("float32", None))


def tracker(size: tuple[int, int] = (1008, 1008), cells: tuple[int, int] | None = None) -> Parts:
    features = levels("image_embeddings.?", cells or cells_of(size), (32, 64, 256))
    return {
        "image_encoder": graph("vision_encoder", {"pixel_values": ("float32", None, 3, *size)}, features),
        "decoder": graph("prompt_encoder_mask_decoder", features | CLICKS, CANDIDATES),
    }


MAKERS = {
    "native": native,
    "six-file": six_file,
    "osam": osam,
    "raw-heads": raw_heads,
    "batched": batched,
    "batched-geometry": batched_geometry,
    "text-only": text_only,
    "tracker": tracker,
}
