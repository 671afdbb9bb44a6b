"""The choice among the masks that the decoder offers for one object.

The rules are those of `Sam3TrackerVideoMaskDecoder` in transformers (release 5.24).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import TrackReadings, TrackRules

__all__ = ["Reading", "best_of_three", "choose"]


@dataclass(frozen=True, eq=False)
class Reading:
    """One object on one frame."""

    logits: NDArray[np.float32]
    """(h, w) of its mask, in cells of the decoder."""
    iou: float
    """The IoU with the object that the model expects of the mask."""
    pointer: NDArray[np.float32]
    """(C,) the object as the decoder saw it."""
    object_logit: float
    """Above 0 where the object is to be seen."""


def choose(readings: TrackReadings, rules: TrackRules, *, points: int, remembered: bool) -> Reading:
    """Chooses the mask of an object.

    Args:
        readings: What the decoder said.
        rules: How the model was trained to choose.
        points: Number of points that pointed at the object, the two corners of a box among them.
        remembered: Whether there was memory.
    """
    few = rules.fewest_points <= points <= rules.most_points
    if few and (rules.choose_while_tracking or not remembered):
        return best_of_three(readings)
    single = _reading(readings, mask=0, pointer=0)
    if not rules.check_stability or _is_stable(single.logits, rules):
        return single
    # The reference exchanges mask and IoU of an unstable single mask, but not its pointer.
    return _reading(readings, mask=_best(readings), pointer=0)


def best_of_three(readings: TrackReadings) -> Reading:
    """Returns the one of the three masks that the model expects most of."""
    best = _best(readings)
    return _reading(readings, mask=best, pointer=best)


def _best(readings: TrackReadings) -> int:
    return int(np.argmax(readings.ious[1:])) + 1


def _reading(readings: TrackReadings, *, mask: int, pointer: int) -> Reading:
    return Reading(readings.masks[mask], float(readings.ious[mask]), readings.pointers[pointer], readings.object_logit)


def _is_stable(logits: NDArray[np.float32], rules: TrackRules) -> bool:
    """Whether the mask hardly changes when its logits are shifted a little down and a little up."""
    inner = int(np.count_nonzero(logits > rules.stability_delta))
    outer = int(np.count_nonzero(logits > -rules.stability_delta))
    return not outer or inner / outer >= rules.stability_threshold
