"""Finds and labelled objects of all pictures, compared and counted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.evaluate.curves import Finds, Measures
from sam3_onnx.evaluate.matching import NONE, pair
from sam3_onnx.evaluate.report import Disagreement, Evaluation, WordEvaluation
from sam3_onnx.geometry.window import shared_pixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.errors import Sam3Error
    from sam3_onnx.evaluate.truth import LabelledObject
    from sam3_onnx.prompts.words import Concept
    from sam3_onnx.results.instance import Instance
    from sam3_onnx.results.segmentation import Segmentation

__all__ = ["Comparison", "Tally", "overlaps_of"]

_COCO_IOUS = tuple(float(iou) for iou in np.round(np.arange(0.5, 1.0, 0.05), 2))
"""IoUs over which COCO's average precision is the mean: `Params.iouThrs` in `pycocotools/cocoeval.py`."""


@dataclass
class Comparison:
    """One picture at the thresholds in use."""

    correct: list[Instance] = field(default_factory=list)
    """Finds that are an object of the labels."""
    unlabelled: list[Instance] = field(default_factory=list)
    """Finds that are none."""
    missed: list[LabelledObject] = field(default_factory=list)
    """Objects that were not found."""


@dataclass
class _Counts:
    """Finds of one word at one IoU, picture by picture."""

    scores: list[NDArray[np.float64]] = field(default_factory=list)
    overlaps: list[NDArray[np.float64]] = field(default_factory=list)


class Tally:
    """Counts what was found of what was labelled. It is not for several threads at once."""

    def __init__(self, concepts: Sequence[Concept], thresholds: Mapping[str, float], iou: float) -> None:
        """Begins with no picture.

        Args:
            concepts: What is looked for.
            thresholds: The threshold in use of each label.
            iou: From which a find can be an object.
        """
        self.failures: dict[Path, Sam3Error] = {}
        self._labels = tuple(dict.fromkeys(concept.label for concept in concepts))
        self._thresholds, self._iou = thresholds, iou
        self._counts: dict[tuple[str, float], _Counts] = defaultdict(_Counts)
        self._labelled = dict.fromkeys(self._labels, 0)
        self._missed: list[Disagreement] = []
        self._unlabelled: list[Disagreement] = []
        self._pictures = 0

    @property
    def done(self) -> int:
        """Pictures that were compared, or failed."""
        return self._pictures + len(self.failures)

    def fail(self, picture: Path, error: Sam3Error) -> None:
        """Notes a picture that cannot be compared."""
        self.failures[picture] = error

    def add(self, picture: Path, result: Segmentation, objects: Iterable[LabelledObject]) -> Comparison:
        """Counts a picture; objects of words that were not asked for are left out.

        Returns:
            What is right and wrong in it at the thresholds in use.
        """
        self._pictures += 1
        by_label: dict[str, list[LabelledObject]] = {label: [] for label in self._labels}
        for one in objects:
            by_label.get(one.label, []).append(one)
        comparison = Comparison()
        for label, there in by_label.items():
            self._labelled[label] += sum(not one.is_crowd for one in there)
            finds = [instance for instance in result if instance.label == label]
            self._count(label, finds, there, comparison)
        self._missed += [_missed(picture, one) for one in comparison.missed]
        self._unlabelled += [_unlabelled(picture, one) for one in comparison.unlabelled]
        return comparison

    def _count(
        self, label: str, finds: Sequence[Instance], there: Sequence[LabelledObject], comparison: Comparison
    ) -> None:
        scores = np.array([instance.score for instance in finds], np.float64)
        is_crowd = np.array([one.is_crowd for one in there], np.bool_)
        overlaps = overlaps_of(finds, there)
        for iou in {*_COCO_IOUS, self._iou}:
            paired = pair(overlaps, scores, is_crowd, least=iou)
            counts = self._counts[label, iou]
            counts.scores.append(scores[~paired.is_ignored])
            counts.overlaps.append(paired.overlaps[~paired.is_ignored])
        paired = pair(overlaps, scores, is_crowd, least=self._iou)
        is_used = scores > self._thresholds[label]
        for instance, partner, counts_now in zip(finds, paired.partners, is_used & ~paired.is_ignored, strict=True):
            if counts_now:
                (comparison.unlabelled if partner == NONE else comparison.correct).append(instance)
        found = set(paired.partners[is_used].tolist())
        comparison.missed += [one for at, one in enumerate(there) if at not in found and not one.is_crowd]

    def evaluation(self, model: str, *, least_score: float, without_labels: int) -> Evaluation:
        """Returns what was counted.

        Args:
            model: What it is called.
            least_score: The lowest score that was asked for.
            without_labels: Pictures that were left out.
        """
        words = tuple(self._word(label) for label in self._labels)
        everything = WordEvaluation(
            label="all",
            measures=_together([word.measures for word in words]),
            finds=_joined([word.finds for word in words]),
            ap50=_mean(word.ap50 for word in words),
            ap=_mean(word.ap for word in words),
        )
        return Evaluation(
            model=model,
            words=words,
            total=everything,
            iou=self._iou,
            least_score=least_score,
            pictures=self._pictures,
            without_labels=without_labels,
            missed=tuple(self._missed),
            unlabelled=tuple(self._unlabelled),
            failures=dict(self.failures),
        )

    def _word(self, label: str) -> WordEvaluation:
        finds = self._finds(label, self._iou)
        precisions = [self._finds(label, iou).average_precision for iou in _COCO_IOUS]
        measures = finds.at(self._thresholds[label])
        return WordEvaluation(label, measures, finds, ap50=precisions[0], ap=_mean(precisions))

    def _finds(self, label: str, iou: float) -> Finds:
        counts = self._counts[label, iou]
        empty = [np.zeros(0)]
        return Finds(
            np.concatenate(counts.scores or empty), np.concatenate(counts.overlaps or empty), self._labelled[label]
        )


