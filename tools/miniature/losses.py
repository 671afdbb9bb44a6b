"""What the miniature is trained to get right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from batches import EACH, NO_CLASS, NOISY, Batch, Noise
from model import GRID, QUERIES, WIDTH, Answers, masks_of
from scipy.optimize import linear_sum_assignment
from torch import nn
from torch.nn import functional
from world import COLORS, KINDS, MASK_SIDE

if TYPE_CHECKING:
    from transformers import Sam3Model

_NOT_THERE_WEIGHT = 0.15
"""Weight of query scores where nothing is to be found: the presence score answers for those."""
_KIND_WEIGHTS = torch.tensor([0.2] + [1.0] * len(KINDS))

Parts = dict[str, torch.Tensor]


class Helpers(nn.Module):
    """Heads that give the features a direct lesson and are dropped after training."""

    def __init__(self) -> None:
        super().__init__()
        classes = 1 + len(KINDS) + len(COLORS)
        self.pixel = nn.Conv2d(WIDTH, classes, 1)
        self.token = nn.Conv2d(WIDTH, classes, 1)
        self.token_box = nn.Conv2d(WIDTH, 4, 1)
        self.target = nn.Linear(WIDTH, 1)
        self.exemplar = nn.Linear(WIDTH, classes)


def corners(boxes: torch.Tensor) -> torch.Tensor:
    """Turns cxcywh into xyxy."""
    return torch.cat([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], -1)


def generalized_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Generalised IoU of xyxy boxes (Rezatofighi et al. 2019), broadcasting."""
    inner = (torch.min(a[..., 2:], b[..., 2:]) - torch.max(a[..., :2], b[..., :2])).clamp(min=0)
    outer = (torch.max(a[..., 2:], b[..., 2:]) - torch.min(a[..., :2], b[..., :2])).clamp(min=0)
    shared, hull = inner.prod(-1), outer.prod(-1) + 1e-7
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared + 1e-7
    return shared / union - (hull - union) / hull


def focal(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Focal loss (Lin et al. 2017), gamma 2 and balanced, so that 0.5 remains the even odds."""
    crossed = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    sure = torch.exp(-crossed)
    return 0.5 * crossed * (1 - sure) ** 2


def dice(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """1 - Dice coefficient of each (..., H, W) pair."""
    found, true = logits.sigmoid().flatten(1), targets.flatten(1)
    return 1 - (2 * (found * true).sum(1) + 1) / (found.sum(1) + true.sum(1) + 1)


def mask_parts(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy, weighted so that small objects count as much as large ones, and Dice."""
    crossed = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").flatten(1).mean(1)
    weight = (targets.flatten(1).mean(1) * 6).clamp(0.02, 1.0)
    return (crossed / weight).mean(), dice(logits, targets).mean()


def vision_parts(helpers: Helpers, features: list[torch.Tensor], batch: Batch) -> Parts:
    """What and whose every pixel and token is, from the picture alone."""
    inside = batch.object_masks > 127
    something, owner = inside.any(1), inside.float().argmax(1)

    def at(values: torch.Tensor) -> torch.Tensor:
        return torch.gather(values, 1, owner.flatten(1)).view(owner.shape)

    kinds = torch.where(something, at(batch.object_kinds), 0)
    colors = torch.where(something, at(batch.object_colors), NO_CLASS)
    parts: Parts = {}
    split = 1 + len(KINDS)
    centers = slice(2, None, 4)
    for name, head, level, kind, color in (
        ("pixel", helpers.pixel, features[0], kinds, colors),
        ("token", helpers.token, features[2], kinds[:, centers, centers], colors[:, centers, centers]),
    ):
        guess = head(level)
        parts[f"{name}_kind"] = 3.0 * functional.cross_entropy(guess[:, :split], kind, weight=_KIND_WEIGHTS)
        if (color != NO_CLASS).any():
            parts[f"{name}_color"] = 0.7 * functional.cross_entropy(guess[:, split:], color, ignore_index=NO_CLASS)
    there = something[:, centers, centers]
    if there.any():
        own = owner[:, centers, centers].flatten(1)[..., None].expand(-1, -1, 4)
        true = torch.gather(batch.object_boxes, 1, own).view(*there.shape, 4)[there]
        steps = (torch.arange(GRID) + 0.5) / GRID
        middle = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1)
        raw = helpers.token_box(features[2]).sigmoid().permute(0, 2, 3, 1)
        guess = torch.cat([middle + raw[..., :2] - 0.5, raw[..., 2:]], -1)[there]
        overlap = generalized_iou(corners(guess), corners(true))
        parts["token_box"] = (1 - overlap).mean() + 5 * (guess - true).abs().sum(-1).mean()
    return parts


