"""Holds an exported bundle against the PyTorch model it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import torch

from sam3_onnx.errors import Sam3Error
from sam3_onnx.export.overlap import smallest_iou
from sam3_onnx.export.verify_clicks import compare_clicks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

__all__ = ["ExportMismatchError", "Report", "verify_bundle"]

_SCORE_TOLERANCE = 1e-4
_IOU_TOLERANCE = 0.99
_EDGE_TOLERANCE = 5e-4  # half a pixel of a picture of 1008 pixels
_CONTEXT = 32
_START, _END = 49406, 49407
_ANSWERS = ("logits", "presence", "boxes_xyxy")
_BETWEEN = ("mask_features", "mask_queries")


class ExportMismatchError(Sam3Error, RuntimeError):
    """An exported bundle does not answer as the model it was made from."""


@dataclass(frozen=True)
class Report:
    """How far a bundle and its model differ, at worst over all cases."""

    score: float
    """Largest difference of a score, in 0..1."""
    box: float
    """Largest difference of a box edge, as a share of the picture."""
    mask_iou: float
    """Smallest IoU of a query's mask with the model's."""
    cases: int
    """How many questions were asked, clicks among them."""

    def __str__(self) -> str:
        return f"{self.cases} cases: scores within {self.score:.1e}, boxes {self.box:.1e}, mask IoU {self.mask_iou:.4f}"


def verify_bundle(
    folder: Path, model: nn.Module, tracker: nn.Module | None = None, *, token_remap: torch.Tensor | None, pad: int
) -> Report:
    """Runs bundle and model on words, boxes of both signs, both together, several prompts at once, and clicks.

    Raises:
        ExportMismatchError: They do not answer the same.
    """
    side = model.config.vision_config.backbone_config.image_size
    size = (side, side) if isinstance(side, int) else tuple(side)
    image = np.random.default_rng(0).integers(0, 256, (3, *size), dtype=np.uint8)
    image[:, size[0] // 4 : size[0] // 2, size[1] // 4 : size[1] // 2] //= 4
    one, two = [0.4, 0.4, 0.3, 0.3], [0.7, 0.6, 0.2, 0.3]
    cases = [
        ([[1125]], [[one]], [[-10]]),
        ([[1125]], [[one]], [[1]]),
        ([[736, 3199]], [[one, two]], [[1, 0]]),
        ([[1125], [736, 3199], [320]], [[one, two], [two, one], [one, one]], [[1, -10], [0, 1], [-10, -10]]),
    ]
    bundle = _Bundle(folder, image)
    reference = _Reference(model, image, token_remap, pad)
    scores, edges, ious = [], [], []
    for words, boxes, labels in cases:
        tokens = np.full((len(words), _CONTEXT), pad, np.int64)
        for row, ids in enumerate(words):
            tokens[row, : len(ids) + 2] = [_START, *ids, _END]
        prompt = tokens, np.array(boxes, np.float32), np.array(labels, np.int64)
        ours, theirs = bundle.ask(*prompt), reference.ask(*prompt)
        scores.append(float(np.abs(_score(ours) - _score(theirs)).max()))
        edges.append(float(np.abs(ours[2] - theirs[2]).max()))
        ious.append(smallest_iou(ours[3] > 0, theirs[3] > 0))
    if tracker is not None:
        for differs, overlap in compare_clicks(folder, tracker, image):
            scores.append(differs)
            ious.append(overlap)
    report = Report(max(scores), max(edges), min(ious), len(scores))
    if not (report.score <= _SCORE_TOLERANCE and report.mask_iou >= _IOU_TOLERANCE and report.box <= _EDGE_TOLERANCE):
        raise ExportMismatchError(
            f"The bundle in {folder} does not answer as the model does: expected scores within {_SCORE_TOLERANCE}, "
            f"boxes within {_EDGE_TOLERANCE} and mask IoU of at least {_IOU_TOLERANCE}, got {report}. "
            "Do not use it; report the versions of torch, onnxscript and transformers."
        )
    return report


class _Bundle:
    """The exported graphs, with one picture encoded."""

    def __init__(self, folder: Path, image: NDArray[np.uint8]) -> None:
        def graph(role: str) -> ort.InferenceSession:
            return ort.InferenceSession(str(folder / f"{role}.onnx"), providers=["CPUExecutionProvider"])

        levels = ("fpn_0", "fpn_1", "fpn_2")
        self.features = dict(zip(levels, graph("image_encoder").run(levels, {"image": image}), strict=True))
        self.text_encoder, self.decoder = graph("text_encoder"), graph("decoder")
        self.mask_decoder = graph("mask_decoder") if (folder / "mask_decoder.onnx").exists() else None

    def ask(
        self, tokens: NDArray[np.int64], boxes: NDArray[np.float32], labels: NDArray[np.int64]
    ) -> list[NDArray[np.float32]]:
        """Logits, presence, boxes, masks."""
        text, mask = self.text_encoder.run(("text_features", "text_mask"), {"tokens": tokens})
        feeds = {"text_features": text, "text_mask": mask, "boxes": boxes, "box_labels": labels}
        if self.mask_decoder is None:
            answers: list[NDArray[np.float32]] = self.decoder.run((*_ANSWERS, "masks"), {**feeds, **self.features})
            return answers
        *answers, seen, queries = self.decoder.run((*_ANSWERS, *_BETWEEN), {**feeds, "fpn_2": self.features["fpn_2"]})
        fine = {name: self.features[name] for name in ("fpn_0", "fpn_1")}
        rows = [
            self.mask_decoder.run(("masks",), {**fine, "mask_features": one[None], "mask_queries": asked[None]})[0]
            for one, asked in zip(seen, queries, strict=True)
        ]
        return [*answers, np.concatenate(rows)]


class _Reference:
    """The PyTorch model through its own `forward`, with the same picture encoded."""

    def __init__(self, model: nn.Module, image: NDArray[np.uint8], remap: torch.Tensor | None, pad: int) -> None:
        self.model, self.remap, self.pad = model, remap, pad
        with torch.no_grad():
            self.vision = model.get_vision_features(torch.from_numpy(image).float()[None] / 127.5 - 1)

    def ask(
        self, tokens: NDArray[np.int64], boxes: NDArray[np.float32], labels: NDArray[np.int64]
    ) -> list[NDArray[np.float32]]:
        """Logits, presence, boxes, masks."""
        ids = torch.from_numpy(tokens)
        vision = type(self.vision)(
            fpn_hidden_states=self._for_each(self.vision.fpn_hidden_states, len(ids)),
            fpn_position_encoding=self._for_each(self.vision.fpn_position_encoding, len(ids)),
        )
        with torch.no_grad():
            answer = self.model(
                vision_embeds=vision,
                input_ids=ids if self.remap is None else self.remap[ids],
                attention_mask=(ids != self.pad).long(),
                input_boxes=torch.from_numpy(boxes),
                input_boxes_labels=torch.from_numpy(labels),
            )
        return [
            head.numpy() for head in (answer.pred_logits, answer.presence_logits, answer.pred_boxes, answer.pred_masks)
        ]

    @staticmethod
    def _for_each(levels: Sequence[torch.Tensor], prompts: int) -> tuple[torch.Tensor, ...]:
        return tuple(level.expand(prompts, -1, -1, -1) for level in levels)


def _score(answer: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    score: NDArray[np.float32] = 1 / (1 + np.exp(-answer[0])) / (1 + np.exp(-answer[1]))
    return score
