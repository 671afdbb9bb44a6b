"""Comparison of the results of two forms of one model, and the limits for their differences."""

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
"""Least cosine of features, level by level."""
MOST_SCORE = 0.1
"""Largest difference of a score. Most scores are near 0 or 1; a score that crosses 0.5 by less was uncertain before."""
LEAST_IOU = 0.5
"""Least IoU of the two masks of one instance; below it, they do not count as the same instance."""
LEAST_MEAN_IOU = 0.95
"""Least average IoU over all instances."""
STAGES = ("image_encoder", "text_encoder", "decoder")
WHOLE = "whole"
"""Name for all stages of the other form together."""
_SURE = 0.5
"""Score above which instances are results; masks of other instances are not compared."""
_SAME_SCORE, _SAME_IOU = 1e-4, 0.99
"""Largest difference of equal results, because of rounding in float32: the tolerance of an export."""
_SMALLEST_SHARE = 25 / 288**2
"""Least area of a mask, as a fraction of the picture: 25 cells of a full-size mask. Smaller masks are not compared."""


@dataclass
class Fidelity:
    """Largest differences of the results."""

    features: dict[str, float] = field(default_factory=dict)
    """Smallest cosine of each value that is passed between graphs, by name."""
    score: float = 0.0
    """Largest difference of a score, in 0..1."""
    mask_iou: float = 1.0
    """Smallest IoU of the masks of one instance."""
    mean_iou: float = 1.0
    """Average IoU of the masks of one instance."""
    masks: int = 0
    """Number of compared masks."""
    lost: int = 0
    """Number of results that disappeared or were added, because their score crossed the threshold."""
    broken: str = ""
    """Reason why there is no result at all; "" if there is one."""

    @property
    def faults(self) -> list[str]:
        """Returns the differences outside the limits, as texts."""
        found = [
            f"the cosine of {name} is {cosine:.4f}" for name, cosine in self.features.items() if cosine < LEAST_COSINE
        ]
        found += [f"a score differs by {self.score:.3f}"] if not self.score <= MOST_SCORE else []
        found += [f"a mask overlaps by an IoU of {self.mask_iou:.3f}"] if not self.mask_iou >= LEAST_IOU else []
        found += [f"masks overlap by an IoU of {self.mean_iou:.3f}"] if not self.mean_iou >= LEAST_MEAN_IOU else []
        return found + ([self.broken] if self.broken else [])

    def see_features(self, before: Arrays, after: Arrays) -> None:
        """Includes a comparison of features."""
        for name, exact in before.items():
            if exact.dtype.kind == "f":
                self.features[name] = min(_cosine(exact, after[name]), self.features.get(name, 1.0))

    def see_answer(self, before: Found, after: Found) -> None:
        """Includes a comparison of the results of one prompt."""
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
    """Returns the stage to which a graph belongs."""
    name = role.rpartition("/")[2]
    return name if name in STAGES else "decoder"


def compare(
    before: ExaminedModel, after: ExaminedModel, pictures: Mapping[str, NDArray[np.uint8]], words: Sequence[str]
) -> dict[str, Fidelity]:
    """Compares two forms of a model on the same prompts, with each stage replaced alone and with all stages replaced.

    Args:
        before: The original form.
        after: The other form.
        pictures: Pictures (H, W, 3) uint8 RGB, by name.
        words: Words to look for.

    Returns:
        The differences for each stage, and for WHOLE.
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
    """Compares two forms on the same features, and returns a description of the difference; "" if there is none.

    Args:
        before: The original form.
        after: The other form, whose encoders are used for both.
        picture: Picture (H, W, 3) uint8 RGB.
        words: Words to look for.
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
    """Returns the pairs of entries that are the same instance, by index or by the IoU of their masks, best first."""
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
