"""Detections and propagated masks by script, for rules without models; and the rules' answers to them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from sam3_onnx.video.rules.constants import TrackingRules
from sam3_onnx.video.rules.detections import select_detections
from sam3_onnx.video.rules.frame import follow_frame
from sam3_onnx.video.rules.plan import Propagated
from sam3_onnx.video.rules.tracks import Tracks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sam3_onnx.video.rules.plan import FramePlan

SIDE = 32
"""Cells of a mask along each side."""
FRAMES = 24
PROMPTS = 2
THINGS = 3
"""Of each prompt."""


@dataclass(frozen=True)
class Script:
    """One made-up video: things on straight paths, a detector that misses and repeats, a tracker that drifts."""

    seed: int

    def detections(self, prompt: int, frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(N, SIDE, SIDE) logits and (N,) scores."""
        chance = _chance(f"{self.seed} detected {prompt} {frame}")
        masks, scores = [], []
        for thing in range(THINGS):
            for _ in range(1 + (chance.random() < 0.35)):
                if chance.random() < 0.8:
                    x, y, radius = self._place(prompt * THINGS + thing, frame)
                    wide = radius * chance.uniform(0.6, 1.2)
                    masks.append(_blob(x + chance.gauss(0, 0.8), y + chance.gauss(0, 0.8), wide))
                    scores.append(chance.uniform(0.4, 1))
        if chance.random() < 0.3:
            masks.append(_blob(chance.uniform(3, 29), chance.uniform(3, 29), chance.uniform(1, 5)))
            scores.append(chance.uniform(0.5, 1))
        stack = np.stack(masks) if masks else np.zeros((0, SIDE, SIDE), np.float32)
        return stack, np.array(scores, np.float32)

    def propagated(self, track: int, frame: int) -> Propagated:
        """What the tracker says of a track, whatever it was begun with."""
        chance = _chance(f"{self.seed} tracked {track} {frame}")
        thing = _chance(f"{self.seed} follows {track}").randrange(PROMPTS * THINGS)
        kind = chance.random()
        x, y, radius = self._place(thing, frame)
        logits = _blob(x + chance.gauss(0, 0.6), y + chance.gauss(0, 0.6), radius)
        if kind < 0.12:
            logits = np.full((SIDE, SIDE), -5, np.float32)
        elif kind < 0.2:
            logits = _blob(chance.uniform(3, 29), chance.uniform(3, 29), 4)
        for _ in range(40):  # holes and specks
            row, column, size = chance.randrange(SIDE), chance.randrange(SIDE), chance.randrange(1, 4)
            logits[row : row + size, column] *= -1
        return Propagated(logits, chance.gauss(1, 1))

    def rules(self) -> TrackingRules:
        """Constants at random, so that each rule comes into play on a few frames."""
        chance = _chance(f"{self.seed} rules")
        delay = chance.choice([0, 4, 8, 15])
        return TrackingRules(
            det_nms_thresh=chance.choice([0.0, 0.1, 0.5]),
            recondition_on_trk_masks=chance.random() < 0.5,
            hotstart_delay=delay,
            hotstart_unmatch_thresh=min(chance.randrange(1, 6), delay or 3),
            hotstart_dup_thresh=min(chance.randrange(1, 6), delay or 3),
            suppress_unmatched_only_within_hotstart=chance.random() < 0.5,
            init_trk_keep_alive=chance.choice([1, 3, 30]),
            max_trk_keep_alive=chance.choice([4, 30]),
            suppress_overlapping_based_on_recent_occlusion_threshold=chance.choice([0.0, 0.4, 0.7]),
            decrease_trk_keep_alive_for_empty_masklets=chance.random() < 0.5,
            fill_hole_area=chance.choice([0, 5, 16]),
            max_num_objects=chance.choice([4, 10000]),
            recondition_every_nth_frame=chance.choice([0, 2, 4]),
            high_conf_thresh=0.6,
            high_iou_thresh=0.5,
        )

    @property
    def live(self) -> bool:
        """Whether nothing is held back."""
        return _chance(f"{self.seed} live").random() < 0.25

    @property
    def reverse(self) -> bool:
        """Whether frames are followed backwards."""
        return not self.live and _chance(f"{self.seed} reverse").random() < 0.3

    def frames(self) -> range:
        """Numbers of the frames, in the order in which they are followed."""
        return range(FRAMES - 1, -1, -1) if self.reverse else range(FRAMES)

    def _place(self, thing: int, frame: int) -> tuple[float, float, float]:
        path = _chance(f"{self.seed} path {thing}")
        x, y, radius = path.uniform(5, 27), path.uniform(5, 27), path.uniform(3, 7)
        return x + path.uniform(-0.6, 0.6) * frame, y + path.uniform(-0.6, 0.6) * frame, radius


def follow(script: Script, rules: TrackingRules | None = None) -> Iterator[tuple[int, FramePlan]]:
    """The plan for each frame of a script."""
    rules = rules or script.rules()
    tracks = Tracks(next_id=0)  # as transformers counts
    for frame in script.frames():
        found = [
            detection
            for prompt in range(PROMPTS)
            for detection in select_detections(*script.detections(prompt, frame), prompt, rules)
        ]
        propagated = [script.propagated(track, frame) for track in tracks.ids]
        plan = follow_frame(tracks, frame, found, propagated, rules, reverse=script.reverse, live=script.live)
        yield frame, plan
        tracks = plan.tracks


def outline(plan: FramePlan) -> dict[str, Any]:
    """What of a plan is compared with a golden file: numbers, and masks as their area and the sum of their logits."""
    return {
        "ids": list(plan.tracks.ids),
        "removed": sorted(plan.removed),
        "hidden": sorted(plan.hidden),
        "shown": {str(track.id): [*weight(track.logits), track.score] for track in plan.shown},
        "track_scores": {str(track.id): track.track_score for track in plan.shown},
        "memories": {str(memory.id): [*weight(memory.logits), memory.object_logit] for memory in plan.memories},
    }


def weight(logits: NDArray[np.float32]) -> tuple[int, float]:
    """Cells of the foreground, and the sum of all logits."""
    return int(np.count_nonzero(logits > 0)), float(logits.sum(dtype=np.float64))


def _chance(what: str) -> Random:
    return Random(what)  # noqa: S311 - the same numbers in every version of Python


def _blob(x: float, y: float, radius: float) -> NDArray[np.float32]:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    distance = np.sqrt((columns - x) ** 2 + (rows - y) ** 2)
    return np.asarray((radius - distance) * 1.5, np.float32)
