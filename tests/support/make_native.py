"""How were the bundle and the golden answers in `tests/data/native` made?

`python -m tests.support.make_native [FOLDER]`, with the extras `[export,test]`. A
transformers `Sam3Model` of random weights, seeded, is exported by `sam3_onnx.export`, and the
same model answers the questions of `CASES` in PyTorch. Nothing of the library's own decoding is
used for the answers: scores, boxes and masks are made here as the reference makes them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import numpy as np
import torch
from torch.nn import functional
from transformers import (
    Sam3Config,
    Sam3LiteTextConfig,
    Sam3LiteTextModel,
    Sam3Model,
    Sam3TrackerConfig,
    Sam3TrackerModel,
)

from sam3_onnx.export import export_bundle
from sam3_onnx.export.operators.roi_align import stand_in_for_torchvision
from sam3_onnx.images import to_model_input
from sam3_onnx.prompts.tokenizer import ClipTokenizer, load_tokenizer
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH, HEADS, QUERIES = 32, 4, 12
ROWS, COLUMNS, PATCH = 8, 12, 14
SIZE = ROWS * PATCH, COLUMNS * PATCH
WORDS = ("coin", "dog", "red", "ring", "visual")
PAD, UNKNOWN, START, END = range(4)
EMPTY_SLOT = -10
SEED, LITE_SEED = 38, 5
BEST = 2
PICTURES = {"same": SIZE, "other": (180, 130)}


class Case(TypedDict):
    """One question: words, and boxes x1, y1, x2, y2 in shares of the picture with 1 or 0."""

    words: list[str]
    boxes: list[tuple[float, float, float, float]]
    labels: list[int]


CASES: dict[str, Case] = {
    "text": {"words": ["red ring"], "boxes": [], "labels": []},
    "one_box": {"words": ["visual"], "boxes": [(0.25, 0.25, 0.5, 0.75)], "labels": [1]},
    "boxes_of_both_signs": {
        "words": ["visual"],
        "boxes": [(0.25, 0.25, 0.5, 0.75), (0.0, 0.5, 0.25, 1.0), (0.5, 0.1, 1.0, 0.4)],
        "labels": [1, 0, 1],
    },
    "text_and_boxes": {
        "words": ["dog"],
        "boxes": [(0.6, 0.1, 0.9, 0.3), (0.1, 0.6, 0.3, 0.9)],
        "labels": [0, 1],
    },
    "words": {"words": ["coin", "red ring", "dog", "a dog", "ring", "red coin"], "boxes": [], "labels": []},
    "words_and_boxes": {
        "words": ["coin", "red ring", "dog"],
        "boxes": [(0.3, 0.3, 0.8, 0.6), (0.0, 0.0, 0.2, 0.2)],
        "labels": [1, 0],
    },
}


def token_remap() -> torch.Tensor:
    """(49408,) int64: the ids of the small table, UNKNOWN for words that it does not have."""
    remap = torch.full((ClipTokenizer.END + 1,), UNKNOWN)
    remap[0], remap[ClipTokenizer.START], remap[ClipTokenizer.END] = PAD, START, END
    for place, word in enumerate(WORDS, END + 1):
        (token,) = load_tokenizer().encode(word)[1:-1]
        remap[token] = place
    return remap


def make_model(
    size: tuple[int, int] = SIZE, *, heads: int = HEADS, decoder_layers: int = 2, width: int = WIDTH
) -> Sam3Model:
    """The true architecture, small, with weights wide enough that answers differ from prompt to prompt.

    Args:
        size: (height, width) of the input, multiples of PATCH.
        heads: Of all attention but the backbone's.
        decoder_layers: Of the DETR decoder.
        width: Channels of all features.
    """
    rows, columns = size[0] // PATCH, size[1] // PATCH
    part = {"hidden_size": width, "num_attention_heads": heads, "intermediate_size": 2 * width, "dropout": 0.0}
    backbone = {
        "model_type": "sam3_vit_model",
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": size,
        "patch_size": PATCH,
        "window_size": 4,
        "global_attn_indexes": [1],
        "pretrain_image_size": SIZE[0],
    }
    config = Sam3Config(
        vision_config={
            "model_type": "sam3_vision_model",
            "fpn_hidden_size": width,
            "backbone_feature_sizes": [[scale * rows, scale * columns] for scale in (4, 2, 1)],
            "backbone_config": backbone,
        },
        text_config={
            "model_type": "clip_text_model",
            "vocab_size": END + 1 + len(WORDS),
            "hidden_size": width,
            "intermediate_size": 2 * width,
            "projection_dim": width,
            "num_hidden_layers": 1,
            "num_attention_heads": heads,
            "max_position_embeddings": ClipTokenizer.CONTEXT,
            "hidden_act": "gelu",
            "bos_token_id": START,
            "eos_token_id": END,
            "pad_token_id": PAD,
        },
        geometry_encoder_config={**part, "num_layers": 1, "roi_size": 3},
        detr_encoder_config={**part, "num_layers": 1},
        detr_decoder_config={**part, "num_layers": decoder_layers, "num_queries": QUERIES},
        mask_decoder_config={"hidden_size": width, "num_attention_heads": heads, "num_upsampling_stages": 2},
    )
    stand_in_for_torchvision()
    torch.manual_seed(SEED)
    model = Sam3Model(config).eval()
    _widen(model)
    return model


def make_lite_model(vocabulary: int = END + 1 + len(WORDS)) -> Sam3LiteTextModel:
    """SAM3-LiteText, small, with blocks of both kinds and a table of positions that is shorter than a prompt.

    Args:
        vocabulary: Rows of the token table.
    """
    shared = {name: value for name, value in make_model().config.to_dict().items() if name.endswith("_config")}
    for name in ("geometry_encoder", "detr_encoder", "detr_decoder", "mask_decoder"):
        shared[f"{name}_config"]["model_type"] = f"sam3_lite_text_{name}"
    shared["text_config"] = {
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "projection_dim": WIDTH,
        "num_hidden_layers": 3,
        "num_attention_heads": HEADS,
        "max_position_embeddings": 20,
        "repmixer_kernel_size": 5,
        "layer_scale_init_value": 0.5,
    }
    stand_in_for_torchvision()
    model = Sam3LiteTextModel(Sam3LiteTextConfig(**shared)).eval()
    _widen(model, LITE_SEED)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
    return model


def make_tracker(model: Sam3Model) -> Sam3TrackerModel:
    """The true tracker architecture, small, on the model's own backbone."""
    config = Sam3TrackerConfig(
        vision_config=model.config.vision_config.to_dict(),
        prompt_encoder_config={
            "hidden_size": WIDTH,
            "image_size": SIZE[0],
            "patch_size": PATCH,
            "mask_input_channels": 4,
        },
        mask_decoder_config={
            "hidden_size": WIDTH,
            "mlp_dim": 2 * WIDTH,
            "num_attention_heads": HEADS,
            "iou_head_hidden_dim": WIDTH,
        },
    )
    torch.manual_seed(SEED)
    tracker = Sam3TrackerModel(config).eval()
    with torch.no_grad():
        for weights in tracker.parameters():
            if weights.ndim > 1:
                weights.copy_(torch.randn_like(weights) / weights[0].numel() ** 0.5)
    tracker.vision_encoder.backbone.load_state_dict(model.vision_encoder.backbone.state_dict())
    return tracker


