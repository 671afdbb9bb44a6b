"""The clips that the miniature's tracker is measured with, fixed before it was trained, and what is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from clips import LEAST_SEEN, Plot, draw_clip
from prompting import click_on
from rollout import Prompts, roll_out
from torch.nn import functional
from world import SIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clips import Clip
    from numpy.typing import NDArray
    from tracker import Tracker

TEST_SEED, VALIDATION_SEED = 20_000_017, 20_000_023
"""No training step has one of them: those seeds are triples. The best weights are chosen with the second."""
KINDS: dict[str, Plot] = {
    "apart": Plot(frames=24, things=3),
    "crossing": Plot(frames=24, things=3, crossings=1),
    "twins crossing": Plot(frames=24, things=3, crossings=1, twins=True),
    "hidden for 6 frames": Plot(frames=24, things=3, hidden=6),
    "hidden for 12 frames": Plot(frames=30, things=3, hidden=12),
}
"""Kinds of clips by name; what crosses or hides are the first things."""
_SOLID = 127


@dataclass
class Score:
    """What was measured on clips of one kind, over all their objects and frames but the prompted one."""

    overlaps: list[float] = field(default_factory=list)
    """For each object its mean IoU over the frames on which it is to be seen (J)."""
    right: int = 0
    frames: int = 0
    """Frames, and those on which the model says rightly whether the object is there."""

    @property
    def figures(self) -> dict[str, float]:
        """J, its share of objects that were kept (J of at least 0.5), and how often presence is right."""
        kept = float(np.mean([overlap >= 0.5 for overlap in self.overlaps]))
        share = self.right / max(1, self.frames)
        return {
            "objects": len(self.overlaps),
            "J": float(np.mean(self.overlaps)),
            "kept": kept,
            "presence right": share,
        }

    def add(self, found: NDArray[np.bool_], present: NDArray[np.bool_], clip: Clip, thing: int) -> None:
        """Counts one object's answers: (T, SIDE, SIDE) masks, (T,) whether it is said to be there."""
        areas = clip.areas[thing]
        seen = [when for when in range(1, len(areas)) if areas[when] >= LEAST_SEEN]
        if seen:
            self.overlaps.append(float(np.mean([_iou(found[when], clip.masks[thing, when] > _SOLID) for when in seen])))
        for when in range(1, len(areas)):
            if areas[when] == 0 or areas[when] >= LEAST_SEEN:
                self.frames += 1
                self.right += int(bool(present[when]) == (areas[when] > 0))


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    either = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / either if either else 1.0


def fixed_clips(kind: str, count: int, seed: int) -> Iterator[tuple[Clip, list[int]]]:
    """Clips of a kind with the things that are tracked in them: all that can be pointed at on the first frame.

    Those that cross or hide can be; what hides is hidden fully for exactly the frames of its plot, and comes back.
    """
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    plot = KINDS[kind]
    while count:
        clip = draw_clip(rng, plot)
        shown = [int(thing) for thing in clip.shown]
        needed = range(2 * plot.crossings or (1 if plot.hidden else 0))
        if not shown or not set(needed) <= set(shown) or (plot.hidden and not _hides(clip.areas[0], plot.hidden)):
            continue
        count -= 1
        yield clip, shown


def _hides(areas: NDArray[np.int64], frames: int) -> bool:
    gone = np.flatnonzero(areas == 0)
    return len(gone) == frames == gone[-1] - gone[0] + 1 and gone[-1] < len(areas) - 4


def measure(tracker: Tracker, clips: Mapping[str, Iterable[tuple[Clip, list[int]]]]) -> dict[str, dict[str, float]]:
    """Follows every object of fixed clips from one click on its first frame.

    Args:
        tracker: In evaluation mode.
        clips: From `fixed_clips`, by their kind.

    Returns:
        For each kind the figures of `Score`; "hidden" things by themselves too.
    """
    table: dict[str, dict[str, float]] = {}
    for kind, examples in clips.items():
        plot, every, hidden = KINDS[kind], Score(), Score()
        for clip, things in examples:
            masks, present = _followed(tracker, clip, things)
            for row, thing in enumerate(things):
                every.add(masks[row], present[row], clip, thing)
                if plot.hidden and thing == 0:
                    hidden.add(masks[row], present[row], clip, thing)
        table[kind] = every.figures
        if plot.hidden:
            table[f"{kind}, those alone"] = hidden.figures
    return table


def _followed(tracker: Tracker, clip: Clip, things: list[int]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks (K, T, SIDE, SIDE) and presence (K, T) of things that were clicked once on the first frame."""
    clicks = torch.tensor([[click_on(clip.masks[thing, 0])] for thing in things], dtype=torch.float32)
    labels, owners = torch.ones(len(things), 1, dtype=torch.int64), torch.zeros(len(things), dtype=torch.int64)
    none = torch.zeros(len(things), 1, SIDE, SIDE), torch.zeros(len(things), dtype=torch.bool)
    with torch.no_grad():
        features = tracker.features(torch.from_numpy(clip.frames))
        steps = roll_out(tracker, features, owners, Prompts(clicks, labels, *none), len(clip.frames))
        present = torch.cat([step.present for step in steps], 1) > 0
        logits = torch.stack([step.best for step in steps], 1)
        full = functional.interpolate(logits, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return ((full > 0) & present[..., None, None]).numpy(), present.numpy()


def mean_of(table: dict[str, dict[str, float]], figure: str) -> float:
    """Mean of a figure over the kinds."""
    return float(np.mean([table[kind][figure] for kind in KINDS]))
