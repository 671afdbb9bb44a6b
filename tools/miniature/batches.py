"""Training batches: scenes, five questions about each, and the answers as tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from questions import MOST_BOXES, NO_BOX, ask_five
from world import COLORS, KINDS, MASK_SIDE, SIDE, draw_scene

if TYPE_CHECKING:
    from vocabulary import Words

EACH = 5
"""Questions about one picture."""
NOISY = 24
"""Denoising queries of a question."""
NO_CLASS = -1


@dataclass
class Batch:
    """B pictures, P = B * EACH questions, at most O objects in a picture."""

    pictures: torch.Tensor
    """(B, 3, SIDE, SIDE) uint8."""
    words: torch.Tensor
    """(P, CONTEXT) int64 ids of the small table."""
    boxes: torch.Tensor
    """(P, MOST_BOXES, 4) cxcywh in 0..1."""
    labels: torch.Tensor
    """(P, MOST_BOXES) int64: 1, 0 or NO_BOX."""
    shown: torch.Tensor
    """(P, MOST_BOXES) int64, index of the object in each box, NO_CLASS for an empty slot."""
    answers: list[np.ndarray]
    """P arrays of object indices."""
    object_boxes: torch.Tensor
    """(B, O, 4) cxcywh in 0..1."""
    object_masks: torch.Tensor
    """(B, O, MASK_SIDE, MASK_SIDE) uint8 coverage."""
    object_kinds: torch.Tensor
    """(B, O) int64, 0 nothing, 1.. an index into KINDS plus one."""
    object_colors: torch.Tensor
    """(B, O) int64, an index into COLORS or NO_CLASS."""
    counts: list[int]
    """Objects in each picture."""


@dataclass
class Noise:
    """Denoising queries: objects' boxes, disturbed, to be put right."""

    boxes: torch.Tensor
    """(P, NOISY, 4) disturbed reference boxes."""
    objects: torch.Tensor
    """(P, NOISY) int64, which object each one was."""
    wanted: torch.Tensor
    """(P, NOISY) float, 1 where that object is part of the answer."""
    real: torch.Tensor
    """(P,) float, 0 for pictures without objects."""
    starts: torch.Tensor
    """(P, NOISY) int64, the learned query that each one starts as."""


def draw_batch(rng: np.random.Generator, pictures: int, words: Words, *, many_coins: bool = False) -> Batch:
    """Draws a batch; the same generator state gives the same batch."""
    scenes = [draw_scene(rng, many_coins=many_coins) for _ in range(pictures)]
    asked = [question for scene in scenes for question in ask_five(rng, scene)]
    most = max(1, *(len(scene.things) for scene in scenes))
    object_boxes = np.full((pictures, most, 4), 0.5, np.float32)
    object_masks = np.zeros((pictures, most, MASK_SIDE, MASK_SIDE), np.uint8)
    kinds = np.zeros((pictures, most), np.int64)
    colors = np.full((pictures, most), NO_CLASS, np.int64)
    for b, scene in enumerate(scenes):
        for o, thing in enumerate(scene.things):
            object_boxes[b, o] = thing.box
            object_masks[b, o] = cv2.resize(thing.mask, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA)
            kinds[b, o] = KINDS.index(thing.kind) + 1
            colors[b, o] = COLORS.index(thing.color) if thing.color else NO_CLASS
    boxes = np.zeros((len(asked), MOST_BOXES, 4), np.float32)
    labels = np.full((len(asked), MOST_BOXES), NO_BOX, np.int64)
    shown = np.full((len(asked), MOST_BOXES), NO_CLASS, np.int64)
    for p, question in enumerate(asked):
        order = rng.permutation(len(question.boxes))
        boxes[p, : len(order)], labels[p, : len(order)] = question.boxes[order], question.labels[order]
        for slot, box in enumerate(question.boxes[order]):
            known = np.array([thing.box for thing in scenes[p // EACH].things])
            shown[p, slot] = int(np.abs(known - box).sum(1).argmin())
    return Batch(
        pictures=torch.from_numpy(np.stack([scene.picture for scene in scenes])).permute(0, 3, 1, 2).contiguous(),
        words=torch.from_numpy(np.stack([words.encode(question.text) for question in asked])),
        boxes=torch.from_numpy(boxes),
        labels=torch.from_numpy(labels),
        shown=torch.from_numpy(shown),
        answers=[np.array(question.answer, np.int64) for question in asked],
        object_boxes=torch.from_numpy(object_boxes),
        object_masks=torch.from_numpy(object_masks),
        object_kinds=torch.from_numpy(kinds),
        object_colors=torch.from_numpy(colors),
        counts=[len(scene.things) for scene in scenes],
    )


def draw_noise(rng: np.random.Generator, batch: Batch, queries: int) -> Noise:
    """Disturbs boxes of wanted and unwanted objects alike; half are placed as the learned queries start."""
    count = len(batch.words)
    boxes = np.full((count, NOISY, 4), 0.5, np.float32)
    objects = np.zeros((count, NOISY), np.int64)
    wanted = np.zeros((count, NOISY), np.float32)
    real = np.zeros(count, np.float32)
    for p in range(count):
        there = batch.counts[p // EACH]
        if not there:
            continue
        real[p] = 1
        targets = batch.answers[p]
        others = np.setdiff1d(np.arange(there), targets)
        half = NOISY // 2
        if len(targets) and len(others):
            chosen = np.concatenate([rng.choice(targets, half), rng.choice(others, NOISY - half)])
        else:
            chosen = rng.integers(there, size=NOISY)
        true = batch.object_boxes[p // EACH].numpy()[chosen]
        moved = true.copy()
        moved[:, :2] += rng.uniform(-0.4, 0.4, (NOISY, 2)) * true[:, 2:]
        moved[:, 2:] *= np.exp(rng.uniform(-0.6, 0.6, (NOISY, 2)))
        as_grid = rng.random(NOISY) < 0.5
        moved[as_grid, :2] = true[as_grid, :2] + rng.uniform(-0.08, 0.08, (int(as_grid.sum()), 2))
        moved[as_grid, 2:] = 0.16
        boxes[p], objects[p], wanted[p] = np.clip(moved, 0.01, 0.99), chosen, np.isin(chosen, targets)
    starts = rng.integers(queries, size=(count, NOISY))
    return Noise(*(torch.from_numpy(array) for array in (boxes, objects, wanted, real, starts)))


def choose_masked(rng: np.random.Generator, batch: Batch, each: int) -> torch.Tensor:
    """Which questions get a mask loss: `each` per picture, those with an answer first."""
    chosen = []
    for b in range(len(batch.pictures)):
        mine = list(range(b * EACH, (b + 1) * EACH))
        mine.sort(key=lambda p: (len(batch.answers[p]) == 0, rng.random()))
        chosen += sorted(mine[:each])
    return torch.tensor(chosen)


__all__ = ["EACH", "NOISY", "SIDE", "Batch", "Noise", "choose_masked", "draw_batch", "draw_noise"]
