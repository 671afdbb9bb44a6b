"""Which graphs are measured, how are they run without the library, and what do they find?

Random weights find nothing sensible, and a real picture has few words in it. So every decoder is run
in full, and what it answered is then replaced by a made-up scene, in the same way on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from benchmarks.scenes import blobs, picture
from sam3_onnx import Sam3Session
from sam3_onnx.hub import model_folder
from sam3_onnx.models.families.feeds import fitted
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.families.native import NativeFamily
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.settings import RuntimeSettings
from sam3_onnx.prompts.tokenizer import load_tokenizer, pad

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx import Embedding
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["CPU_ALONE", "Bare", "Subject", "open_subject", "subjects", "tokens_of"]

WORDS = ("coin", "ball", "leaf", "stone", "button")
CPU_ALONE = RuntimeSettings("cpu")
_EMPTY_SLOT = -10
_HEADS = ("logits", "presence", "boxes_xyxy")
_BETWEEN = ("mask_features", "mask_queries")
_TEXT = ("text_features", "text_mask")
_PARTS = {"geometry_encoder": ("geometry_features", "geometry_mask"), "fusion": ("fused_features",)}
"""What comes before a decoder that is in parts, and what each answers."""


class Stage:
    """A scene in place of what a decoder answered.

    Attributes:
        instances: How many things each word finds from now on.
    """

    def __init__(self, *, queries: int, cells: tuple[int, int], most: int) -> None:
        """Draws the scene.

        Args:
            queries: Candidates of the decoder.
            cells: Height and width of its masks.
            most: The highest value that `instances` will have.
        """
        self.instances = 0
        self._masks = np.full((queries, *cells), -8, np.float32)
        self._boxes = np.zeros((queries, 4), np.float32)
        self._masks[:most] = blobs(most, cells=cells)
        for box, mask in zip(self._boxes[:most], self._masks, strict=False):
            rows, columns = np.flatnonzero((mask > 0).any(1)), np.flatnonzero((mask > 0).any(0))
            box[:] = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / (*cells[::-1], *cells[::-1])

    @property
    def masks(self) -> NDArray[np.float32]:
        """(N, h, w) logits of what each word finds."""
        return self._masks[: self.instances]

    def replace(self, answers: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Heads of the same shapes, with other values; what else a graph answered stays."""
        made = dict(answers)
        if "logits" in made:
            queries = made["logits"].shape[1]
            found = np.where(np.arange(queries) < self.instances, 4, -8).astype(np.float32)
            made["logits"] = np.broadcast_to(found, made["logits"].shape)
            made["presence"] = np.full_like(made["presence"], 8 if self.instances else -8)
            made["boxes_xyxy"] = np.broadcast_to(self._boxes, made["boxes_xyxy"].shape)
        if "masks" in made:
            made["masks"] = np.broadcast_to(self._masks[: made["masks"].shape[1]], made["masks"].shape)
        return made


class _FakeEncoder(OnnxModel):
    """An image encoder that answers at once, with noise of the right shapes."""

    def run(
        self,
        outputs: Sequence[str],
        feeds: Mapping[str, NDArray[np.generic]],  # noqa: ARG002 - OnnxModel's
        *,
        cancel: threading.Event | None = None,  # noqa: ARG002 - OnnxModel's
    ) -> list[NDArray[Any]]:
        chance = np.random.default_rng(0)
        return [chance.standard_normal(_shape(self.graph, name), np.float32) for name in outputs]


class _StagedDecoder(OnnxModel):
    """A part of a decoder that is run in full before its answer is replaced."""

    def __init__(self, graph: GraphInfo, stage: Stage, *, role: str, settings: RuntimeSettings) -> None:
        super().__init__(graph, role=role, settings=settings)
        self._stage = stage

    def run(
        self,
        outputs: Sequence[str],
        feeds: Mapping[str, NDArray[np.generic]],
        *,
        cancel: threading.Event | None = None,
    ) -> list[NDArray[Any]]:
        answers = super().run(outputs, feeds, cancel=cancel)
        return list(self._stage.replace(dict(zip(outputs, answers, strict=True))).values())


