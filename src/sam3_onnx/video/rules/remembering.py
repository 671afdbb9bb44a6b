"""The masks by which tracks are remembered: where those of one word overlap, each cell belongs to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.video.rules.planes import Plane, touching_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.video.rules.constants import TrackingRules

__all__ = ["corrected", "without_shrunk"]

_HARD = 10.0
"""Logit of remembered foreground where masks are hard: Meta's memory encoder scales 0 and 1 to -10 and 10."""


def corrected(detection: Plane, rules: TrackingRules) -> Plane:
    """Returns what a detection is remembered as that takes the place of its track's mask."""
    foreground = detection.logits >= rules.new_mask_logit
    if rules.hard_corrections:
        return Plane(np.where(foreground, np.float32(_HARD), np.float32(-_HARD)))
    return Plane(foreground.astype(np.float32))


def without_shrunk(masks: Sequence[Plane], prompts: Sequence[int], rules: TrackingRules) -> list[Plane]:
    """Lowers the masks that are left with little when each cell goes to the strongest mask of its word.

    The other masks stay as they are, overlaps included. `_suppress_object_pw_area_shrinkage` in transformers.

    Args:
        masks: Of one frame.
        prompts: The word of each.
        rules: `shrunk_share` is used.
    """
    lost = _lost_cells(masks, prompts)
    kept = []
    for mask, prompt, missing in zip(masks, prompts, lost, strict=True):
        area = mask.window.area
        is_shrunk = list(prompts).count(prompt) > 1 and (area - missing) / max(area, 1) < rules.shrunk_share
        kept.append(mask.lowered() if is_shrunk else mask)
    return kept


def _lost_cells(masks: Sequence[Plane], prompts: Sequence[int]) -> list[int]:
    """Counts the cells of each mask that a stronger one of its word takes; of equal ones the first is stronger."""
    taken = [np.zeros(mask.window.mask.shape, np.bool_) for mask in masks]
    for i, j in touching_pairs(masks, masks):
        if i == j or prompts[i] != prompts[j]:
            continue
        mine, theirs = masks[i].window, masks[j].window
        left, top = max(mine.x, theirs.x), max(mine.y, theirs.y)
        right = min(mine.x + mine.mask.shape[1], theirs.x + theirs.mask.shape[1])
        bottom = min(mine.y + mine.mask.shape[0], theirs.y + theirs.mask.shape[0])
        common = (slice(top, bottom), slice(left, right))
        in_mine = (slice(top - mine.y, bottom - mine.y), slice(left - mine.x, right - mine.x))
        stronger = np.greater_equal if j < i else np.greater
        taken[i][in_mine] |= stronger(masks[j].logits[common], masks[i].logits[common])
    return [int(np.count_nonzero(lost & mask.window.mask)) for lost, mask in zip(taken, masks, strict=True)]