def _widen(model: Sam3Model | Sam3LiteTextModel, seed: int = SEED) -> None:
    """Draws weights so large that queries and prompts differ, and lifts scores to both sides of 0.5."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                spread = 2.0 if "embed" in name else 1.2 / weights[0].numel() ** 0.5
                weights.copy_(torch.randn_like(weights) * spread)
        model.dot_product_scoring.query_proj.weight.mul_(3.0)
        model.detr_decoder.presence_head.layer3.bias.add_(1.0)


def picture(size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3): a gradient in each channel with discs and a bar on it, small when compressed."""
    down, across = np.indices(size) / np.array(size)[:, None, None]
    channels = [200 * down, 200 * across, 100 + 100 * across * down]
    image = np.stack(channels, -1)
    for x, y, radius, color in ((0.3, 0.4, 0.15, (250, 40, 40)), (0.7, 0.6, 0.2, (30, 220, 90))):
        image[(across - x) ** 2 + (down - y) ** 2 < radius**2] = color
    image[size[0] // 8 : size[0] // 5, size[1] // 2 :] = (20, 20, 240)
    return (image // 16 * 16).astype(np.uint8)


class Answer(NamedTuple):
    """PyTorch's answer to the P words of a case."""

    scores: NDArray[np.float32]
    """(P, Q)."""
    boxes: NDArray[np.float32]
    """(P, Q, 4) xyxy in pixels."""
    masks: NDArray[np.bool_]
    """(P, Q, H, W)."""


def ask(
    model: Sam3Model,
    pixels: NDArray[np.uint8],
    case: Case,
    size: tuple[int, int],
    *,
    always_geometry: bool = True,
) -> Answer:
    """Asks word by word.

    transformers leaves the geometry's CLS token out where there is no box; a native bundle, as
    Meta's code, never does. One box in a slot labelled empty brings it in, unless not `always_geometry`.
    """
    height, width = size
    corners = torch.tensor(case["boxes"] or [(0.0, 0.0, 0.0, 0.0)])
    boxes = torch.cat([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], 1)[None]
    labels = torch.tensor([case["labels"] or [EMPTY_SLOT]])
    answers = []
    for word in case["words"]:
        ids = torch.zeros((1, ClipTokenizer.CONTEXT), dtype=torch.int64)
        tokens = load_tokenizer().encode(word)
        ids[0, : len(tokens)] = torch.tensor(tokens)
        with torch.no_grad():
            heads = model(
                pixel_values=torch.from_numpy(pixels).float()[None] / 127.5 - 1,
                input_ids=token_remap()[ids],
                attention_mask=(ids != 0).long(),
                input_boxes=boxes if case["boxes"] or always_geometry else None,
                input_boxes_labels=labels,
            )
        scores = heads.pred_logits[0].sigmoid() * heads.presence_logits[0].sigmoid()
        found = heads.pred_boxes[0] * torch.tensor([width, height, width, height])
        masks = functional.interpolate(heads.pred_masks, size=size, mode="bilinear", align_corners=False)[0] > 0
        answers.append((scores.numpy(), found.numpy(), masks.numpy()))
    return Answer(*(np.stack(values) for values in zip(*answers, strict=True)))


def write_answers(model: Sam3Model, path: Path) -> None:
    """Stores pictures and answers: scores and boxes of all queries, masks of the BEST of each word."""
    stored: dict[str, Any] = {"cases": np.array(json.dumps(CASES))}
    for name, size in PICTURES.items():
        image = picture(size)
        stored[f"{name}/image"] = image
        for case, asked in CASES.items():
            answer = ask(model, to_model_input(image, SIZE), asked, size)
            best = np.argsort(-answer.scores, axis=1)[:, :BEST]
            stored[f"{name}/{case}/scores"], stored[f"{name}/{case}/boxes"] = answer.scores, answer.boxes
            stored[f"{name}/{case}/masks"] = np.packbits(np.take_along_axis(answer.masks, best[..., None, None], 1))
            sys.stdout.write(f"{name} {case}: {(answer.scores > 0.5).sum(1).tolist()} of {QUERIES} scores above 0.5\n")
    np.savez_compressed(path, **stored)


def main(folder: Path) -> None:
    """Writes the three graphs and `ref.npz`, and says how well the graphs agree with PyTorch."""
    model = make_model()
    report = export_bundle(model, folder, source="random weights", licence="MIT", token_remap=token_remap())
    write_answers(model, folder / "ref.npz")
    sys.stdout.write(f"{report}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else NATIVE)
