"""What an evaluation found, word by word."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.keywords import known_methods
from sam3_onnx._support.units import in_words
from sam3_onnx.errors import MissingExtraError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sam3_onnx.errors import Sam3Error
    from sam3_onnx.evaluate.curves import Finds, Measures

__all__ = ["Disagreement", "Evaluation", "WordEvaluation"]

_HEADER = ("word", "labelled", "threshold", "found", "correct", "precision", "recall", "F1", "IoU", "AP50", "AP")
_MOST_FAILURES = 10
_SAME = 1e-12


@dataclass(frozen=True)
class Disagreement:
    """An object that was not found, or a find that is no object of the labels."""

    picture: Path
    label: str
    box: tuple[float, float, float, float]
    """x1, y1, x2, y2 in pixels."""
    score: float | None
    """In 0..1; None for an object that was not found."""


@known_methods
@dataclass(frozen=True)
class WordEvaluation:
    """How good a model is at one word, or at all together."""

    label: str
    """As the labels say it; "all" for all words together."""
    measures: Measures
    """At the threshold in use."""
    finds: Finds = field(repr=False)
    """Scores of all finds, and which are objects."""
    ap50: float | None
    """Average precision at an IoU of 0.5; None if nothing was labelled."""
    ap: float | None
    """Mean of the average precisions at IoUs of 0.5 to 0.95 in steps of 0.05; None if nothing was labelled."""

    @property
    def best(self) -> Measures:
        """How good they are at the threshold with the highest F1."""
        return self.finds.best

    def at(self, threshold: float) -> Measures:
        """Returns how good the finds above another threshold are."""
        return self.finds.at(threshold)

    def to_dict(self) -> dict[str, object]:
        """Returns plain values."""
        average = {"ap50": self.ap50, "ap": self.ap}
        return {"label": self.label, **_plain(self.measures), **average, "best": _plain(self.best)}


@known_methods
@dataclass(frozen=True)
class Evaluation:
    """A model held against labels."""

    model: str
    """Fingerprint of the model."""
    words: tuple[WordEvaluation, ...]
    total: WordEvaluation
    """All words together: finds are counted together, average precisions are the mean over words."""
    iou: float
    """IoU from which a find can be an object."""
    least_score: float
    """Lowest score that the model was asked for: nothing is known below it."""
    pictures: int
    """Pictures that were compared."""
    without_labels: int
    """Pictures of the folder that have no labels, and were left out."""
    missed: tuple[Disagreement, ...] = ()
    """Objects that were not found at the threshold in use."""
    unlabelled: tuple[Disagreement, ...] = ()
    """Finds above the threshold in use that are no object of the labels."""
    failures: Mapping[Path, Sam3Error] = field(default_factory=dict)
    """Pictures that could not be compared, and why."""

    @property
    def thresholds(self) -> dict[str, float]:
        """The threshold with the highest F1 for each word that was labelled, as `conf_threshold` takes them."""
        best = {word.label: word.best.threshold for word in self.words if word.finds.labelled}
        return {label: threshold for label, threshold in best.items() if threshold is not None}

    def to_dict(self) -> dict[str, object]:
        """Returns plain values, for JSON."""
        return {
            "model": self.model,
            "pictures": self.pictures,
            "without_labels": self.without_labels,
            "iou": self.iou,
            "least_score": self.least_score,
            "words": [word.to_dict() for word in self.words],
            "all": self.total.to_dict(),
            "thresholds": self.thresholds,
            "missed": [_entry(one) for one in self.missed],
            "unlabelled": [_entry(one) for one in self.unlabelled],
            "failures": {str(picture): str(error) for picture, error in self.failures.items()},
        }

    def to_json(self) -> str:
        """Returns `to_dict` as text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2) + "\n"

    def table(self) -> str:
        """Returns a row for each word, and one for all."""
        rows = [_HEADER, *(_row(word, word.measures) for word in (*self.words, self.total))]
        return _aligned(rows)

    def __str__(self) -> str:
        lines = [f"{in_words(self.pictures, 'picture')} compared; a find is correct from an IoU of {self.iou:g}"]
        if self.without_labels:
            verb = "has" if self.without_labels == 1 else "have"
            lines.append(f"{in_words(self.without_labels, 'picture')} {verb} no labels, left out")
        lines += ["", self.table(), "", "Thresholds with the highest F1:"]
        for word in (word for word in self.words if word.finds.labelled):
            lines.append(f"  {word.label}: {_advice(word.measures, word.best)}")
        lines.append(f"Scores of {self.least_score:g} and below were not asked for.")
        if self.failures:
            lines.append(f"{in_words(len(self.failures), 'picture')} could not be compared:")
            lines += [f"  {picture}: {error}" for picture, error in list(self.failures.items())[:_MOST_FAILURES]]
        return "\n".join(lines)

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Writes a picture of precision and recall, and of F1 by threshold, with a line for each word.

        Raises:
            MissingExtraError: matplotlib is not installed: `pip install "sam3-onnx[plot]"`.
            OSError: The file cannot be written.
        """
        try:
            from matplotlib.figure import Figure  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise MissingExtraError(feature="plot()", package="matplotlib", extra="plot") from error
        figure = Figure(figsize=(11, 4.5), layout="constrained")
        left, right = figure.subplots(1, 2)
        grid = np.round(np.arange(self.least_score, 1, 0.01), 2)
        for word in (*self.words, self.total):
            measures = [word.at(threshold) for threshold in grid]
            style = {"label": word.label, "linewidth": 2.5 if word is self.total else 1.2}
            left.plot([one.recall for one in measures], [one.precision for one in measures], **style)
            right.plot(grid, [one.f1 for one in measures], **style)
        left.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
        right.set(xlabel="threshold", ylabel="F1", xlim=(0, 1), ylim=(0, 1.01))
        right.legend(fontsize="small")
        figure.savefig(path, dpi=120)


def _plain(measures: Measures) -> dict[str, object]:
    return {
        "threshold": measures.threshold,
        "labelled": measures.labelled,
        "found": measures.found,
        "correct": measures.correct,
        "precision": measures.precision,
        "recall": measures.recall,
        "f1": measures.f1,
        "mean_iou": measures.mean_iou,
    }


def _entry(one: Disagreement) -> dict[str, object]:
    return {"picture": str(one.picture), "label": one.label, "box": [*one.box], "score": one.score}


def _row(word: WordEvaluation, measures: Measures) -> tuple[str, ...]:
    shares = (measures.precision, measures.recall, measures.f1, measures.mean_iou, word.ap50, word.ap)
    counts = (measures.labelled, _at(measures.threshold), measures.found, measures.correct)
    return (word.label, *map(str, counts), *map(_share, shares))


def _at(threshold: float | None) -> str:
    return "-" if threshold is None else f"{threshold:.2f}"


def _advice(used: Measures, best: Measures) -> str:
    """Returns which threshold to take in place of the one in use."""
    if not best.correct:
        return "none, as no find is an object of the labels"
    if used.f1 is not None and best.f1 is not None and best.f1 - used.f1 < _SAME:
        return f"{_at(used.threshold)}, which is in use (F1 {_share(used.f1)}; no other does better)"
    return f"{_at(best.threshold)} (F1 {_share(best.f1)} instead of {_share(used.f1)})"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(row: tuple[str, ...]) -> Iterator[str]:
        yield row[0].ljust(widths[0])
        for cell, width in zip(row[1:], widths[1:], strict=True):
            yield cell.rjust(width)

    return "\n".join("  ".join(line(row)) for row in rows)
