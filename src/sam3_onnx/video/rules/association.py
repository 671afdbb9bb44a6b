"""Which detections belong to which tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.video.rules.planes import iou_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sam3_onnx.video.rules.constants import TrackingRules
    from sam3_onnx.video.rules.detections import Detection
    from sam3_onnx.video.rules.planes import Plane
    from sam3_onnx.video.rules.tracks import Track

__all__ = ["Association", "associate"]


@dataclass(frozen=True)
class Association:
    """What of a frame's detections belongs to what of its tracks; detections by their place, tracks by their id."""

    new: tuple[int, ...]
    """Detections that become tracks."""
    matched: tuple[tuple[int, ...], ...]
    """For each detection, the tracks that it belongs to; one may belong to several."""
    unmatched: frozenset[int]
    """Tracks with a mask that no detection was found for."""
    empty: frozenset[int]
    """Tracks with an empty mask."""
    confirmed: Mapping[int, int]
    """By track: the detection that agrees with it well enough to confirm it."""


def associate(
    detections: Sequence[Detection], tracks: Sequence[Track], masks: Sequence[Plane], rules: TrackingRules
) -> Association:
    """Compares masks of the same word; `_associate_det_trk` in transformers.

    Args:
        detections: Of the frame.
        tracks: All that there are.
        masks: The mask of each on this frame, as it was propagated.
        rules: Thresholds.
    """
    if not tracks:
        return Association(tuple(range(len(detections))), ((),) * len(detections), frozenset(), frozenset(), {})
    ids = [track.id for track in tracks]
    empty = frozenset(track for track, mask in zip(ids, masks, strict=True) if mask.is_empty)
    if not detections:
        return Association((), (), frozenset(ids) - empty, empty, {})
    overlaps = iou_table(
        [detection.plane for detection in detections],
        masks,
        [detection.prompt for detection in detections],
        [track.prompt for track in tracks],
    )
    scores = np.array([detection.score for detection in detections])
    reached = {ids[place] for place in np.nonzero(overlaps >= rules.trk_assoc_iou_thresh)[1]}
    belongs = overlaps >= rules.assoc_iou_thresh
    is_new = (scores >= rules.new_det_thresh) & ~belongs.any(axis=1)
    agrees = (scores >= rules.high_conf_thresh) & ~is_new & (overlaps.max(axis=1) >= rules.high_iou_thresh)
    closest = overlaps.argmax(axis=1)
    return Association(
        new=tuple(np.flatnonzero(is_new).tolist()),
        matched=tuple(tuple(ids[place] for place in np.flatnonzero(row)) for row in belongs),
        unmatched=frozenset(ids) - reached - empty,
        empty=empty,
        confirmed={ids[closest[place]]: place for place in np.flatnonzero(agrees).tolist()},
    )
