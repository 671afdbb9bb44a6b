"""From raw detection heads to detections, as the reference does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import ModelAnswerError
from sam3_onnx.geometry.mask_sources import LogitMask
from sam3_onnx.models.families.protocol import Candidates, Detections

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["candidates_of", "detections_of", "require_finite", "scores_of", "select", "sigmoid", "xyxy"]


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logistic function, without overflow for large negative logits."""
    smaller = np.exp(-np.abs(logits))
    answer: NDArray[np.float32] = np.where(logits >= 0, 1 / (1 + smaller), smaller / (1 + smaller)).astype(np.float32)
    return answer


def require_finite(output: str, values: NDArray[np.floating]) -> None:
    """Refuses NaN and infinity in a model's answer.

    Raises:
        ModelAnswerError: There is one.
    """
    if not np.isfinite(values).all():
        found = f"{int((~np.isfinite(values)).sum())} values that are NaN or infinite"
        remedy = "The weights are damaged, or the provider or precision does not suit this graph: try provider='cpu'."
        raise ModelAnswerError(output=output, found=found, remedy=remedy)


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

    Raises:
        ModelAnswerError: A NaN or an infinity in the answer.
    """
    return detections_of(scores_of(logits, presence), boxes, masks, size=size, threshold=threshold)


def scores_of(logits: NDArray[np.floating], presence: NDArray[np.floating] | None) -> NDArray[np.float32]:
    """(Q,) scores of one prompt; see `select`.

    Raises:
        ModelAnswerError: A NaN or an infinity in the answer.
    """
    require_finite("logits", logits)
    scores = sigmoid(logits.astype(np.float32))
    if presence is None:
        return scores
    require_finite("presence", presence)
    return scores * sigmoid(presence.astype(np.float32).reshape(-1)[:1])


def detections_of(
    scores: NDArray[np.floating],
    boxes: NDArray[np.floating],
    masks: NDArray[np.floating],
    *,
    size: tuple[int, int],
    threshold: float,
) -> Detections:
    """Keeps the queries of one prompt whose finished scores lie above a threshold.

    Args:
        scores: (Q,) in 0..1.
        boxes: (Q, 4) xyxy in 0..1.
        masks: (Q, h, w) logits.
        size: (height, width) of the picture.
        threshold: In 0..1.

    Raises:
        ModelAnswerError: A NaN or an infinity in the answer.
    """
    require_finite("scores", scores)
    require_finite("boxes", boxes)
    kept = np.flatnonzero(scores > threshold)
    require_finite("masks", masks[kept])
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

    Raises:
        ModelAnswerError: A NaN or an infinity in the answer.
    """
    for name, values in (("scores", scores), ("masks", masks), ("object", present)):
        require_finite(name, values)
    sources = [LogitMask(mask.astype(np.float32), size) for mask in masks]
    return Candidates(scores.astype(np.float32), sources, float(sigmoid(present.astype(np.float32)).reshape(-1)[0]))
