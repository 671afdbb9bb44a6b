"""What do the rules that turn detections into tracks cost a frame, beside the models?

20 things on a picture, each with a track, and 50 detections: one of each thing, and 30 that repeat one, moved a little.
Once with non-maximum suppression, which leaves 20 of them, and once without, so that all 50 are compared with the
tracks. Every frame confirms tracks, and looks for small holes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.pairing import Spread, in_turn
from benchmarks.scenes import blobs
from sam3_onnx.video.rules.constants import TrackingRules
from sam3_onnx.video.rules.detections import select_detections
from sam3_onnx.video.rules.frame import follow_frame
from sam3_onnx.video.rules.plan import Propagated
from sam3_onnx.video.rules.tracks import Tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.pairing import Row
    from sam3_onnx.video.rules.plan import FramePlan

__all__ = ["measure"]

TARGET_MS = 5.0
TRACKS, DETECTIONS = 20, 50


def measure(*, pairs: int = 100) -> list[Row]:
    """Follows one frame again and again.

    Args:
        pairs: How often.
    """
    things, detected = _scene()
    every_frame = replace(TrackingRules(), recondition_every_nth_frame=1)
    tracks = _follow(things, Tracks(), [], every_frame).tracks
    propagated = [Propagated(np.roll(thing, 2, axis=1), 3.0) for thing in things]
    cases = {
        name: partial(_follow, detected, tracks, propagated, rules)
        for name, rules in (
            ("with suppression", every_frame),
            ("without suppression", replace(every_frame, det_nms_thresh=0.0)),
        )
    }
    return [_row(name, seconds) for name, seconds in in_turn(cases, rounds=pairs).items()]


def _scene() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(TRACKS, h, w) logits of the things, and (DETECTIONS, h, w) of what is detected."""
    things, chance = blobs(TRACKS), np.random.default_rng(1)
    repeats = [
        np.roll(things[chance.integers(TRACKS)], tuple(chance.integers(-4, 5, 2)), axis=(0, 1))
        for _ in range(DETECTIONS - TRACKS)
    ]
    return things, np.stack([*things, *repeats])


def _follow(
    detected: NDArray[np.float32], tracks: Tracks, propagated: list[Propagated], rules: TrackingRules
) -> FramePlan:
    scores = np.linspace(0.95, 0.75, len(detected))
    return follow_frame(tracks, 1, select_detections(detected, scores, 0, rules), propagated, rules)


def _row(case: str, seconds: list[float]) -> Row:
    spread = Spread.of([1000 * each for each in seconds])
    return {
        "case": f"{TRACKS} tracks, {DETECTIONS} detections, {case}",
        "ms": spread.median,
        "p10": spread.p10,
        "p90": spread.p90,
        "n": spread.n,
        "target_ms": TARGET_MS,
        "met": spread.median <= TARGET_MS,
    }
