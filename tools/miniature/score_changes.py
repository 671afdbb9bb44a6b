"""How far the scores of a miniature bundle move in another precision, over all of its queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from vocabulary import VISUAL
from world import SIDE

from sam3_onnx.images.resizing import to_model_input
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.families.protocol import Query
from sam3_onnx.models.runtime.settings import RuntimeSettings
from sam3_onnx.prompts.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from questions import Question
    from world import Scene

THRESHOLD = 0.5


class Scores:
    """Answers questions with the scores of all queries, in the order of the model's queries."""

    def __init__(self, folder: Path, settings: RuntimeSettings) -> None:
        self._family = exports_in_folder(folder).open(settings)["concepts"]

    def of(self, scene: Scene, question: Question) -> NDArray[np.float32]:
        """Returns the scores (48,) of a question."""
        pixels = to_model_input(scene.picture, self._family.capabilities.input_size)
        features = self._family.encode_image(pixels, cancel=None)
        (text,) = self._family.encode_text([load_tokenizer().encode(question.text or VISUAL)], cancel=None)
        query = Query(text, question.boxes, question.labels)
        (found,) = self._family.detect(features, [query], size=(SIDE, SIDE), threshold=-1, cancel=None)
        return found.scores


@dataclass
class ScoreChanges:
    """The largest change of a score in each question, and how many scores crossed the threshold."""

    exact: Scores
    other: Scores
    largest: list[float] = field(default_factory=list)
    crossings: int = 0

    def add(self, scene: Scene, question: Question) -> None:
        """Asks both."""
        before, after = self.exact.of(scene, question), self.other.of(scene, question)
        self.largest.append(float(np.abs(after - before).max()))
        self.crossings += int(((before > THRESHOLD) != (after > THRESHOLD)).sum())

    @property
    def figures(self) -> dict[str, float]:
        """Mean, 99th percentile and maximum over questions, and crossings in all."""
        changes = np.array(self.largest)
        return {
            "questions": len(changes),
            "mean score change": float(changes.mean()),
            "p99": float(np.percentile(changes, 99)),
            "largest": float(changes.max()),
            "scores that cross": self.crossings,
        }


def against_float32(folder: Path, settings: RuntimeSettings, exact: Path) -> ScoreChanges:
    """Returns a comparison of a way to run a bundle with one in float32 in plain ONNX Runtime."""
    return ScoreChanges(Scores(exact, RuntimeSettings("cpu", threads=1)), Scores(folder, settings))