def _match(answers: Answers, targets: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, ...]:
    """Pairs learned queries with wanted objects, layer by layer (Hungarian matching)."""
    with torch.no_grad():
        logits, boxes = answers.logits[..., :QUERIES], answers.boxes[:, :, :QUERIES]
        chance = logits.sigmoid()
        hit = 0.25 * (1 - chance) ** 2 * -(chance + 1e-8).log()
        miss = 0.75 * chance**2 * -(1 - chance + 1e-8).log()
        away = (boxes[:, :, :, None] - targets[None, :, None]).abs().sum(-1)
        overlap = generalized_iou(corners(boxes)[:, :, :, None], corners(targets)[None, :, None])
        cost = (2 * (hit - miss)[..., None] + 5 * away - 2 * overlap).numpy()
    found: list[list[np.ndarray]] = [[], [], [], []]
    for layer in range(len(cost)):
        for question, answer in enumerate(batch.answers):
            if len(answer):
                query, target = linear_sum_assignment(cost[layer, question, :, : len(answer)])
                size = len(query)
                for column, values in zip(
                    found, (np.full(size, layer), np.full(size, question), query, target), strict=True
                ):
                    column.append(values)
    return tuple(torch.from_numpy(np.concatenate(column)) for column in found)


def _row_of(masked: torch.Tensor, questions: int) -> torch.Tensor:
    rows = torch.full((questions,), -1)
    rows[masked] = torch.arange(len(masked))
    return rows


