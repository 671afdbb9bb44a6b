"""From what a model detected to the instances of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.geometry.mask_sources import CroppedMask
from sam3_onnx.results.instance import Instance
from sam3_onnx.results.suppression import best_of_each

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Detections
    from sam3_onnx.prompts.words import Concept

__all__ = ["CUT_MARGIN", "select_instances"]

CUT_MARGIN = 0.08
"""With `cut_to_box`, a mask may reach beyond its box by this share of the box's width and height."""


def select_instances(
    found: Detections,
    concept: Concept,
    *,
    size: tuple[int, int],
    threshold: float,
    epsilon: float,
    cut_to_box: bool,
    nms: float | None,
) -> list[Instance]:
    """Makes one prompt's instances, by falling score.

    Args:
        found: What the model detected.
        concept: The prompt and its label.
        size: (height, width) of the picture.
        threshold: Drop what has no score above it.
        epsilon: Default simplification of polygons.
        cut_to_box: Drop what of a mask lies outside its box, grown by CUT_MARGIN, and instances of which
            nothing is left.
        nms: Drop instances whose masks overlap a better one's with a higher IoU; None keeps all.
    """
    height, width = size
    boxes = np.clip(found.boxes, 0, np.array([width, height, width, height], np.float32))
    instances = []
    is_above = found.scores > threshold
    for index in np.argsort(-found.scores, kind="stable")[: np.count_nonzero(is_above)]:
        source = CroppedMask(found.masks[index], _grown(boxes[index])) if cut_to_box else found.masks[index]
        if cut_to_box and not source.window.area:
            continue
        score = float(found.scores[index])
        instances.append(Instance(concept.label, concept.prompt, score, boxes[index], source, epsilon))
    if nms is None:
        return instances
    return [instances[index] for index in best_of_each(instances, nms, class_agnostic=True)]


def _grown(box: NDArray[np.float32]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(edge) for edge in box)
    right, down = (x2 - x1) * CUT_MARGIN, (y2 - y1) * CUT_MARGIN
    return x1 - right, y1 - down, x2 + right, y2 + down
