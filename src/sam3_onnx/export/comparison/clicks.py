"""Holds the click head of a bundle against the tracker it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import torch

from sam3_onnx.export.comparison.overlap import smallest_iou
from sam3_onnx.export.modules.memory import has_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

__all__ = ["CLICK_FEATURES", "compare_clicks"]

CLICK_FEATURES = ("click_0", "click_1", "click_2")
_CORNERS = [2, 3]
_CASES: tuple[tuple[list[tuple[float, float]], list[int], list[float] | None], ...] = (
    ([(0.3, 0.4)], [1], None),
    ([(0.3, 0.4), (0.8, 0.7)], [1, 0], None),
    ([], [], [0.2, 0.1, 0.6, 0.7]),
    ([(0.5, 0.6)], [0], [0.2, 0.1, 0.6, 0.7]),
)
"""Points in 0..1, their labels, and a box x1, y1, x2, y2 in 0..1."""


def compare_clicks(
    folder: Path, tracker: nn.Module, image: NDArray[np.uint8], encoded: Mapping[str, NDArray[np.float32]]
) -> Iterator[tuple[float, float]]:
    """Asks bundle and model the same: clicks of both signs, a box, both.

    The model's own prompt encoder takes every picture for a square one; its points are placed so that they lie
    where they would in the picture at hand.

    Args:
        folder: Holds the bundle.
        tracker: The model.
        image: (3, H, W) uint8 RGB.
        encoded: What the bundle's image encoder answers for it.

    Yields:
        For each case the largest difference of an expected IoU, and the smallest IoU of a mask.
    """
    features = {name: encoded[name] for name in CLICK_FEATURES}
    decoder = ort.InferenceSession(str(folder / "click_decoder.onnx"), providers=["CPUExecutionProvider"])
    height, width = image.shape[1:]
    with torch.no_grad():
        embedded = tracker.get_image_embeddings(torch.from_numpy(image).float()[None] / 127.5 - 1)
    square = tracker.prompt_encoder.input_image_size
    tracker.prompt_encoder.image_embedding_size = features["click_2"].shape[2:]
    shift = 0.5 * square / torch.tensor([width, height]) - 0.5  # the model adds half a pixel of the square
    for points, labels, box in _CASES:
        corners = [] if box is None else [(box[0], box[1]), (box[2], box[3])]
        feeds = {
            **features,
            "points": np.array([*points, *corners], np.float32),
            "point_labels": np.array([*labels, *(_CORNERS if corners else [])], np.int64),
        }
        ious, masks, _ = decoder.run(("ious", "masks", "object_logit"), feeds)
        with torch.no_grad():
            expected_masks, expected_ious = _answered(
                tracker,
                embedded,
                input_points=(torch.tensor(points) * square + shift)[None, None] if points else None,
                input_labels=torch.tensor(labels)[None, None] if points else None,
                input_boxes=None if box is None else (torch.tensor(box) * square + shift.repeat(2))[None, None],
            )
        difference = float(np.abs(ious - expected_ious[0, 0].numpy()).max())
        yield difference, smallest_iou(masks > 0, expected_masks[0, 0].numpy() > 0)


def _answered(
    tracker: nn.Module, embedded: list[torch.Tensor], **prompts: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """All three masks and their expected IoUs; the video tracker's own call keeps the best mask alone."""
    if not has_memory(tracker):
        answer = tracker(image_embeddings=embedded, **prompts)
        return answer.pred_masks, answer.iou_scores
    sparse, dense = tracker.prompt_encoder(input_masks=None, **prompts)
    masks, ious, *_ = tracker.mask_decoder(
        image_embeddings=embedded[-1],
        image_positional_embeddings=tracker.get_image_wide_positional_embeddings(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=True,
        high_resolution_features=embedded[:-1],
    )
    return masks, ious
