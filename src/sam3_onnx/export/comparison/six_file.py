"""Holds exported six files against the PyTorch model they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch.nn import functional

from sam3_onnx.errors import ExportMismatchError
from sam3_onnx.export.comparison.overlap import smallest_iou
from sam3_onnx.export.comparison.reference import Reference, noise_picture, score
from sam3_onnx.export.comparison.report import ExportReport
from sam3_onnx.export.tokens import token_rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

__all__ = ["verify_six_file"]

_BOX = np.array([[[0.4, 0.4, 0.3, 0.3]]], np.float32)
_CASES: tuple[tuple[list[int], int], ...] = (([1125], -10), ([1125], 1), ([736, 3199], 0))
"""Tokens of a word, and the label of a box: none, positive, negative."""
_SIZES = ((400, 300), (120, 200))
"""(height, width) of pictures, neither of the input's size nor of its aspect."""


def verify_six_file(
    folder: Path, model: nn.Module, *, threshold: float, token_remap: torch.Tensor | None
) -> ExportReport:
    """Runs six files and model on a word, a word and a box of either sign, in two pictures.

    All queries are compared, also those that the threshold cuts away: the comparison is made with a copy
    of the decoder whose threshold is -1, which the decoder itself is then held against.

    Raises:
        ExportMismatchError: They do not answer the same.
    """
    image = noise_picture(model)
    files = _SixFiles(folder, image)
    reference = Reference(model, image, token_remap, 0)
    scores, edges, ious = [], [], []
    for words, label in _CASES:
        tokens = token_rows([words], pad=0)
        logits, presence, shares, masks = reference.ask(tokens, _BOX, np.array([[label]]))
        for size in _SIZES:
            feeds = files.feeds(tokens, label, size)
            all_boxes, all_scores, all_masks = files.uncut.run(("boxes", "scores", "masks"), feeds)
            resized = functional.interpolate(torch.from_numpy(masks), size=size, mode="bilinear", align_corners=False)
            scores.append(float(np.abs(all_scores - score(logits, presence)[0]).max()))
            edges.append(float(np.abs(all_boxes / [*size[::-1], *size[::-1]] - shares[0]).max()))
            ious.append(smallest_iou(all_masks[:, 0], resized[0].numpy() > 0))
            _require_cut(files.decoder.run(("scores",), feeds)[0], all_scores, threshold)
    return ExportReport(max(scores), max(edges), min(ious), len(scores)).require_agreement()


def _require_cut(kept: NDArray[np.float32], scores: NDArray[np.float32], threshold: float) -> None:
    expected = scores[scores > np.float32(threshold)]
    if not np.array_equal(kept, expected):
        raise ExportMismatchError(expected=f"{len(expected)} scores above {threshold}", got=f"{len(kept)}")


class _SixFiles:
    """The exported graphs, with one picture encoded."""

    def __init__(self, folder: Path, image: NDArray[np.uint8]) -> None:
        def graph(role: str) -> ort.InferenceSession:
            return ort.InferenceSession(str(folder / f"sam3_{role}.onnx"), providers=["CPUExecutionProvider"])

        encoder, self.text_encoder, self.decoder = graph("image_encoder"), graph("language_encoder"), graph("decoder")
        names = [output.name for output in encoder.get_outputs()]
        self.features = dict(zip(names, encoder.run(names, {"image": image}), strict=True))
        self.uncut = _without_threshold(folder / "sam3_decoder.onnx")

    def feeds(self, tokens: NDArray[np.int64], label: int, size: tuple[int, int]) -> dict[str, NDArray[Any]]:
        """What the decoder takes."""
        mask, memory = self.text_encoder.run(("text_attention_mask", "text_memory"), {"tokens": tokens})
        given = {
            **self.features,
            "original_height": np.array(size[0]),
            "original_width": np.array(size[1]),
            "language_mask": mask,
            "language_features": memory,
            "box_coords": _BOX,
            "box_labels": np.array([[max(label, 0)]]),
            "box_masks": np.array([[label < 0]]),
        }
        return {each.name: given[each.name] for each in self.decoder.get_inputs()}


def _without_threshold(path: Path) -> ort.InferenceSession:
    proto = onnx.load_model(path)
    (cut,) = (node for node in proto.graph.node if node.op_type == "Greater" and "threshold" in node.input)
    # Only here: the exporter lets other nodes that need the same number read it from the same tensor.
    cut.input[list(cut.input).index("threshold")] = "no_threshold"
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(-1.0), "no_threshold"))
    return ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