def question_parts(
    model: Sam3Model, helpers: Helpers, answers: Answers, batch: Batch, masked: torch.Tensor, noise: Noise
) -> Parts:
    """Whether the questions were answered: scores, boxes, masks, presence, and the helpers' lessons."""
    questions = len(batch.words)
    present = torch.tensor([float(len(answer) > 0) for answer in batch.answers])
    weight = (present + _NOT_THERE_WEIGHT * (1 - present))[None, :, None]
    most = max(1, *(len(answer) for answer in batch.answers))
    targets = torch.full((questions, most, 4), 0.5)
    for p, answer in enumerate(batch.answers):
        if len(answer):
            targets[p, : len(answer)] = batch.object_boxes[p // EACH][answer]
    parts: Parts = {}
    parts["presence"] = 3.0 * functional.binary_cross_entropy_with_logits(
        answers.presence, present.expand(len(answers.presence), -1)
    )
    rows = _row_of(masked, questions)
    if present.any():
        layer, question, query, target = _match(answers, targets, batch)
        matched = len(layer) / len(answers.logits)
        goal = torch.zeros_like(answers.logits[..., :QUERIES])
        goal[layer, question, query] = 1.0
        parts["score"] = 4 * (focal(answers.logits[..., :QUERIES], goal) * weight).sum() / matched
        guess, true = answers.boxes[layer, question, query], targets[question, target]
        parts["box"] = 5 * (guess - true).abs().sum() / matched
        parts["giou"] = 2 * (1 - generalized_iou(corners(guess), corners(true))).sum() / matched
        last = (layer == len(answers.logits) - 1) & (rows[question] >= 0)
        question, query, target = question[last], query[last], target[last]
        if len(question):
            objects = torch.tensor(
                [batch.answers[p][t] for p, t in zip(question.tolist(), target.tolist(), strict=True)]
            )
            true_masks = batch.object_masks[question // EACH, objects].float() / 255
            crossed, overlap = mask_parts(masks_of(model, answers, rows[question], question, query), true_masks)
            parts["mask"], parts["dice"] = 2 * crossed, 4 * overlap
    parts |= _noise_parts(model, answers, batch, rows, masked, noise, weight)
    parts |= _dense_parts(helpers, answers, batch, masked, present)
    parts |= _exemplar_parts(helpers, answers, batch)
    return parts


def _noise_parts(
    model: Sam3Model,
    answers: Answers,
    batch: Batch,
    rows: torch.Tensor,
    masked: torch.Tensor,
    noise: Noise,
    weight: torch.Tensor,
) -> Parts:
    pictures = torch.arange(len(batch.words)) // EACH
    true = batch.object_boxes[pictures[:, None], noise.objects]
    guess, logits = answers.boxes[:, :, QUERIES:], answers.logits[..., QUERIES:]
    real = noise.real[None, :, None]
    wanted = max(1.0, float(noise.wanted.sum()))
    count = max(1.0, float(noise.real.sum() * NOISY))
    goal = noise.wanted.expand(len(logits), -1, -1)
    parts: Parts = {}
    parts["noise_score"] = 4 * (focal(logits, goal) * weight * real).sum() / wanted
    parts["noise_box"] = 5 * ((guess - true).abs().sum(-1) * real).sum() / count
    parts["noise_giou"] = 2 * ((1 - generalized_iou(corners(guess), corners(true))) * real).sum() / count
    pairs = [(p, int(q)) for p in masked.tolist() for q in torch.nonzero(noise.wanted[p] > 0)[:6, 0]]
    if pairs:
        question, query = torch.tensor(pairs).T
        true_masks = batch.object_masks[question // EACH, noise.objects[question, query]].float() / 255
        crossed, overlap = mask_parts(masks_of(model, answers, rows[question], question, query + QUERIES), true_masks)
        parts["noise_mask"] = crossed + 2 * overlap
    return parts


def _dense_parts(
    helpers: Helpers, answers: Answers, batch: Batch, masked: torch.Tensor, present: torch.Tensor
) -> Parts:
    """Which pixels, and which tokens, belong to the answer: the prompt's most direct lesson."""
    wanted = torch.zeros(len(batch.words), MASK_SIDE, MASK_SIDE)
    for p, answer in enumerate(batch.answers):
        if len(answer):
            wanted[p] = batch.object_masks[p // EACH][answer].amax(0).float() / 255
    coarse = functional.avg_pool2d(wanted[:, None], 4)[:, 0].flatten(1)
    guess = helpers.target(answers.tokens)[..., 0]
    crossed = functional.binary_cross_entropy_with_logits(guess, coarse, reduction="none")
    there = functional.avg_pool2d((batch.object_masks.amax(1).float() / 255)[:, None], 4)[:, 0].flatten(1)
    near = 0.25 + there.repeat_interleave(EACH, 0)
    parts: Parts = {"target": 3 * (crossed * near).sum() / near.sum()}
    semantic, goal = answers.semantic, wanted[masked]
    overlap = (dice(semantic, goal) * present[masked]).sum() / present[masked].sum().clamp(min=1)
    parts["semantic"] = 4 * functional.binary_cross_entropy_with_logits(semantic, goal) + 2 * overlap
    return parts


def _exemplar_parts(helpers: Helpers, answers: Answers, batch: Batch) -> Parts:
    """What is in each box that was shown."""
    shown = batch.shown != NO_CLASS
    if not shown.any():
        return {}
    question, slot = torch.nonzero(shown, as_tuple=True)
    guess = helpers.exemplar(answers.exemplars[question, slot])
    split = 1 + len(KINDS)
    objects = batch.shown[question, slot]
    kinds, colors = batch.object_kinds[question // EACH, objects], batch.object_colors[question // EACH, objects]
    parts: Parts = {"exemplar_kind": 0.5 * functional.cross_entropy(guess[:, :split], kinds)}
    if (colors != NO_CLASS).any():
        parts["exemplar_color"] = 0.5 * functional.cross_entropy(guess[:, split:], colors, ignore_index=NO_CLASS)
    return parts
