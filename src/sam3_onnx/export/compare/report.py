"""How far a bundle and its checkpoint differ on some pictures."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "CompareReport"]

_SCORE, _IOU = 0.02, 0.95
"""Largest difference of a score, and smallest IoU of a mask, that is no cause for concern in float32."""


@dataclass(frozen=True)
class Answer:
    """One word asked of one picture."""

    picture: str
    """Name of the file."""
    word: str
    reference: int
    """Instances that the checkpoint finds."""
    bundle: int
    """Instances that the bundle finds."""
    paired: int
    """Instances that both find: masks with an IoU of at least 0.5."""
    score: float
    """Largest difference of their scores, 0 without any."""
    box: float
    """Largest difference of a box edge, in pixels of the picture."""
    mask_iou: float
    """Smallest IoU of their masks, 1 without any."""
    alone: float
    """Highest score of an instance that only one of them finds, 0 without any."""


@dataclass(frozen=True)
class CompareReport:
    """All words asked of all pictures."""

    about: Mapping[str, str]
    """Versions, model, provider, machine."""
    threshold: float
    """Instances with a score above it were compared."""
    answers: tuple[Answer, ...]

    @property
    def agrees(self) -> bool:
        """Whether both find the same: scores within 0.02, masks with an IoU of at least 0.95.

        An instance that only one of them finds counts unless its score is within 0.02 of the threshold.
        """
        return all(
            one.score <= _SCORE and one.mask_iou >= _IOU and one.alone <= self.threshold + _SCORE
            for one in self.answers
        )

    def to_json(self) -> str:
        """Returns all figures as text."""
        content = {
            "about": dict(self.about),
            "threshold": self.threshold,
            "agrees": self.agrees,
            "answers": [asdict(answer) for answer in self.answers],
        }
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"

    def __str__(self) -> str:
        """Returns a report in Markdown."""
        lines = [f"- {name}: {value}" for name, value in self.about.items()]
        lines += ["", "| picture | word | checkpoint | bundle | both | score | box, pixels | mask IoU | alone |"]
        lines += ["|---|---|---|---|---|---|---|---|---|"]
        lines += [
            f"| {one.picture} | {one.word} | {one.reference} | {one.bundle} | {one.paired} | {one.score:.1e} | "
            f"{one.box:.2f} | {one.mask_iou:.4f} | {one.alone:.3f} |"
            for one in self.answers
        ]
        verdict = "They agree" if self.agrees else "They do not agree"
        limits = f"scores within {_SCORE}, mask IoU of at least {_IOU}, nothing found by one alone"
        lines += ["", f"{verdict} ({limits}; instances above {self.threshold:g})."]
        return "\n".join(lines)