class Bare:
    """Text encoder and the parts of the decoder as sessions of ONNX Runtime, without the library."""

    def __init__(
        self,
        graphs: Mapping[str, GraphInfo],
        features: Mapping[str, NDArray[Any]],
        stage: Stage,
        sessions: Mapping[str, ort.InferenceSession],
    ) -> None:
        """Prepares the feeds.

        Args:
            graphs: By role.
            features: Of the picture.
            stage: What is found.
            sessions: Those to share, by role; others are opened with the default options.
        """
        self._graphs = graphs
        self._stage = stage
        self._sessions = dict(sessions)
        no_box = np.zeros((1, 1, 4), np.float32), np.full((1, 1), _EMPTY_SLOT, np.int64)
        prepared = {name: values for graph in graphs.values() for name, values in fitted(graph, features).items()}
        self._feeds = {**prepared, "boxes": no_box[0], "box_labels": no_box[1]}

    def encode_word(self, tokens: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Features of one word, from its (1, 32) ids."""
        return self._run("text_encoder", _TEXT, {"tokens": tokens})

    def masks_above(
        self, threshold: float, word: Mapping[str, NDArray[Any]], *, every_mask: bool = False
    ) -> NDArray[np.float32]:
        """(N, h, w) logits of what scores above a threshold.

        Args:
            threshold: In 0..1.
            word: From `encode_word`.
            every_mask: Run a mask decoder for every query, as graphs without one do.
        """
        split = "mask_decoder" in self._graphs
        feeds = {**self._feeds, **word}
        for role, outputs in _PARTS.items():
            feeds |= self._run(role, outputs, feeds) if role in self._graphs else {}
        heads = self._run("decoder", (*_HEADS, *(_BETWEEN if split else ("masks",))), feeds)
        scores = 1 / (1 + np.exp(-heads["logits"][0])) / (1 + np.exp(-heads["presence"][0]))
        kept = np.flatnonzero(scores > threshold)
        if split and (every_mask or len(kept)):
            some = slice(None) if every_mask else kept
            between = {"mask_features": heads["mask_features"], "mask_queries": heads["mask_queries"][:, some]}
            heads |= self._run("mask_decoder", ("masks",), {**self._feeds, **between})
            kept = kept if every_mask else np.arange(len(kept))
        chosen: NDArray[np.float32] = heads["masks"][0][kept] if len(kept) else np.zeros((0, 1, 1), np.float32)
        return chosen

    def _run(
        self, role: str, outputs: Sequence[str], feeds: Mapping[str, NDArray[np.generic]]
    ) -> dict[str, NDArray[Any]]:
        graph = self._graphs[role]
        if role not in self._sessions:
            self._sessions[role] = ort.InferenceSession(str(graph.path), providers=["CPUExecutionProvider"])
        known = {name: array for name, array in feeds.items() if name in graph.inputs}
        return self._stage.replace(dict(zip(outputs, self._sessions[role].run(outputs, known), strict=True)))


@dataclass(frozen=True)
class Subject:
    """A model to measure, through the library and without it."""

    name: str
    session: Sam3Session
    """Everything but the image encoder is real."""
    picture: NDArray[np.uint8]
    embedding: Embedding
    stage: Stage
    graphs: Mapping[str, GraphInfo]
    decoders: Mapping[str, OnnxModel]

    @property
    def ways(self) -> str:
        """Where each part of the model runs, and in which precision."""
        seen = {role: f"{names[0]} {self.session.precisions[role]}" for role, names in self.session.providers.items()}
        return ", ".join(f"{role} {way}" for role, way in seen.items() if role != "image_encoder")

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        return self.embedding.size

    def bare(self, *, shared: bool) -> Bare:
        """The same graphs without the library.

        Args:
            shared: On the library's own session of the decoders, so that only the library's Python makes a
                difference; False for ONNX Runtime's default options.
        """
        sessions = {role: model.load() for role, model in self.decoders.items()} if shared else {}
        return Bare(self.graphs, self.embedding.arrays(), self.stage, sessions)


def open_subject(
    folder: Path, *, name: str, size: tuple[int, int], most: int = 20, settings: RuntimeSettings = CPU_ALONE
) -> Subject:
    """Opens a native bundle.

    Args:
        folder: Holds it.
        name: What it is called in results.
        size: (height, width) of the picture that questions are about.
        most: Instances that the scene can show.
        settings: Provider and precision of the library's own session.
    """
    graphs = exports_in_folder(folder, family=NativeFamily.name).heads["concepts"].graphs
    finest = graphs.get("mask_decoder", graphs["decoder"])
    height, width = _shape(finest, "masks")[-2:]
    queries = _shape(graphs["decoder"], "logits")[1]
    stage = Stage(queries=queries, cells=(height, width), most=min(most, queries))
    decoders = {
        role: _StagedDecoder(graphs[role], stage, role=role, settings=settings)
        for role in (*_PARTS, "decoder", "mask_decoder")
        if role in graphs
    }
    models = {
        "image_encoder": _FakeEncoder(graphs["image_encoder"], role="image_encoder", settings=settings),
        "text_encoder": OnnxModel(graphs["text_encoder"], role="text_encoder", settings=settings),
        **decoders,
    }
    session = Sam3Session(NativeFamily(models), model=name)
    image = picture(size)
    return Subject(name, session, image, session.encode(image), stage, graphs, decoders)


def subjects(full_size: Path | None, *, size: tuple[int, int], settings: RuntimeSettings = CPU_ALONE) -> list[Subject]:
    """The miniature, and the bundle of full size if there is one."""
    folders = {"miniature": model_folder("miniature")} | ({"full size": full_size} if full_size else {})
    return [open_subject(folder, name=name, size=size, settings=settings) for name, folder in folders.items()]


def tokens_of(word: str) -> NDArray[np.int64]:
    """(1, 32) ids of a word, padded as native bundles take them."""
    return pad([load_tokenizer().encode(word)], pad_id=0)


def _shape(graph: GraphInfo, output: str) -> tuple[int, ...]:
    """An output's shape, with 1 where it is dynamic."""
    return tuple(length or 1 for length in graph.outputs[output].shape)
