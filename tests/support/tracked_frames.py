"""Frames of a made-up video with tracks, as `sam3_onnx.video` yields them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.results import Segmentation
from sam3_onnx.results.instance import Instance

SIZE = (48, 64)


@dataclass(frozen=True, eq=False)
class Tracked(Instance):
    track_id: int = field(default=1, kw_only=True)
    track_score: float = field(default=1.0, kw_only=True)


@dataclass(frozen=True, eq=False)
class TrackedPicture:
    index: int
    time: float
    result: Segmentation


def tracked(
    number: int,
    x: int,
    y: int = 10,
    *,
    side: int = 8,
    label: str = "dog",
    certainty: float = 0.75,
    size: tuple[int, int] = SIZE,
) -> Tracked:
    """A square with its top left corner at x, y; partly outside it is cut off."""
    mask = np.zeros(size, np.bool_)
    mask[max(y, 0) : y + side, max(x, 0) : x + side] = True
    box = np.array([x, y, x + side, y + side], np.float32)
    return Tracked(label, label, 0.9, box, PackedMask.pack(mask), track_id=number, track_score=certainty)


def frame(index: int, *instances: Instance, size: tuple[int, int] = SIZE) -> TrackedPicture:
    """One frame of a video of 10 frames a second."""
    return TrackedPicture(index, index / 10, Segmentation(instances, size, classes=("dog", "cat")))


def walk() -> list[TrackedPicture]:
    """A dog (1) and a cat (2) that pass each other; the dog is hidden on frame 2, the cat enters on frame 1."""
    dogs = {t: tracked(1, 4 + 8 * t) for t in (0, 1, 3, 4)}
    cats = {t: tracked(2, 40 - 8 * t, 14, label="cat", certainty=0.5) for t in range(1, 5)}
    return [frame(t, *(seen[t] for seen in (dogs, cats) if t in seen)) for t in range(5)]
