"""Suppression of instances that repeat a better one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.geometry.overlap import suppress_overlaps
from sam3_onnx.geometry.window import window_iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.results.instance import Instance

__all__ = ["best_of_each"]


def best_of_each(instances: Sequence[Instance], iou_threshold: float, *, class_agnostic: bool) -> list[int]:
    """Non-maximum suppression by the IoU of masks.

    Args:
        instances: Of one picture.
        iou_threshold: In 0..1; an instance is left out whose mask overlaps that of a better one, which is kept, with
            a higher intersection over union than this.
        class_agnostic: Whether an instance may be left out for one of another label.

    Returns:
        Indices of what is kept, by falling score; of equal scores the earlier comes first.

    Raises:
        OptionError: `iou_threshold` is outside 0..1.
    """
    windows = [instance.source.window for instance in instances]
    overlaps = np.zeros((len(windows), len(windows)))
    for i, first in enumerate(windows):
        for j in range(i):
            if class_agnostic or instances[i].label == instances[j].label:
                overlaps[i, j] = overlaps[j, i] = window_iou(first, windows[j])
    kept = suppress_overlaps(overlaps, [instance.score for instance in instances], iou_threshold)
    return [int(index) for index in kept]
