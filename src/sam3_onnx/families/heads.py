"""From raw detection heads to detections, as the reference does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import ModelAnswerError
from sam3_onnx.families.base import Detections
from sam3_onnx.masks import LogitMask

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["require_finite", "select", "sigmoid"]


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


def select(
    logits: NDArray[np.float32],
    presence: NDArray[np.float32],
    boxes: NDArray[np.float32],
    masks: NDArray[np.float32],
    *,
    size: tuple[int, int],
    threshold: float,
) -> Detections:
    """Keeps the queries of one prompt that score above a threshold.

    Score = sigmoid(logit) * sigmoid(presence), kept if strictly above the threshold
    (`Sam3Processor` of facebookresearch/sam3).

    Args:
        logits: (Q,) of the queries.
        presence: () or (1,) logit that the prompt is in the picture at all.
        boxes: (Q, 4) xyxy in 0..1.
        masks: (Q, h, w) logits.
        size: (height, width) of the picture.
        threshold: In 0..1.

    Raises:
        ModelAnswerError: A NaN or an infinity in the answer.
    """
    for name, values in (("logits", logits), ("presence", presence), ("boxes", boxes)):
        require_finite(name, values)
    scores = sigmoid(logits) * sigmoid(presence.reshape(-1)[:1])
    kept = np.flatnonzero(scores > threshold)
    require_finite("masks", masks[kept])
    height, width = size
    scale = np.array([width, height, width, height], np.float32)
    sources = [LogitMask(masks[query].astype(np.float32), size) for query in kept]
    return Detections(scores[kept], boxes[kept].astype(np.float32) * scale, sources)