def overlaps_of(finds: Sequence[Instance], objects: Sequence[LabelledObject]) -> NDArray[np.float64]:
    """Returns how far finds are objects.

    Args:
        finds: D of them.
        objects: T of them, of the same picture.

    Returns:
        (D, T) IoU of masks, or of boxes where only the object's box is known; for a region of many objects, the share
        of the find that lies in it.
    """
    overlaps = np.zeros((len(finds), len(objects)))
    for row, find in enumerate(finds):
        for column, one in enumerate(objects):
            overlaps[row, column] = _box_overlap(find, one) if one.is_box else _mask_overlap(find, one)
    return overlaps


def _mask_overlap(find: Instance, one: LabelledObject) -> float:
    mine = find.source.window
    shared = shared_pixels(mine, one.mask)
    whole = mine.area if one.is_crowd else mine.area + one.mask.area - shared
    return shared / whole if whole else 0.0


def _box_overlap(find: Instance, one: LabelledObject) -> float:
    mine = np.asarray(find.box, np.float64)
    shared = _area([*np.maximum(mine[:2], one.box[:2]), *np.minimum(mine[2:], one.box[2:])])
    whole = _area(mine) if one.is_crowd else _area(mine) + _area(one.box) - shared
    return shared / whole if whole else 0.0


def _area(box: Sequence[float] | NDArray[np.float64]) -> float:
    x1, y1, x2, y2 = (float(edge) for edge in box)
    return max(0.0, x2 - x1) * max(0.0, y2 - y1)


def _missed(picture: Path, one: LabelledObject) -> Disagreement:
    return Disagreement(picture, one.label, _corners(one.box), None)


def _unlabelled(picture: Path, one: Instance) -> Disagreement:
    return Disagreement(picture, one.label, _corners(one.box), one.score)


def _corners(box: NDArray[np.generic]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(edge) for edge in box)
    return x1, y1, x2, y2


def _joined(words: Sequence[Finds]) -> Finds:
    scores, overlaps = ([getattr(word, name) for word in words] for name in ("scores", "overlaps"))
    return Finds(np.concatenate(scores), np.concatenate(overlaps), sum(word.labelled for word in words))


def _together(words: Sequence[Measures]) -> Measures:
    """Returns the measures of all finds, each at its word's threshold."""
    thresholds = {word.threshold for word in words}
    correct = sum(word.correct for word in words)
    overlap = sum(word.mean_iou * word.correct for word in words if word.mean_iou is not None)
    return Measures(
        threshold=thresholds.pop() if len(thresholds) == 1 else None,
        labelled=sum(word.labelled for word in words),
        found=sum(word.found for word in words),
        correct=correct,
        mean_iou=overlap / correct if correct else None,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
