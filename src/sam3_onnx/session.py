"""A SAM 3 model ready for questions: encode, cache, prompt, decode, result."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias, overload

from sam3_onnx.asking import no_clicks, no_concepts
from sam3_onnx.cache import EmbeddingCache
from sam3_onnx.checks import is_number, require_callbacks, require_label
from sam3_onnx.concepts import ConceptFinder, Question
from sam3_onnx.embedder import Embedder
from sam3_onnx.embeddings import Embedding, FeaturePrecision, TextEmbedding
from sam3_onnx.errors import OptionError, SessionClosedError, SessionPickleError
from sam3_onnx.images import DEFAULT_MAX_PIXELS, load_image
from sam3_onnx.objects import ObjectSegmentation
from sam3_onnx.opening import SessionOpeners
from sam3_onnx.results import DEFAULT_EPSILON
from sam3_onnx.runtime import RuntimeSettings, fingerprint
from sam3_onnx.stopwatch import Stopwatch
from sam3_onnx.tracking import ObjectFinder

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from sam3_onnx.clicks import BoxLike, PointsLike
    from sam3_onnx.families import Capabilities, Exports, Family, Tracker
    from sam3_onnx.images import Picture
    from sam3_onnx.options import SessionOptions
    from sam3_onnx.prompts import BoxesLike, MarksLike, TextLike
    from sam3_onnx.results import Segmentation
    from sam3_onnx.runtime import OnnxModel
    from sam3_onnx.stopwatch import Stage

__all__ = ["Sam3Session"]

DEFAULT_CACHE_BYTES = 1 << 30
_TEXT_CACHE_BYTES = 64 << 20
_Color: TypeAlias = Literal["rgb", "bgr"]


class Sam3Session(SessionOpeners):
    """A loaded model with its embedding cache.

    Made by `from_pretrained`, `from_folder`, `from_files` or `from_config`. Threads may
    share a session. Use it as a context manager, or call `close`, to unload the weights.
    """

    def __init__(
        self,
        family: Family | None,
        *,
        model: str,
        tracker: Tracker | None = None,
        source: str = "Sam3Session(...)",
        conf_threshold: float | None = None,
        epsilon: float = DEFAULT_EPSILON,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        feature_precision: FeaturePrecision = "float16",
    ) -> None:
        """Makes a session from a family; the `from_...` methods are the usual way.

        Args:
            family: The graphs that find concepts, behind one protocol; None for clicks only.
            model: A name that tells this model from others, part of every cache key.
            tracker: The graphs that take clicks, if there are any; one and the same with `family` where
                a model does both, and then a picture is encoded once for both.
            source: How to make the session again, for messages.
            conf_threshold: Default threshold in 0..1; None for what the bundle recommends, 0.5
                as a rule.
            epsilon: Default simplification of polygons, as a fraction of the perimeter.
            cache_bytes: Budget of the picture cache.
            feature_precision: "float16" halves what a cached picture occupies; scores move by less
                than 1e-3. "exact" keeps the model's own float32.

        Raises:
            OptionError: An option outside its range, or a threshold that the family cannot offer.
        """
        if family is None and tracker is None:
            raise OptionError("family", expected="given unless there is a tracker", got=family)
        if feature_precision not in {"float16", "exact"}:
            raise OptionError("feature_precision", expected='"float16" or "exact"', got=feature_precision)
        if not (is_number(epsilon) and 0 <= epsilon <= 1):
            raise OptionError("epsilon", expected="a fraction of the perimeter in 0..1", got=epsilon)
        self._source = source
        self._closed = False
        self._cache: EmbeddingCache[Embedding, TextEmbedding] = EmbeddingCache(cache_bytes, _TEXT_CACHE_BYTES)
        embedder = partial(Embedder, precision=feature_precision, cache=self._cache.images)
        self._concepts: ConceptFinder | None = None
        self._objects: ObjectFinder | None = None
        if family is not None:
            mine = embedder(family, model=model)
            texts = self._cache.texts
            self._concepts = ConceptFinder(family, mine, texts, conf_threshold=conf_threshold, epsilon=float(epsilon))
        if tracker is not None:
            one = self._concepts if _is_one(tracker, family) else None
            mine = one.embedder if one else embedder(tracker, model=f"{model}/clicks")
            self._objects = ObjectFinder(tracker, mine, epsilon=float(epsilon))

    @classmethod
    def _open(cls, exports: Exports, source: str, options: SessionOptions) -> Self:
        settings = RuntimeSettings(
            options.get("provider", "auto"), options.get("threads"), options.get("precision", "auto")
        )
        found = [export for export in (exports.concepts, exports.tracker) if export]
        family, tracker = exports.open(settings)
        session = cls(
            family,
            tracker=tracker,
            model=fingerprint(graph for export in found for graph in export.graphs.values()),
            source=source,
            conf_threshold=options.get("conf_threshold"),
            epsilon=options.get("epsilon", DEFAULT_EPSILON),
            cache_bytes=options.get("cache_bytes", DEFAULT_CACHE_BYTES),
            feature_precision=options.get("feature_precision", "float16"),
        )
        for role, model in session._models().items():
            if role in {"image_encoder", "decoder", "mask_decoder"}:
                model.load()
        return session

    @property
    def capabilities(self) -> Capabilities:
        """What this model can be asked; `points` also where a tracker lies beside the export of concepts."""
        if self._concepts is None:
            return self._object_finder().tracker.capabilities
        return replace(self._concepts.family.capabilities, points=self._objects is not None)

    @property
    def providers(self) -> dict[str, tuple[str, ...]]:
        """The active execution providers of each graph; the wanted ones of a graph that nothing needed yet."""
        return {role: model.providers for role, model in self._models().items()}

    @property
    def cache(self) -> EmbeddingCache[Embedding, TextEmbedding]:
        """The embeddings of pictures and of words; see `EmbeddingCache.info`."""
        return self._cache

    def encode(
        self,
        image: Picture,
        *,
        purpose: Literal["concepts", "clicks"] | None = None,
        color: _Color = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
        cancel: threading.Event | None = None,
    ) -> Embedding:
        """Runs the image encoder on a picture, unless the cache has its answer.

        Args:
            image: Anything that `sam3_onnx.images.load_image` takes.
            purpose: Which encoder runs where a tracker lies beside the export of concepts: the one
                for `predict`, or the one for `predict_object`. None for `predict`'s if there is one.
            color: Channel order of an array.
            max_pixels: Guard against decompression bombs; None for none.
            cancel: Setting this event from another thread stops the call.

        Returns:
            The embedding, which `predict` or `predict_object` takes in place of the picture.

        Raises:
            UnsupportedPromptError: There is no encoder for this purpose.
            PictureError: The picture cannot be used.
            CancelledError: `cancel` was set.
            SessionClosedError: The session is closed.
        """
        if purpose not in {None, "concepts", "clicks"}:
            raise OptionError("purpose", expected='"concepts", "clicks" or None', got=purpose)
        require_callbacks(cancel)
        finder = self._object_finder() if purpose == "clicks" else self._concepts
        if finder is None and purpose == "concepts":
            raise no_concepts(self.capabilities)
        watch = Stopwatch()
        picture = self._read(image, color, max_pixels, watch)
        return (finder or self._object_finder()).embedder.embed(picture, cancel=cancel, watch=watch)

    def predict(  # noqa: PLR0913 - keyword-only options of one question
        self,
        image: Picture | Embedding,
        text: TextLike | None = None,
        *,
        boxes: BoxesLike | None = None,
        marks: MarksLike | None = None,
        label: str | None = None,
        conf_threshold: float | None = None,
        cut_to_box: bool | None = None,
        nms: float | Literal[False] | None = None,
        color: _Color = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
        truncate: bool = False,
        cancel: threading.Event | None = None,
        progress: Callable[[Stage], None] | None = None,
    ) -> Segmentation:
        """Finds every instance of some words, of what is like some boxes, or of both.

        Args:
            image: Anything that `sam3_onnx.images.load_image` takes, or an embedding of this model.
            text: "person, truck", a list of prompts taken as they are, or {prompt: label}.
            boxes: Boxes of examples in pixels of the picture: `Box`, or x1, y1, x2, y2 for positive
                ones. With words they go with every word; alone they ask for everything like it.
            marks: Boxes in X-AnyLabeling's form, beside `boxes`.
            label: What results of boxes without words are called; "object" by default.
            conf_threshold: Only scores above it, in 0..1; None for the session's.
            cut_to_box: Drop what of a mask lies outside its (slightly grown) box, and instances of
                which nothing is left; None for what the bundle recommends, off as a rule.
            nms: Drop instances whose mask overlaps a better one's with a higher IoU than this; False
                for off, None for what the bundle recommends, off as a rule.
            color: Channel order of an array.
            max_pixels: Guard against decompression bombs; None for none.
            truncate: Cut prompts that are longer than the model's context rather than refuse them.
            cancel: Setting this event from another thread stops the call.
            progress: Called with the name of each stage as it begins.

        Returns:
            The instances by prompt in the order given, within it by falling score.

        Raises:
            PictureError: The picture cannot be used.
            PromptError: A prompt cannot be used, or not by this family.
            OptionError: A threshold outside 0..1, or at which this family cannot answer.
            EmbeddingError: The embedding is another model's.
            ModelAnswerError: NaN or infinity in the model's answer.
            CancelledError: `cancel` was set.
            SessionClosedError: The session is closed.
        """
        if self._concepts is None:
            raise no_concepts(self.capabilities)
        require_callbacks(cancel, progress)
        question = Question(text, boxes, marks, label, conf_threshold, cut_to_box, nms, truncate)
        asked = self._concepts.check(question)
        watch = Stopwatch(progress)
        picture = self._read(image, color, max_pixels, watch)
        return self._concepts.answer(picture, asked, cancel=cancel, watch=watch)

    def predict_object(  # noqa: PLR0913 - keyword-only options of one question
        self,
        image: Picture | Embedding | ObjectSegmentation,
        points: PointsLike | None = None,
        point_labels: Iterable[int] | None = None,
        *,
        box: BoxLike | None = None,
        label: str = "object",
        color: _Color = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
        cancel: threading.Event | None = None,
        progress: Callable[[Stage], None] | None = None,
    ) -> ObjectSegmentation:
        """Cuts out the one object that clicks or a box point at.

        Args:
            image: Anything that `sam3_onnx.images.load_image` takes, an embedding made with
                `encode(image, purpose="clicks")`, or a previous answer: its clicks and its box stay,
                the new ones are added (a new box takes the old one's place), and nothing is encoded.
            points: (x, y) of each click in pixels of the picture.
            point_labels: For each click 1 on the object or 0 beside it; None for all on it.
            box: A box around the object: `Box`, or x1, y1, x2, y2 in pixels of the picture.
            label: What the object is called.
            color: Channel order of an array.
            max_pixels: Guard against decompression bombs; None for none.
            cancel: Setting this event from another thread stops the call.
            progress: Called with the name of each stage as it begins.

        Returns:
            What the object may be: candidates with the IoU that the model expects of each, best first.

        Raises:
            UnsupportedPromptError: The model has no tracker head.
            PictureError: The picture cannot be used.
            PromptError: A click or the box cannot be used, or there is none on the object.
            EmbeddingError: The embedding or previous answer is another model's.
            ModelAnswerError: NaN or infinity in the model's answer.
            CancelledError: `cancel` was set.
            SessionClosedError: The session is closed.
        """
        finder = self._object_finder()
        require_callbacks(cancel, progress)
        require_label(label)
        watch = Stopwatch(progress)
        picture = image if isinstance(image, ObjectSegmentation) else self._read(image, color, max_pixels, watch)
        self._require_open()
        return finder.answer(
            picture, points=points, point_labels=point_labels, box=box, label=label, cancel=cancel, watch=watch
        )

    def load(self, *roles: str) -> None:
        """Loads graphs now rather than when they are first needed; the text encoder as a rule.

        Args:
            *roles: Keys of `providers`, such as "text_encoder"; none for all.

        Raises:
            OptionError: There is no such graph.
            ModelFileDamagedError: ONNX Runtime cannot load the file.
            SessionClosedError: The session is closed.
        """
        for model in self._chosen(roles):
            model.load()

    def unload(self, *roles: str) -> None:
        """Gives the memory of graphs back; each is loaded again when it is next needed.

        The text encoder of the full model holds 1.4 GB and is not needed for words that the cache has.

        Args:
            *roles: Keys of `providers`, such as "text_encoder"; none for all.

        Raises:
            OptionError: There is no such graph.
        """
        for model in self._chosen(roles):
            model.release()

    def close(self) -> None:
        """Unloads the weights and empties the cache; further calls raise SessionClosedError."""
        self._closed = True
        for model in self._models().values():
            model.close()
        self._cache.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        height, width = self.capabilities.input_size
        return f"<Sam3Session {self.capabilities.family}, input {width} x {height}>"

    def __reduce__(self) -> NoReturn:
        raise SessionPickleError(rebuild=self._source)

    def _require_open(self) -> None:
        if self._closed:
            raise SessionClosedError

    @overload
    def _read(self, image: Picture, color: _Color, max_pixels: int | None, watch: Stopwatch) -> NDArray[np.uint8]: ...
    @overload
    def _read(
        self, image: Picture | Embedding, color: _Color, max_pixels: int | None, watch: Stopwatch
    ) -> NDArray[np.uint8] | Embedding: ...
    def _read(
        self, image: Picture | Embedding, color: _Color, max_pixels: int | None, watch: Stopwatch
    ) -> NDArray[np.uint8] | Embedding:
        self._require_open()
        if isinstance(image, Embedding):
            return image
        with watch.stage("read"):
            return load_image(image, color=color, max_pixels=max_pixels)

    def _object_finder(self) -> ObjectFinder:
        if self._objects is None:
            raise no_clicks(self.capabilities)
        return self._objects

    def _chosen(self, roles: Iterable[str]) -> list[OnnxModel]:
        models = self._models()
        unknown = [role for role in roles if role not in models]
        if unknown:
            raise OptionError("role", expected=f"one of {', '.join(models)}", got=unknown[0])
        return [models[role] for role in roles] or list(models.values())

    def _models(self) -> dict[str, OnnxModel]:
        """All graphs by role; those of a tracker beside concepts are called so."""
        models = dict(self._concepts.family.models) if self._concepts else {}
        if self._objects and not (self._concepts and _is_one(self._objects.tracker, self._concepts.family)):
            prefix = "tracker_" if self._concepts else ""
            models |= {f"{prefix}{role}": model for role, model in self._objects.tracker.models.items()}
        return models


def _is_one(first: object, second: object) -> bool:
    return first is second
