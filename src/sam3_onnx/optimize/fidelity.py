"""How far the answers of two forms of one model differ, and how far they may."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import ModelAnswerError
from sam3_onnx.geometry.window import window_iou
from sam3_onnx.images.resizing import to_model_input

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.geometry.mask_sources import MaskSource
    from sam3_onnx.models.families.protocol import Arrays
    from sam3_onnx.optimize.examined_model import ExaminedModel, Found

__all__ = [
    "LEAST_COSINE",
    "LEAST_IOU",
    "LEAST_MEAN_IOU",
    "MOST_SCORE",
    "STAGES",
    "WHOLE",
    "Fidelity",
    "compare",
    "same_answers",
    "stage_of",
]

LEAST_COSINE = 0.99
"""Of features, level by level."""
MOST_SCORE = 0.1
"""Difference of a score. Scores cluster near 0 and near 1; what crosses 0.5 by less was a toss-up before."""
LEAST_IOU = 0.5
"""Of the masks of one instance, at worst: below it they no longer count as the same one."""
LEAST_MEAN_IOU = 0.95
"""On average over the instances."""
STAGES = ("image_encoder", "text_encoder", "decoder")
WHOLE = "whole"
"""All stages of the other form together."""
_SURE = 0.5
"""Instances above it are answers; masks of others matter to nobody."""
_SAME_SCORE, _SAME_IOU = 1e-4, 0.99
"""Answers are the same up to rounding in float32: what an export may differ from its model."""
_SMALLEST_SHARE = 25 / 288**2
"""Of a picture: 25 cells of a full-size model's masks. One more or less says nothing about a smaller one."""


@dataclass
class Fidelity:
    """How far answers differ, at worst."""

    features: dict[str, float] = field(default_factory=dict)
    """Smallest cosine by name, of what goes from one graph to another."""
    score: float = 0.0
    """Largest difference of a score, in 0..1."""
    mask_iou: float = 1.0
    """Smallest IoU of the masks of one instance."""
    mean_iou: float = 1.0
    """Average IoU of the masks of one instance."""
    masks: int = 0
    """How many masks were compared."""
    lost: int = 0
    """Answers that are none any more, or have become one: their score went over the threshold."""
    broken: str = ""
    """Why there is no answer at all."""

    @property
    def faults(self) -> list[str]:
        """What is beyond the limits."""
        found = [
            f"the cosine of {name} is {cosine:.4f}" for name, cosine in self.features.items() if cosine < LEAST_COSINE
        ]
        found += [f"a score differs by {self.score:.3f}"] if not self.score <= MOST_SCORE else []
        found += [f"a mask overlaps by an IoU of {self.mask_iou:.3f}"] if not self.mask_iou >= LEAST_IOU else []
        found += [f"masks overlap by an IoU of {self.mean_iou:.3f}"] if not self.mean_iou >= LEAST_MEAN_IOU else []
        return found + ([self.broken] if self.broken else [])

    def see_features(self, before: Arrays, after: Arrays) -> None:
        """Takes note of features."""
        for name, exact in before.items():
            if exact.dtype.kind == "f":
                self.features[name] = min(_cosine(exact, after[name]), self.features.get(name, 1.0))

    def see_answer(self, before: Found, after: Found) -> None:
        """Takes note of the answers to one question."""
        pairs = _pairs(before, after)
        paired = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
        apart = [abs(float(before.scores[i]) - float(after.scores[j])) for i, j in pairs]
        for scores, partners in zip((before.scores, after.scores), paired, strict=True):
            apart += [float(score) - before.cut for i, score in enumerate(scores) if i not in partners]
        self.score = max(self.score, *apart) if apart else self.score
        self.lost += sum(bool(before.scores[i] > _SURE) != bool(after.scores[j] > _SURE) for i, j in pairs)
        self.lost += sum(len(scores) for scores in (before.scores, after.scores)) - 2 * len(pairs)
        for i, j in pairs:
            if before.scores[i] > _SURE and before.masks:
                self._see_mask(before.masks[i], after.masks[j])

    def _see_mask(self, before: MaskSource, after: MaskSource) -> None:
        one, other = before.window, after.window
        if max(one.area, other.area) >= _SMALLEST_SHARE * before.size[0] * before.size[1]:
            overlap = window_iou(one, other)
            self.mask_iou = min(self.mask_iou, overlap)
            self.mean_iou = (self.mean_iou * self.masks + overlap) / (self.masks + 1)
            self.masks += 1


