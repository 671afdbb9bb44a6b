"""What a video answers: the objects of one frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sam3_onnx.results.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sam3_onnx.results.segmentation import Segmentation

__all__ = ["TrackedInstance", "VideoFrame"]


@dataclass(frozen=True, eq=False)
class TrackedInstance(Instance):
    """One object of a video on one frame.

    Its `score` is the IoU with the object that the model expects of the mask, 1 where the mask was given.
    """

    track_id: int = field(default=0, kw_only=True)
    """The object's number, the same on all frames."""
    track_score: float = field(default=1.0, kw_only=True)
    """In 0..1: how sure the model is that the object is to be seen on this frame."""


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """The objects of one frame."""

    index: int
    """Number of the frame, from 0."""
    time: float
    """Seconds from the beginning of the video."""
    result: Segmentation
    """The objects that are to be seen, in the order of their numbers; each is a `TrackedInstance`."""
    track_scores: Mapping[int, float] = field(default_factory=dict)
    """For each object that was looked for, by its number, how sure the model is that it is to be seen: 0..1."""
