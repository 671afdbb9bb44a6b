"""The head that finds concepts: it encodes, looks words up, decodes and selects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from sam3_onnx._support.checks import require_flag
from sam3_onnx.errors import EmptyPromptError
from sam3_onnx.models.families.protocol import Query
from sam3_onnx.prompts.boxes import box_labels, normalised_cxcywh
from sam3_onnx.prompts.tokenizer import load_tokenizer
from sam3_onnx.results.embedding import TextEmbedding
from sam3_onnx.results.segmentation import Segmentation
from sam3_onnx.session.encoding.embedder import named_with_precision
from sam3_onnx.session.heads.checking import (
    boxes_of,
    concepts_of,
    cut_of,
    nms_of,
    threshold_of,
    thresholds_of,
    unsupported,
)
from sam3_onnx.session.heads.selection import select_instances

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from sam3_onnx.errors import UnsupportedPromptError
    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.models.families.protocol import Capabilities, Encoder, Family
    from sam3_onnx.prompts.boxes import BoxesLike
    from sam3_onnx.prompts.marks import MarksLike
    from sam3_onnx.prompts.words import Concept, TextLike
    from sam3_onnx.results.embedding import Embedding
    from sam3_onnx.session.encoding.embedder import Embedder
    from sam3_onnx.session.encoding.memory import CacheTier
    from sam3_onnx.session.options import SessionSettings
    from sam3_onnx.session.stopwatch import Stopwatch

__all__ = ["Asked", "ConceptHead", "Question"]


Item = TypeVar("Item")


@dataclass(frozen=True)
class Question:
    """What `Sam3Session.predict` was given, but for the picture; None stands for a default."""

    text: TextLike | None
    boxes: BoxesLike | None = None
    marks: MarksLike | None = None
    label: str | None = None
    conf_threshold: float | Mapping[str, float] | None = None
    cut_to_box: bool | None = None
    nms: float | Literal[False] | None = None
    truncate: bool = False


@dataclass(frozen=True)
class Asked:
    """A question in which all is settled that does not depend on the picture."""

    concepts: tuple[Concept, ...]
    tokens: list[list[int]]
    """Of each concept."""
    boxes: BoxesLike | None
    marks: MarksLike | None
    with_text: bool
    thresholds: tuple[float, ...]
    """Of each concept."""
    cut_to_box: bool
    nms: float | None


def _kept(given: Iterable[Item] | None) -> Iterable[Item] | None:
    """What can be gone through once per picture; what is no iterable is told of where boxes are read."""
    return tuple(given) if isinstance(given, Iterable) else given


class ConceptHead:
    """Answers questions about concepts with one family. Safe under threads."""

    adds: ClassVar[tuple[str, ...]] = ("text", "boxes", "negative_boxes", "max_boxes", "lowest_threshold")

    def __init__(
        self, export: Family, embedder: Embedder, texts: CacheTier[TextEmbedding], settings: SessionSettings
    ) -> None:
        """Runs nothing yet; see `Head`.

        Raises:
            OptionError: A threshold that the family cannot offer.
        """
        self.encoder: Encoder = export
        self.embedder = embedder
        self._family = export
        self._texts = texts
        default = export.defaults.conf_threshold if settings.conf_threshold is None else settings.conf_threshold
        self._threshold = threshold_of(default, export.capabilities)
        self._epsilon = float(settings.epsilon)

    @staticmethod
    def looking(export: Family) -> Encoder:
        """Returns what encodes pictures for this head."""
        return export

    @staticmethod
    def absent(capabilities: Capabilities) -> UnsupportedPromptError:
        """Returns the error for words and boxes to a model that takes clicks only."""
        remedy = "For words put an export with a text encoder beside it, or open one that has both."
        return unsupported(capabilities, "words and boxes of examples", remedy)

    @property
    def fingerprint(self) -> str:
        """Names the model with the defaults and the coarse precisions that answers depend on."""
        defaults = f"{self.embedder.base}, conf_threshold {self._threshold:g}, epsilon {self._epsilon:g}"
        parts = [named_with_precision(role, graph) for role, graph in self._family.models.items()]
        return ", ".join([defaults, *(part for part in parts if part not in self._family.models)])

    def check(self, question: Question) -> Asked:
        """Settles what can be settled before a picture is read.

        Raises:
            PromptError: The words cannot be used, or not by this family.
            OptionError: An option out of its range, or a threshold that the family cannot offer.
        """
        require_flag("truncate", question.truncate)
        allowed, defaults = self._family.capabilities, self._family.defaults
        concepts = concepts_of(question.text, question.label, allowed)
        given, boxes, marks = question.conf_threshold, _kept(question.boxes), _kept(question.marks)
        if question.text is None and not (boxes or marks):
            raise EmptyPromptError(got="no word and no box")
        return Asked(
            concepts,
            [load_tokenizer().encode(concept.prompt, truncate=question.truncate) for concept in concepts],
            boxes,
            marks,
            question.text is not None,
            thresholds_of(given, concepts, default=self._threshold, allowed=allowed),
            cut_of(asked=question.cut_to_box, default=defaults.cut_to_box),
            nms_of(question.nms, defaults.nms),
        )

    def answer(
        self,
        picture: LoadedPicture | Embedding,
        asked: Asked,
        *,
        cancel: threading.Event | None,
        watch: Stopwatch,
    ) -> Segmentation:
        """Finds every instance.

        Args:
            picture: A picture, or an embedding of this family.
            asked: What to find, from `check`.
            cancel: Setting it stops the call.
            watch: Told about stages.
        """
        size = picture.size
        # Boxes are held against the picture's size before the encoder, the costly part, is run.
        shown = boxes_of(asked.boxes, asked.marks, size, self._family.capabilities, with_text=asked.with_text)
        embedding = self.embedder.embed(picture, cancel=cancel, watch=watch)
        with watch.stage("text"):
            texts = [self._text(ids, cancel) for ids in asked.tokens]
        places, signs = normalised_cxcywh(shown, size), box_labels(shown)
        queries = [Query(entry.features, places, signs) for entry in texts]
        with watch.stage("decode"):
            found = self._family.detect(
                embedding.features.in_place(), queries, size=size, threshold=min(asked.thresholds), cancel=cancel
            )
        with watch.stage("select"):
            instances = [
                instance
                for concept, threshold, detections in zip(asked.concepts, asked.thresholds, found, strict=True)
                for instance in select_instances(
                    detections,
                    concept,
                    size=size,
                    threshold=threshold,
                    epsilon=self._epsilon,
                    cut_to_box=asked.cut_to_box,
                    nms=asked.nms,
                )
            ]
        classes = tuple(concept.label for concept in asked.concepts)
        return Segmentation(tuple(instances), size, watch.seconds, embedding.picture, classes)

    def _text(self, ids: list[int], cancel: threading.Event | None) -> TextEmbedding:
        encoder = self._family.models.get("text_encoder")

        def run() -> TextEmbedding:
            found = TextEmbedding(self._family.encode_text([ids], cancel=cancel)[0])
            if encoder is not None and encoder.is_quick_to_load:
                encoder.release()  # the cache knows the word from now on, and few words are new
            return found

        def fits(found: TextEmbedding) -> bool:
            return self._family.are_of_text(found.features)

        part = named_with_precision(self.embedder.part, encoder)
        return self._texts.get_or_make((part, tuple(ids)), run, fits=fits, cancel=cancel)
