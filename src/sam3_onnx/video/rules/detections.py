"""What the detector found on one frame, as the rules take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.overlap import suppress_overlaps
from sam3_onnx.video.rules.planes import Plane, own_iou_table

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from sam3_onnx.video.rules.constants import TrackingRules

__all__ = ["Detection", "select_detections"]


@dataclass(frozen=True, eq=False)
class Detection:
    """One thing that was found on a frame."""

    prompt: int
    """Number of the word that found it."""
    score: float
    """In 0..1."""
    plane: Plane
    """Its mask, in the size of the tracker's masks."""


def select_detections(
    logits: NDArray[np.float32], scores: ArrayLike, prompt: int, rules: TrackingRules
) -> list[Detection]:
    """Returns what takes part in tracking of the answers to one word.

    Greedy non-maximum suppression by the IoU of masks among scores above the threshold, as `nms_masks` in
    transformers does it where it has its kernel, and Meta always.

    Args:
        logits: (N, h, w) float32, mask logits.
        scores: (N,) in 0..1.
        prompt: Number of the word.
        rules: `score_threshold_detection` and `det_nms_thresh` are used.

    Returns:
        Detections in the order of the model's answers.

    Raises:
        OptionError: Shapes do not fit, or a score is NaN.
    """
    ranking = np.asarray(scores, np.float64)
    if logits.ndim != 3 or ranking.shape != (len(logits),):  # noqa: PLR2004 - (N, h, w)
        raise OptionError(
            "logits and scores", expected="(N, h, w) and (N,)", got=f"shapes {logits.shape} and {ranking.shape}"
        )
    if np.isnan(ranking).any():
        raise OptionError("scores", expected="numbers", got="NaN among them")
    found = [
        Detection(prompt, float(ranking[index]), Plane(logits[index]))
        for index in np.flatnonzero(ranking > rules.score_threshold_detection)
    ]
    if rules.det_nms_thresh <= 0:
        return found
    overlaps = own_iou_table([detection.plane for detection in found])
    kept = suppress_overlaps(overlaps, [detection.score for detection in found], rules.det_nms_thresh)
    return [found[index] for index in sorted(kept)]
