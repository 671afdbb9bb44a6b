"""`ExaminedModel`: a model that runs a fixed set of prompts, so that the results of two forms of it can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.images.resizing import to_model_input
from sam3_onnx.models.families.protocol import Clicks, Query
from sam3_onnx.models.runtime.devices.arrays import on_host
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.settings import RuntimeSettings
from sam3_onnx.prompts.tokenizer import load_tokenizer

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.geometry.mask_sources import MaskSource
    from sam3_onnx.models.families.protocol import Arrays, Encoder, Family, Tracker
    from sam3_onnx.models.families.recognition import Exports
    from sam3_onnx.models.runtime.devices.arrays import AnyArray

__all__ = ["ExaminedModel", "Found", "first_call"]

_VISUAL = "visual"
"""Text prompt that is used for a box without words."""
_CENTRE = np.array([[0.5, 0.5, 0.4, 0.4]], np.float32)


class _Fed(Exception):  # noqa: N818 - it ends a run of which only the input is needed
    """Raised instead of running a graph; contains its inputs."""

    def __init__(self, feeds: dict[str, NDArray[np.generic]]) -> None:
        super().__init__()
        self.feeds = feeds


class _RecordedModel(OnnxModel):
    """A graph that records the inputs of its first run."""

    tells: bool = False
    """Whether to raise the inputs instead of running."""

    first: tuple[tuple[str, ...], dict[str, NDArray[np.generic]]] | None = None
    """Names of the requested outputs, and the inputs of the first run."""

    def run_anywhere(
        self,
        outputs: Sequence[str],
        feeds: Mapping[str, AnyArray],
        *,
        cancel: threading.Event | None = None,
        stay: bool = False,
    ) -> list[AnyArray]:
        """Runs the graph like `OnnxModel.run_anywhere`, and records the first inputs."""
        fed = {name: on_host(array) for name, array in feeds.items()}
        if self.tells:
            raise _Fed(fed)
        if self.first is None:
            self.first = tuple(outputs), fed
        return super().run_anywhere(outputs, feeds, cancel=cancel, stay=stay)


def first_call(model: OnnxModel) -> tuple[tuple[str, ...], dict[str, NDArray[np.generic]]]:
    """Returns the requested outputs and the inputs of the first run of a graph of `ExaminedModel`.

    Raises:
        ValueError: The graph has not been run.
    """
    if not isinstance(model, _RecordedModel) or model.first is None:
        raise ValueError(f"{model.graph.path.name} has not been run")
    return model.first


@dataclass(frozen=True)
class Found:
    """The result of one prompt."""

    scores: NDArray[np.float32]
    """Scores (N,) in 0..1."""
    masks: Sequence[MaskSource]
    """N masks; none if there are only scores."""
    ordered: bool
    """Whether the entries are the queries of the model, so that entries of two forms correspond by index."""
    cut: float = 0.0
    """Threshold of the model: entries with a score up to this value are not returned."""


class ExaminedModel:
    """A model that runs a fixed set of prompts: words, boxes and clicks, if it supports them.

    Attributes:
        models: The graphs by role. Roles of a second export start with the name of its family: "tracker/decoder".
    """

    def __init__(self, exports: Exports) -> None:
        settings = RuntimeSettings("cpu", precision="float32")
        heads = exports.open(settings, make=_RecordedModel)
        self._family: Family | None = heads.get("concepts")
        self._tracker: Tracker | None = heads.get("clicks")
        self._encoders: list[Encoder] = list({id(encoder): encoder for encoder in heads.values()}.values())
        self.models: dict[str, OnnxModel] = {}
        for encoder in self._encoders:
            place = f"{encoder.capabilities.family}/" if self.models else ""
            self.models |= {f"{place}{role}": model for role, model in encoder.models.items()}

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Input (height, width) of each image encoder: that of the family, and that of the tracker."""
        return [encoder.capabilities.input_size for encoder in self._encoders]

    def run(self, picture: NDArray[np.uint8], words: Sequence[str]) -> None:
        """Runs all prompts once on a picture (H, W, 3) uint8 RGB, so that `first_call` has the inputs of all graphs."""
        features = self.encode([to_model_input(picture, size) for size in self.sizes])
        self.answer(features, self.read(words), (picture.shape[0], picture.shape[1]))

    def image_feeds(self, role: str, picture: NDArray[np.uint8]) -> dict[str, NDArray[np.generic]]:
        """Returns the inputs of an image encoder for a picture (H, W, 3) uint8 RGB, without running it.

        Args:
            role: Role of the image encoder, as in `models`.
            picture: The picture.
        """
        model = self.models[role]
        encoder = next(each for each in self._encoders if model in each.models.values())
        if not isinstance(model, _RecordedModel):
            raise TypeError(f"{role} is not a graph of this model")
        model.tells = True
        try:
            encoder.encode_image(to_model_input(picture, encoder.capabilities.input_size), cancel=None)
        except _Fed as told:
            return told.feeds
        finally:
            model.tells = False
        raise ValueError(f"{role} is not an image encoder")

    def encode(self, pixels: Sequence[NDArray[np.uint8]]) -> Arrays:
        """Returns the features of a picture that was resized to each of `sizes`."""
        features: dict[str, NDArray[np.generic]] = {}
        for encoder, picture in zip(self._encoders, pixels, strict=True):
            features |= {name: on_host(array) for name, array in encoder.encode_image(picture, cancel=None).items()}
        return features

    def read(self, words: Sequence[str]) -> list[Arrays]:
        """Returns features of words, and of the prompt for a box without words; empty if words are not supported."""
        if self._family is None:
            return []
        tokenizer = load_tokenizer()
        return self._family.encode_text([tokenizer.encode(word) for word in (*words, _VISUAL)], cancel=None)

    def answer(self, features: Arrays, texts: Sequence[Arrays], size: tuple[int, int]) -> list[Found]:
        """Returns the results for each word (together with a box, if boxes are supported), and for clicks."""
        return [*self._concepts(features, texts, size), *self._objects(features, size)]

    def _concepts(self, features: Arrays, texts: Sequence[Arrays], size: tuple[int, int]) -> list[Found]:
        if self._family is None:
            return []
        can = self._family.capabilities
        none, empty = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
        queries = [Query(text, none, empty) for text in texts[:-1]]
        if can.boxes:
            queries.append(Query(texts[-1], _CENTRE, np.array([1])))
        if can.negative_boxes:
            queries.append(Query(texts[0], _CENTRE, np.array([0])))
        everything = not can.lowest_threshold
        threshold = -1.0 if everything else can.lowest_threshold
        found = self._family.detect(features, queries, size=size, threshold=threshold, cancel=None)
        return [Found(each.scores, each.masks, everything, can.lowest_threshold) for each in found]

    def _objects(self, features: Arrays, size: tuple[int, int]) -> list[Found]:
        if self._tracker is None:
            return []
        point = Clicks(np.array([[0.5, 0.5]], np.float32), np.array([1]), None)
        box = Clicks(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), np.array([0.3, 0.3, 0.7, 0.7], np.float32))
        found = []
        for clicks in (point, box):
            answer = self._tracker.segment(features, clicks, size=size, cancel=None)
            found.append(Found(answer.scores, answer.masks, ordered=True))
            found.append(Found(np.array([answer.object_score], np.float32), (), ordered=True))
        return found
