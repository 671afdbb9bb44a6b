"""The masks of a frame in the size of the video, without overlaps of one word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx.geometry.mask_sources import LogitMask
from sam3_onnx.geometry.window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.video.rules.plan import ShownTrack

__all__ = ["FinishedTrack", "finish_masks"]


@dataclass(frozen=True, eq=False)
class FinishedTrack:
    """One track on one frame, in pixels of the video."""

    track: ShownTrack
    window: Window
    """Its mask, cut to the rectangle that holds it."""
    size: tuple[int, int]
    """(height, width) of the frame in pixels."""


def finish_masks(shown: Sequence[ShownTrack], size: tuple[int, int]) -> list[FinishedTrack]:
    """Resizes masks to the video, and gives pixels that two of one word share to the surer track.

    Tracks without any pixel are left out; so is a track that a surer one covers wholly. `postprocess_outputs` of
    `Sam3VideoProcessor` in transformers, which keeps the latter with an empty mask.

    Args:
        shown: Of one frame.
        size: (height, width) of the video in pixels.

    Returns:
        In the order of their ids.
    """
    masks = {track.id: LogitMask(track.logits, size).window for track in shown}
    left = [track for track in sorted(shown, key=lambda track: track.id) if masks[track.id].mask.size]
    finished = []
    for place, track in enumerate(left):
        surer = [
            masks[other.id]
            for rank, other in enumerate(left)
            if other.prompt == track.prompt
            and (other.track_score > track.track_score or (other.track_score == track.track_score and rank < place))
        ]
        window = _without(masks[track.id], surer).tight()
        if window.mask.size:
            finished.append(FinishedTrack(track, window, size))
    return finished


def _without(window: Window, others: Sequence[Window]) -> Window:
    """Returns what of a mask lies in none of the others."""
    mask = window.mask.copy()
    height, width = mask.shape
    for other in others:
        top, left = max(0, other.y - window.y), max(0, other.x - window.x)
        bottom = min(height, other.y + other.mask.shape[0] - window.y)
        right = min(width, other.x + other.mask.shape[1] - window.x)
        if top < bottom and left < right:
            down, across = window.y - other.y, window.x - other.x
            mask[top:bottom, left:right] &= ~other.mask[top + down : bottom + down, left + across : right + across]
    return Window(mask, window.x, window.y)
