"""Tracking through a clip in PyTorch: what training takes its losses of, and what the fixed clips are measured with.

One conditioning frame, the first; the last six frames and the last fifteen pointers after it, as the reference has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional
from world import SIDE

if TYPE_CHECKING:
    from tracker import Features, Tracker

MEMORIES, POINTERS = 7, 16
_ABSENT = -1024.0
_SURE = 20.0
"""Logits of a mask that was given are -10 and 10: `_use_mask_as_output`."""


@dataclass
class Prompts:
    """What K objects are pointed at with on their first frame."""

    points: torch.Tensor
    """(K, Q, 2) x, y in 0..1."""
    labels: torch.Tensor
    """(K, Q) int64, -10 for an empty slot, -1 for none."""
    masks: torch.Tensor
    """(K, 1, SIDE, SIDE) 0 or 1; of those that a mask is given for."""
    masked: torch.Tensor
    """(K,) bool: a mask is given, and the points are none."""


@dataclass
class Step:
    """What the track head says of K objects on one frame."""

    masks: torch.Tensor
    """(K, 4, h, w) logits, as if the object were there."""
    ious: torch.Tensor
    """(K, 4)."""
    present: torch.Tensor
    """(K, 1) logits."""
    single: torch.Tensor
    """(K,) bool: the first mask counts, else the best of the other three."""
    chosen: torch.Tensor
    """(K,) index of the mask that is remembered."""

    @property
    def best(self) -> torch.Tensor:
        """(K, h, w) logits of the masks that count."""
        return self.masks[torch.arange(len(self.chosen)), self.chosen]


class _Memory:
    """What is remembered of K objects."""

    def __init__(self) -> None:
        self.memories: list[torch.Tensor] = []
        self.pointers: list[torch.Tensor] = []

    def add(self, memory: torch.Tensor, pointer: torch.Tensor) -> None:
        self.memories.append(memory)
        self.pointers.append(pointer)

    def recall(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Memories, their slots, pointers and their ages for the next frame."""
        now = len(self.memories)
        frames = [0, *range(max(1, now - MEMORIES + 1), now)]
        slots = [MEMORIES - 1, *(now - frame - 1 for frame in frames[1:])]
        pointing = [0, *range(max(1, now - POINTERS + 1), now)]
        ages = [(now - frame) / (POINTERS - 1) for frame in pointing]
        objects = len(self.memories[0])
        return (
            torch.stack([self.memories[frame] for frame in frames], 1),
            torch.tensor([slots]).expand(objects, -1),
            torch.stack([self.pointers[frame] for frame in pointing], 1),
            torch.tensor([ages]).expand(objects, -1),
        )


def roll_out(
    tracker: Tracker,
    features: Features,
    owners: torch.Tensor,
    prompts: Prompts,
    count: int,
    *,
    truth: torch.Tensor | None = None,
) -> list[Step]:
    """Follows K objects through B clips of T frames.

    Args:
        tracker: In its parts.
        features: Of the B * T frames, clip by clip.
        owners: (K,) which clip each object is in.
        prompts: Of the first frame.
        count: T.
        truth: (K, T) whether each object is there, for memories that are to be made with it; None for the answers.

    Returns:
        T steps, the prompted one first.
    """
    memory, steps = _Memory(), []
    for when in range(count):
        rows = owners * count + when
        fine, middle, coarse = features.fine[rows], features.middle[rows], features.coarse[rows]
        if when == 0:
            dense, points, labels = _prompted(tracker, coarse, prompts)
            seen = torch.where(prompts.masked[:, None, None, None], coarse - tracker.encoder.no_memory, coarse)
            masked = prompts.masked
        else:
            seen = tracker.attention(coarse, *memory.recall())
            dense = torch.zeros(len(rows), 1, *fine.shape[2:])
            points, labels = torch.zeros(len(rows), 1, 2), torch.full((len(rows), 1), -1)
            masked = torch.zeros(len(rows), dtype=torch.bool)
        shown = tracker.decoder.embedded(points, labels)
        masks, ious, tokens, present = tracker.decoder.decode((fine, middle), seen, shown, dense, masked)
        single = (labels >= 0).sum(1) > 1
        step = Step(masks, ious, present, single, torch.where(single, 0, ious[:, 1:].argmax(1) + 1))
        steps.append(step)
        is_there = present > 0 if truth is None else truth[:, when, None]
        memory.add(
            _memory_of(tracker, coarse, step, is_there, prompts if when == 0 else None),
            tracker.decoder.pointers(tokens, is_there)[torch.arange(len(rows)), step.chosen],
        )
    return steps


def _prompted(
    tracker: Tracker, coarse: torch.Tensor, prompts: Prompts
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    _, dense = tracker.prompt(coarse, prompts.masks)
    labels = torch.where(
        prompts.masked[:, None], torch.tensor([-1] + [-10] * (prompts.labels.shape[1] - 1)), prompts.labels
    )
    return dense, torch.where(prompts.masked[:, None, None], 0.0, prompts.points), labels


def _memory_of(
    tracker: Tracker, coarse: torch.Tensor, step: Step, is_there: torch.Tensor, prompts: Prompts | None
) -> torch.Tensor:
    """(K, D, GRID, GRID): what is remembered of a frame, hard masks on the one with the prompts."""
    masks = torch.where(is_there[..., None], step.best, _ABSENT)[:, None]
    enlarged = functional.interpolate(masks, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    signs = torch.where(is_there, _SURE / 2, -_SURE / 2)
    if prompts is not None:
        given = prompts.masked[:, None, None, None]
        enlarged = torch.where(given, prompts.masks * _SURE - _SURE / 2, enlarged)
        signs = torch.where(prompts.masked[:, None], _SURE / 2, signs)
    memory: torch.Tensor = tracker.encoder(coarse, enlarged, signs, torch.tensor(prompts is not None))
    return memory