def stage_of(role: str) -> str:
    """The stage that a graph belongs to."""
    name = role.rpartition("/")[2]
    return name if name in STAGES else "decoder"


def compare(
    before: ExaminedModel, after: ExaminedModel, pictures: Mapping[str, NDArray[np.uint8]], words: Sequence[str]
) -> dict[str, Fidelity]:
    """Asks both forms the same, with each stage exchanged alone and with all of them.

    Args:
        before: The form that counts as right.
        after: The other.
        pictures: (H, W, 3) uint8 RGB, by name.
        words: What to look for.

    Returns:
        By stage, and for WHOLE.
    """
    seen = {stage: Fidelity() for stage in (*STAGES, WHOLE)}
    exact_texts = before.read(words)
    other_texts = after.read(words)
    for exact, other in zip(exact_texts, other_texts, strict=True):
        for stage in ("text_encoder", WHOLE):
            seen[stage].see_features(exact, other)
    for picture in pictures.values():
        size = picture.shape[0], picture.shape[1]
        pixels = [to_model_input(picture, wanted) for wanted in before.sizes]
        exact_features = before.encode(pixels)
        other_features = after.encode(pixels)
        for stage in ("image_encoder", WHOLE):
            seen[stage].see_features(exact_features, other_features)
        right = before.answer(exact_features, exact_texts, size)
        trials: dict[str, tuple[ExaminedModel, Arrays, Sequence[Arrays]]] = {
            "image_encoder": (before, other_features, exact_texts),
            "text_encoder": (before, exact_features, other_texts),
            "decoder": (after, exact_features, exact_texts),
            WHOLE: (after, other_features, other_texts),
        }
        for stage, (model, features, texts) in trials.items():
            _judge(seen[stage], model, features, texts, size, right)
    return seen


def same_answers(before: ExaminedModel, after: ExaminedModel, picture: NDArray[np.uint8], words: Sequence[str]) -> str:
    """Asks two forms the same from the same features, and returns in which way they differ; "" if they do not.

    Args:
        before: The form that counts as right.
        after: The other, whose encoders are used for both.
        picture: (H, W, 3) uint8 RGB.
        words: What to look for.
    """
    size = picture.shape[0], picture.shape[1]
    features = after.encode([to_model_input(picture, wanted) for wanted in after.sizes])
    texts = after.read(words)
    seen = Fidelity()
    _judge(seen, after, features, texts, size, before.answer(features, texts, size))
    if seen.broken:
        return seen.broken
    same = seen.score <= _SAME_SCORE and seen.mask_iou >= _SAME_IOU
    return "" if same else f"a score differs by {seen.score:.2g}, a mask overlaps by an IoU of {seen.mask_iou:.3f}"


def _judge(
    fidelity: Fidelity,
    model: ExaminedModel,
    features: Arrays,
    texts: Sequence[Arrays],
    size: tuple[int, int],
    right: list[Found],
) -> None:
    try:
        answers = model.answer(features, texts, size)
    except ModelAnswerError as error:
        fidelity.broken = str(error)
        return
    for exact, other in zip(right, answers, strict=True):
        fidelity.see_answer(exact, other)


def _cosine(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    a, b = (np.asarray(array, np.float64).ravel() for array in (one, other))
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if not np.isfinite(lengths):
        return 0.0
    return float(a @ b) / lengths if lengths else float(np.array_equal(a, b))


def _pairs(before: Found, after: Found) -> list[tuple[int, int]]:
    """Which entries are the same instance: by their place, or by the overlap of their masks, the best first."""
    if before.ordered and len(before.scores) == len(after.scores):
        return [(index, index) for index in range(len(before.scores))]
    overlaps = np.array(
        [[window_iou(one.window, other.window) for other in after.masks] for one in before.masks], np.float64
    ).reshape(len(before.masks), len(after.masks))
    pairs = []
    while overlaps.size and overlaps.max() > _SURE:
        row, column = (int(index) for index in np.unravel_index(overlaps.argmax(), overlaps.shape))
        overlaps[row], overlaps[:, column] = -1, -1
        pairs.append((row, column))
    return pairs
