"""What the rules take of the tracker, and what they answer for a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.video.rules.tracks import Track, Tracks

__all__ = ["FramePlan", "Memory", "NewTrack", "Propagated", "ShownTrack"]


@dataclass(frozen=True, eq=False)
class Propagated:
    """What the tracker says of one track on a frame, before anything is remembered of it."""

    logits: NDArray[np.float32]
    """(h, w) mask logits."""
    object_logit: float
    """Above 0 if the thing is there."""


@dataclass(frozen=True, eq=False)
class NewTrack:
    """A track that begins on the frame: a mask prompt."""

    track: Track
    mask: NDArray[np.bool_]
    """(h, w)."""


@dataclass(frozen=True, eq=False)
class Memory:
    """What is remembered of one track on the frame."""

    id: int
    logits: NDArray[np.float32]
    """(h, w) mask logits, for the memory encoder."""
    object_logit: float
    """10 or -10: whether anything is left of the mask."""
    is_conditioning: bool
    """Whether the frame becomes one of the track's conditioning frames: a detection confirmed it."""


@dataclass(frozen=True, eq=False)
class ShownTrack:
    """One track on one frame, as it is shown."""

    id: int
    prompt: int
    score: float
    """Of the detection that the track began with, in 0..1."""
    track_score: float
    """How sure the tracker is that the thing is there, in 0..1; on the first frame the score of the detection."""
    logits: NDArray[np.float32]
    """(h, w) mask logits."""


@dataclass(frozen=True)
class FramePlan:
    """What a frame leads to."""

    tracks: Tracks
    """All tracks after it; what the next frame is followed with."""
    new: tuple[NewTrack, ...]
    memories: tuple[Memory, ...]
    """Of the tracks that there were before and still are."""
    removed: frozenset[int]
    """Ids of the tracks that are removed for good."""
    hidden: frozenset[int]
    """Ids of the tracks that stay, but are not shown on this frame."""
    shown: tuple[ShownTrack, ...]
    repeat_memories: bool
    """Whether the tracks of `memories` are propagated and remembered a second time together with the new ones."""
