"""Precision, recall and what follows from them, for finds whose partners are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.lazy_values import cached_property

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Finds", "Measures"]

_RECALLS = np.linspace(0, 1, 101)
"""Where COCO's evaluation reads precision: `Params.recThrs` in `pycocotools/cocoeval.py`."""
_GRID = np.round(np.arange(0.01, 1.0, 0.01), 2)
"""Thresholds among which the one that suits a word is looked for."""
_SAME = 1e-12


@dataclass(frozen=True)
class Measures:
    """How good the finds above one threshold are."""

    threshold: float | None
    """Finds with a score above it count; None where words have different ones."""
    labelled: int
    """Objects in the labels."""
    found: int
    """Finds that count."""
    correct: int
    """Finds that are one of the objects."""
    mean_iou: float | None
    """Mean IoU of correct finds with their objects; None without any."""

    @property
    def precision(self) -> float | None:
        """Share of the finds that are correct; None without any."""
        return self.correct / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Share of the objects that were found; None without any."""
        return self.correct / self.labelled if self.labelled else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None if nothing was labelled and nothing found."""
        return 2 * self.correct / (self.found + self.labelled) if self.found + self.labelled else None


@dataclass(frozen=True)
class Finds:
    """Finds of one word in all pictures, and how many objects there were."""

    scores: NDArray[np.float64]
    """(D,) of all finds that count, in the order of the pictures, within one by falling score."""
    overlaps: NDArray[np.float64]
    """(D,) IoU with the object that a find is; 0 for one that is none."""
    labelled: int
    """Objects in the labels."""

    def at(self, threshold: float) -> Measures:
        """Returns how good the finds above a threshold are."""
        overlaps = self.overlaps[self.scores > threshold]
        correct = overlaps[overlaps > 0]
        mean = float(correct.mean()) if correct.size else None
        return Measures(float(threshold), self.labelled, int(overlaps.size), int(correct.size), mean)

    @cached_property
    def best(self) -> Measures:
        """How good the finds above the threshold that suits are: the middle of those with the highest F1."""
        scores = [self.at(threshold).f1 or 0.0 for threshold in _GRID]
        first = int(np.argmax(scores))
        last = first
        while last + 1 < len(scores) and abs(scores[last + 1] - scores[first]) < _SAME:
            last += 1
        return self.at(float(_GRID[(first + last) // 2]))

    @cached_property
    def average_precision(self) -> float | None:
        """Mean precision over 101 recalls, as COCO's evaluation computes it; None if nothing was labelled.

        The rules are those of `COCOeval.accumulate` in `pycocotools/cocoeval.py` of github.com/cocodataset/cocoapi.
        """
        if not self.labelled:
            return None
        is_correct = self.overlaps[np.argsort(-self.scores, kind="mergesort")] > 0
        correct = np.cumsum(is_correct)
        precision = correct / np.arange(1, len(correct) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]  # the best at this recall or a higher one
        places = np.searchsorted(correct / self.labelled, _RECALLS, side="left")
        return float(np.append(precision, 0.0)[np.minimum(places, len(precision))].mean())
