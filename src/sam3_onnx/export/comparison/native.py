"""Holds an exported native bundle against the PyTorch model it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort

from sam3_onnx.export.comparison.clicks import CLICK_FEATURES, compare_clicks
from sam3_onnx.export.comparison.overlap import smallest_iou
from sam3_onnx.export.comparison.reference import Reference, noise_picture, score
from sam3_onnx.export.comparison.report import ExportReport
from sam3_onnx.export.comparison.video import compare_video
from sam3_onnx.export.modules.memory import has_memory
from sam3_onnx.export.tokens import token_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    import torch
    from numpy.typing import NDArray
    from torch import nn

__all__ = ["verify_bundle"]

_FEATURES = ("fpn_0", "fpn_1", "fpn_2")
_ANSWERS = ("logits", "presence", "boxes_xyxy")
_BETWEEN = ("mask_features", "mask_queries")
_ASKED = ("text_encoder", "geometry_encoder", "fusion", "decoder", "mask_decoder")
"""The graphs behind the image encoder, in the order in which they are run."""


def verify_bundle(
    folder: Path, model: nn.Module, tracker: nn.Module | None = None, *, token_remap: torch.Tensor | None, pad: int
) -> ExportReport:
    """Runs bundle and model on words, boxes of both signs, both, several prompts at once, clicks, and steps of a video.

    Raises:
        ExportMismatchError: They do not answer the same.
    """
    image = noise_picture(model)
    one, two = [0.4, 0.4, 0.3, 0.3], [0.7, 0.6, 0.2, 0.3]
    cases = [
        ([[1125]], [[one]], [[-10]]),
        ([[1125]], [[one]], [[1]]),
        ([[736, 3199]], [[one, two]], [[1, 0]]),
        ([[1125], [736, 3199], [320]], [[one, two], [two, one], [one, one]], [[1, -10], [0, 1], [-10, -10]]),
    ]
    bundle = _Bundle(folder, image, clicks=tracker is not None)
    reference = Reference(model, image, token_remap, pad)
    scores, edges, ious = [], [], []
    for words, boxes, labels in cases:
        prompt = token_rows(words, pad=pad), np.array(boxes, np.float32), np.array(labels, np.int64)
        ours, theirs = bundle.ask(*prompt), reference.ask(*prompt)
        scores.append(float(np.abs(score(*ours[:2]) - score(*theirs[:2])).max()))
        edges.append(float(np.abs(ours[2] - theirs[2]).max()))
        ious.append(smallest_iou(ours[3] > 0, theirs[3] > 0))
    if tracker is not None:
        for differs, overlap in compare_clicks(folder, tracker, image, bundle.features):
            scores.append(differs)
            ious.append(overlap)
    memories: list[float] = []
    if tracker is not None and has_memory(tracker):
        for found in compare_video(folder, tracker, bundle.features):
            scores.append(found.score)
            memories.append(found.memory)
            ious.append(found.mask_iou)
    memory = max(memories) if memories else None
    return ExportReport(max(scores), max(edges), min(ious), len(scores), memory).require_agreement()


class _Bundle:
    """The exported graphs, with one picture encoded."""

    def __init__(self, folder: Path, image: NDArray[np.uint8], *, clicks: bool) -> None:
        def graph(role: str) -> ort.InferenceSession:
            return ort.InferenceSession(str(folder / f"{role}.onnx"), providers=["CPUExecutionProvider"])

        names = (*_FEATURES, *(CLICK_FEATURES if clicks else ()))
        self.features = dict(zip(names, graph("image_encoder").run(names, {"image": image}), strict=True))
        self.graphs = {path.stem: graph(path.stem) for path in folder.glob("*.onnx") if path.stem in _ASKED}

    def ask(
        self, tokens: NDArray[np.int64], boxes: NDArray[np.float32], labels: NDArray[np.int64]
    ) -> list[NDArray[np.float32]]:
        """Logits, presence, boxes, masks."""
        known: dict[str, NDArray[np.generic]] = {
            **self.features,
            "tokens": tokens,
            "boxes": boxes,
            "box_labels": labels,
        }
        for role in (role for role in _ASKED[:-1] if role in self.graphs):
            known |= self._run(role, known)
        if "masks" not in known:
            between = zip(*(known[name] for name in _BETWEEN), strict=True)
            rows = [
                self._run(
                    "mask_decoder", {**known, **{name: one[None] for name, one in zip(_BETWEEN, each, strict=True)}}
                )
                for each in between
            ]
            known["masks"] = np.concatenate([row["masks"] for row in rows])
        answers: list[NDArray[Any]] = [known[name] for name in (*_ANSWERS, "masks")]
        return answers

    def _run(self, role: str, known: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        graph = self.graphs[role]
        outputs = [output.name for output in graph.get_outputs()]
        feeds = {each.name: known[each.name] for each in graph.get_inputs()}
        return dict(zip(outputs, graph.run(outputs, feeds), strict=True))
