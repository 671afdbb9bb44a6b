"""Which of two tracks that lie on each other has just been hidden, and yields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sam3_onnx.geometry.window import window_iou
from sam3_onnx.video.rules.planes import touching_pairs
from sam3_onnx.video.rules.tracks import NEVER_HIDDEN

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sam3_onnx.video.rules.constants import TrackingRules
    from sam3_onnx.video.rules.planes import Plane
    from sam3_onnx.video.rules.tracks import Track

__all__ = ["yield_to_visible"]

_REMOVED = 100_000
"""Stands for the frame on which a track was last hidden that is removed before anything is known of it: later than any
(`ALWAYS_OCCLUDED` in transformers and Meta)."""


def yield_to_visible(
    tracks: Sequence[Track],
    masks: Sequence[Plane],
    removed: Collection[int],
    frame: int,
    rules: TrackingRules,
    *,
    reverse: bool,
) -> tuple[list[Track], list[Plane]]:
    """Empties, of two masks of one word that overlap much, that of the track that was hidden more recently.

    Nothing yields to a track that was never hidden: two tracks that have always been there may well lie on each
    other. `_suppress_overlapping_based_on_recent_occlusion` in transformers.

    Args:
        tracks: All that there are.
        masks: The mask of each on this frame.
        removed: Ids of those that this frame removes.
        frame: Its number.
        rules: `suppress_overlapping_based_on_recent_occlusion_threshold` is used.
        reverse: Whether frames are followed backwards.

    Returns:
        The tracks with the frame on which they were last hidden, and the masks; both in order.
    """
    threshold = rules.suppress_overlapping_based_on_recent_occlusion_threshold
    if threshold <= 0:
        return [replace(track, last_hidden=None) for track in tracks], list(masks)
    last = [_last_hidden(track, removed) for track in tracks]
    yielding: set[int] = set()
    for i, j in touching_pairs(masks, masks):
        is_pair = i < j and tracks[i].prompt == tracks[j].prompt
        if is_pair and window_iou(masks[i].window, masks[j].window) >= threshold and last[i] != last[j]:
            first_has_later = (last[i] < last[j]) if reverse else (last[i] > last[j])
            later, earlier = (i, j) if first_has_later else (j, i)
            if last[earlier] > NEVER_HIDDEN:
                yielding.add(later)
    hidden_now = [place in yielding or mask.is_empty for place, mask in enumerate(masks)]
    seen = [
        replace(track, last_hidden=frame if is_hidden else then)
        for track, then, is_hidden in zip(tracks, last, hidden_now, strict=True)
    ]
    return seen, [mask.emptied() if place in yielding else mask for place, mask in enumerate(masks)]


def _last_hidden(track: Track, removed: Collection[int]) -> int:
    if track.last_hidden is not None:
        return track.last_hidden
    return _REMOVED if track.id in removed else NEVER_HIDDEN
