"""Losses of the miniature's tracker, frame by frame: those of SAM 2 (Ravi et al. 2024, appendix D)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollout import Step

_FOCAL_SHARE, _FOCAL_WEIGHT = 0.25, 20.0
_HARD = 2.0


def clip_parts(steps: Sequence[Step], masks: torch.Tensor, there: torch.Tensor) -> dict[str, torch.Tensor]:
    """Losses of K objects on T frames.

    Args:
        steps: From `roll_out`, T of them.
        masks: (K, T, h, w) float in 0..1, what is to be seen of each object.
        there: (K, T) bool, whether anything is.
    """
    parts: dict[str, list[torch.Tensor]] = {"mask": [], "iou": [], "there": []}
    for when, step in enumerate(steps):
        wanted, real = masks[:, when, None], there[:, when]
        each = _mask_loss(step.masks, wanted)
        best = torch.where(step.single, each[:, 0], each[:, 1:].min(1).values)
        parts["mask"].append(_mean(best, real))
        counted = torch.cat([step.single[:, None], ~step.single[:, None].expand(-1, 3)], 1)
        missed = (step.ious - _overlaps(step.masks.detach(), wanted)).abs()
        parts["iou"].append(_mean((missed * counted).sum(1) / counted.sum(1), real))
        parts["there"].append(functional.binary_cross_entropy_with_logits(step.present[:, 0], real.float()))
    return {name: torch.stack(values).mean() for name, values in parts.items()}


def _mean(values: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    return (values * counted).sum() / counted.sum().clamp(min=1)


def _mask_loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """(K, 4): focal loss times 20, and Dice."""
    crossed = functional.binary_cross_entropy_with_logits(logits, wanted.expand_as(logits), reduction="none")
    shares = logits.sigmoid()
    missed = (shares - wanted).abs()
    balance = _FOCAL_SHARE * wanted + (1 - _FOCAL_SHARE) * (1 - wanted)
    focal = (balance * crossed * missed**_HARD).mean((2, 3))
    both, total = (shares * wanted).sum((2, 3)), shares.sum((2, 3)) + wanted.sum((2, 3))
    return _FOCAL_WEIGHT * focal + 1 - (2 * both + 1) / (total + 1)


def _overlaps(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """(K, 4) IoUs of masks with what was wanted."""
    found, real = logits > 0, wanted > 0.5
    either = (found | real).sum((2, 3))
    return (found & real).sum((2, 3)) / either.clamp(min=1)
