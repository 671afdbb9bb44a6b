"""From raw detection heads to detections, as the reference does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.geometry.mask_sources import LogitMask
from sam3_onnx.models.families.answers import Output, require_finite
from sam3_onnx.models.families.protocol import Candidates, Detections

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["candidates_of", "detections_of", "scores_of", "select", "sigmoid", "xyxy"]


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logistic function, without overflow for large negative logits."""
    smaller = np.exp(-np.abs(logits))
    answer: NDArray[np.float32] = np.where(logits >= 0, 1 / (1 + smaller), smaller / (1 + smaller)).astype(np.float32)
    return answer


def xyxy(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    """(Q, 4) boxes of centre and size as boxes of corners."""
    centers, halves = boxes[:, :2], boxes[:, 2:] / 2
    return np.concatenate([centers - halves, centers + halves], axis=1)


def select(
    logits: NDArray[np.floating],
    presence: NDArray[np.floating] | None,
    boxes: NDArray[np.floating],
    masks: NDArray[np.floating],
    *,
    size: tuple[int, int],
    threshold: float,
    source: Output,
) -> Detections:
    """Keeps the queries of one prompt that score above a threshold.

    Score = sigmoid(logit) * sigmoid(presence), kept if strictly above the threshold
    (`Sam3Processor` of facebookresearch/sam3).

    Args:
        logits: (Q,) of the queries.
        presence: () or (1,) logit that the prompt is in the picture at all; None for a model that has none.
        boxes: (Q, 4) xyxy in 0..1.
        masks: (Q, h, w) logits.
        size: (height, width) of the picture.
        threshold: In 0..1.
        source: Where the masks come from, for messages.

    Raises:
        ModelAnswerError: A NaN or an infinity in a mask that is kept.
    """
    scores = scores_of(logits, presence)
    return detections_of(scores, boxes, masks, size=size, threshold=threshold, source=source)


def scores_of(logits: NDArray[np.floating], presence: NDArray[np.floating] | None) -> NDArray[np.float32]:
    """(Q,) scores of one prompt; see `select`."""
    scores = sigmoid(logits.astype(np.float32))
    return scores if presence is None else scores * sigmoid(presence.astype(np.float32).reshape(-1)[:1])


def detections_of(
    scores: NDArray[np.floating],
    boxes: NDArray[np.floating],
    masks: NDArray[np.floating],
    *,
    size: tuple[int, int],
    threshold: float,
    source: Output,
) -> Detections:
    """Keeps the queries of one prompt whose finished scores lie above a threshold.

    Args:
        scores: (Q,) in 0..1.
        boxes: (Q, 4) xyxy in 0..1.
        masks: (Q, h, w) logits.
        size: (height, width) of the picture.
        threshold: In 0..1.
        source: Where the masks come from, for messages.

    Raises:
        ModelAnswerError: A NaN or an infinity in a mask that is kept.
    """
    kept = np.flatnonzero(scores > threshold)
    require_finite(source, masks[kept])
    height, width = size
    scale = np.array([width, height, width, height], np.float32)
    sources = [LogitMask(masks[query].astype(np.float32), size) for query in kept]
    return Detections(scores[kept].astype(np.float32), boxes[kept].astype(np.float32) * scale, sources)


def candidates_of(
    scores: NDArray[np.floating], masks: NDArray[np.floating], present: NDArray[np.floating], *, size: tuple[int, int]
) -> Candidates:
    """What a click head answered, all of it.

    Args:
        scores: (K,) expected IoUs.
        masks: (K, h, w) logits.
        present: One logit that there is an object.
        size: (height, width) of the picture.
    """
    sources = [LogitMask(mask.astype(np.float32), size) for mask in masks]
    return Candidates(scores.astype(np.float32), sources, float(sigmoid(present.astype(np.float32)).reshape(-1)[0]))
