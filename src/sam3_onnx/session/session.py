"""A SAM 3 model ready for questions: encode, cache, prompt, decode, result."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

from sam3_onnx._support.checks import is_number, require_callbacks, require_label
from sam3_onnx.errors import OptionError, SessionClosedError, SessionPickleError
from sam3_onnx.images.loading import DEFAULT_MAX_PIXELS
from sam3_onnx.images.origins import load_picture
from sam3_onnx.models.runtime.graphs.fingerprint import fingerprint
from sam3_onnx.results.embedding import Embedding
from sam3_onnx.results.instance import DEFAULT_EPSILON
from sam3_onnx.results.object import ObjectSegmentation
from sam3_onnx.session.encoding.disk import DEFAULT_FOLDER_BYTES, disk_tier
from sam3_onnx.session.encoding.embedder import Embedder
from sam3_onnx.session.encoding.memory import EmbeddingCache
from sam3_onnx.session.encoding.prefetching import Prefetcher
from sam3_onnx.session.heads.concepts import Question
from sam3_onnx.session.heads.heads import heads_of
from sam3_onnx.session.opening import SessionOpeners
from sam3_onnx.session.options import runtime_settings
from sam3_onnx.session.stopwatch import Stopwatch
from sam3_onnx.session.streaming import SessionStreams

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from os import PathLike
    from types import TracebackType

    from typing_extensions import Self

    from sam3_onnx.images.loading import Picture
    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.models.families.protocol import Capabilities, Family, Tracker
    from sam3_onnx.models.families.recognition import Exports
    from sam3_onnx.prompts.boxes import BoxesLike, BoxLike
    from sam3_onnx.prompts.clicks import PointsLike
    from sam3_onnx.prompts.marks import MarksLike
    from sam3_onnx.prompts.words import TextLike
    from sam3_onnx.results.embedding import FeaturePrecision, TextEmbedding
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.session.encoding.prefetching import Prefetch
    from sam3_onnx.session.heads.heads import Purpose
    from sam3_onnx.session.options import SessionOptions
    from sam3_onnx.session.stopwatch import Stage
    from sam3_onnx.session.streaming import Answerer

__all__ = ["Sam3Session"]

DEFAULT_CACHE_BYTES = 1 << 30
_TEXT_CACHE_BYTES = 64 << 20
_Color: TypeAlias = Literal["rgb", "bgr"]


class Sam3Session(SessionOpeners, SessionStreams):
    """A loaded model with its embedding cache.

    Made by `from_pretrained`, `from_folder`, `from_files` or `from_config`. Threads may
    share a session. Use it as a context manager, or call `close`, to unload the weights.
    """

    def __init__(  # noqa: PLR0913 - keyword-only options of one session
        self,
        family: Family | None,
        *,
        model: str,
        tracker: Tracker | None = None,
        source: str = "Sam3Session(...)",
        conf_threshold: float | None = None,
        epsilon: float = DEFAULT_EPSILON,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        cache_folder: str | PathLike[str] | None = None,
        cache_folder_bytes: int = DEFAULT_FOLDER_BYTES,
        feature_precision: FeaturePrecision = "float16",
    ) -> None:
        """Makes a session from a family; the `from_...` methods are the usual way.

        Args:
            family: The graphs that find concepts, behind one protocol; None for clicks only.
            model: A name that tells this model from others, part of every cache key.
            tracker: The graphs that take clicks; where it is `family` itself, pictures are encoded once for both.
            source: How to make the session again, for messages.
            conf_threshold: Default threshold in 0..1; None for what the bundle recommends, 0.5 as a rule.
            epsilon: Default simplification of polygons, as a fraction of the perimeter.
            cache_bytes: Budget of the picture cache in memory.
            cache_folder: A folder in which embeddings survive the session; None for none.
            cache_folder_bytes: Budget of that folder.
            feature_precision: "float16" halves what a cached picture occupies and moves scores by less than
                1e-3; "exact" keeps the model's own float32.

        Raises:
            OptionError: An option outside its range, or a threshold that the family cannot offer.
            EmbeddingFolderError: Nothing can be written to the cache folder.
        """
        if feature_precision not in {"float16", "exact"}:
            raise OptionError("feature_precision", expected='"float16" or "exact"', got=feature_precision)
        if not (is_number(epsilon) and 0 <= epsilon <= 1):
            raise OptionError("epsilon", expected="a fraction of the perimeter in 0..1", got=epsilon)
        self._source, self._closed = source, False
        settings = [graph.setting for part in (family, tracker) if part for graph in part.models.values()]
        disk = disk_tier(cache_folder, cache_folder_bytes, precision=feature_precision, settings=settings)
        self._cache = EmbeddingCache(cache_bytes, _TEXT_CACHE_BYTES, disk)
        self._ahead = Prefetcher(self._cache.images, owner=weakref.ref(self))
        embedder = partial(
            Embedder, precision=feature_precision, cache=self._cache.images, right_of_way=self._ahead.right_of_way
        )
        self._heads = heads_of(
            family,
            tracker,
            model=model,
            embedder=embedder,
            texts=self._cache.texts,
            conf_threshold=conf_threshold,
            epsilon=float(epsilon),
        )

    @classmethod
    def _open(cls, exports: Exports, source: str, options: SessionOptions) -> Self:
        family, tracker = exports.open(runtime_settings(options))
        session = cls(
            family,
            tracker=tracker,
            model=fingerprint(exports.graphs),
            source=source,
            conf_threshold=options.get("conf_threshold"),
            epsilon=options.get("epsilon", DEFAULT_EPSILON),
            cache_bytes=options.get("cache_bytes", DEFAULT_CACHE_BYTES),
            cache_folder=options.get("cache_folder"),
            cache_folder_bytes=options.get("cache_folder_bytes", DEFAULT_FOLDER_BYTES),
            feature_precision=options.get("feature_precision", "float16"),
        )
        at_once = {"decoder", "mask_decoder"} | (set() if options.get("cache_folder") else {"image_encoder"})
        for role, model in session._heads.graphs().items():
            if role in at_once:
                model.load()
        return session

    @property
    def capabilities(self) -> Capabilities:
        """What this model can be asked; `points` also where a tracker lies beside the export of concepts."""
        return self._heads.capabilities

    @property
    def providers(self) -> dict[str, tuple[str, ...]]:
        """The active execution providers of each graph; the wanted ones of a graph that nothing needed yet."""
        return {role: model.providers for role, model in self._heads.graphs().items()}

    @property
    def cache(self) -> EmbeddingCache[Embedding, TextEmbedding]:
        """The embeddings of pictures and of words; see `EmbeddingCache.info`."""
        return self._cache

    def encode(
        self,
        image: Picture,
        *,
        purpose: Purpose | None = None,
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
        embedder = self._heads.embedder(purpose)
        require_callbacks(cancel)
        watch = Stopwatch()
        picture = self._read(image, color, max_pixels, watch)
        return embedder.embed(picture, cancel=cancel, watch=watch)

    def prefetch(
        self,
        pictures: Iterable[Picture],
        *,
        purpose: Purpose | None = None,
        color: _Color = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
    ) -> Prefetch:
        """Reads and encodes pictures in the background, for questions that come later; returns at once.

        The newest list counts: it takes the place of an older one, whose picture in hand is finished only
        if the new list holds it too (the same path, or the same pixels) or a call waits for it. A call that
        needs an image encoder has right of way: what is being encoded stops and begins anew afterwards. One
        that asks for just that picture waits for it instead.

        The picture that a call used last and those of the list that are in the cache already are not
        dropped from it. Where the next one does not fit beside them, the list ends.

        Args:
            pictures: Anything that `load_image` takes, the most important first; none to call the older list off.
                The iterable is run through at once.
            purpose: As for `encode`.
            color: Channel order of arrays.
            max_pixels: Guard against decompression bombs; None for none.

        Returns:
            How far it has come. What cannot be read is noted there, and the rest goes on.

        Raises:
            OptionError: `pictures` is one picture, or an option is out of range.
            UnsupportedPromptError: There is no encoder for this purpose.
            SessionClosedError: The session is closed.
        """
        embedder = self._heads.embedder(purpose)
        return self._ahead.begin(pictures, embedder=embedder, color=color, max_pixels=max_pixels)

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
            boxes: Examples in pixels of the picture: `Box`, or x1, y1, x2, y2 for positive ones. With words
                they go with every word; alone they ask for everything like it.
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
        require_callbacks(cancel, progress)
        answer = self._answerer(Question(text, boxes, marks, label, conf_threshold, cut_to_box, nms, truncate))
        watch = Stopwatch(progress)
        return answer(self._read(image, color, max_pixels, watch), cancel, watch)

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
        finder = self._heads.for_clicks()
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
        for model in self._heads.chosen(roles):
            model.load()

    def unload(self, *roles: str) -> None:
        """Gives the memory of graphs back, 1.4 GB of the full text encoder; each is loaded when it is next needed.

        Args:
            *roles: Keys of `providers`, such as "text_encoder"; none for all.

        Raises:
            OptionError: There is no such graph.
        """
        for model in self._heads.chosen(roles):
            model.release()

    def close(self) -> None:
        """Unloads the weights and empties the cache; further calls raise SessionClosedError."""
        self._closed = True
        self._ahead.close()
        for model in self._heads.graphs().values():
            model.close()
        self._cache.close()

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

    def _read(
        self, image: Picture | Embedding, color: _Color, max_pixels: int | None, watch: Stopwatch
    ) -> LoadedPicture | Embedding:
        self._require_open()
        if isinstance(image, Embedding):
            return image
        with watch.stage("read"):
            return load_picture(image, color=color, max_pixels=max_pixels)

    def _answerer(self, question: Question) -> Answerer:
        concepts = self._heads.for_concepts()
        asked = concepts.check(question)

        def answer(
            picture: LoadedPicture | Embedding, cancel: threading.Event | None, watch: Stopwatch
        ) -> Segmentation:
            self._require_open()
            return concepts.answer(picture, asked, cancel=cancel, watch=watch)

        return answer
