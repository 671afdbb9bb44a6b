"""A SAM 3 model ready for questions: encode, cache, prompt, decode, result."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

from sam3_onnx.asking import boxes_of, concepts_of, nms_of, threshold_of
from sam3_onnx.cache import EmbeddingCache
from sam3_onnx.config import read_config
from sam3_onnx.embeddings import Embedding, FeaturePrecision, TextEmbedding, picture_key
from sam3_onnx.errors import EmbeddingError, OptionError, SessionClosedError, SessionPickleError
from sam3_onnx.families import Query, graphs_of_files, graphs_of_folder, open_family
from sam3_onnx.hub import model_folder
from sam3_onnx.images import DEFAULT_MAX_PIXELS, load_image, to_model_input
from sam3_onnx.prompts import box_labels, normalised_cxcywh
from sam3_onnx.results import DEFAULT_EPSILON, Segmentation
from sam3_onnx.runtime import RuntimeSettings, fingerprint
from sam3_onnx.selection import instances_of
from sam3_onnx.tokenizer import load_tokenizer

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from os import PathLike
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self, Unpack

    from sam3_onnx.families import Capabilities, Family
    from sam3_onnx.images import Picture
    from sam3_onnx.options import SessionOptions
    from sam3_onnx.prompts import BoxesLike, MarksLike, TextLike
    from sam3_onnx.runtime import GraphInfo

__all__ = ["Sam3Session", "Stage"]

Stage: TypeAlias = Literal["read", "image", "text", "decode", "select"]
"""What a call is busy with: reading the picture, the image encoder, the text encoder, the decoder, and
choosing instances."""

DEFAULT_CACHE_BYTES = 1 << 30
_TEXT_CACHE_BYTES = 64 << 20


class _Stopwatch:
    """Seconds by stage, told to whoever listens."""

    def __init__(self, listener: Callable[[Stage], None] | None) -> None:
        self.seconds: dict[str, float] = {}
        self._listener = listener

    @contextlib.contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        if self._listener is not None:
            self._listener(name)
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


class Sam3Session:
    """A loaded model with its embedding cache.

    Made by `from_pretrained`, `from_folder`, `from_files` or `from_config`. Threads may
    share a session. Use it as a context manager, or call `close`, to unload the weights.
    """

    def __init__(
        self,
        family: Family,
        *,
        model: str,
        source: str = "Sam3Session(...)",
        conf_threshold: float | None = None,
        epsilon: float = DEFAULT_EPSILON,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        feature_precision: FeaturePrecision = "float16",
    ) -> None:
        """Makes a session from a family; the `from_...` methods are the usual way.

        Args:
            family: The graphs behind one protocol.
            model: A name that tells this model from others, part of every cache key.
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
        self._family = family
        self._model = model
        self._source = source
        self._closed = False
        if feature_precision not in {"float16", "exact"}:
            raise OptionError("feature_precision", expected='"float16" or "exact"', got=feature_precision)
        if not (isinstance(epsilon, int | float) and 0 <= epsilon <= 1):
            raise OptionError("epsilon", expected="a fraction of the perimeter in 0..1", got=epsilon)
        self._precision = feature_precision
        self._epsilon = float(epsilon)
        default = family.defaults.conf_threshold if conf_threshold is None else conf_threshold
        self._threshold = threshold_of(default, family.capabilities)
        self._cache: EmbeddingCache[Embedding, TextEmbedding] = EmbeddingCache(cache_bytes, _TEXT_CACHE_BYTES)

    @classmethod
    def from_pretrained(cls, name: str, **options: Unpack[SessionOptions]) -> Sam3Session:
        """Opens a model by its registered name.

        Args:
            name: "miniature": a small model of coloured shapes and coins that ships with the
                package and works offline.
            **options: See `from_folder`.

        Raises:
            UnknownModelError: Another name.
        """
        folder = model_folder(name)
        return cls._open(graphs_of_folder(folder), f"Sam3Session.from_pretrained({name!r})", options)

    @classmethod
    def from_folder(cls, folder: str | PathLike[str], **options: Unpack[SessionOptions]) -> Sam3Session:
        """Opens the SAM 3 export in a folder; the family is recognised from the graphs.

        Args:
            folder: Holds one export's `.onnx` files and their external data.
            **options: `provider` and `threads` for ONNX Runtime; `conf_threshold`, `epsilon`,
                `cache_bytes` and `feature_precision` as in the constructor.

        Raises:
            ModelFileMissingError: No such folder, or external data is missing.
            ModelFileDamagedError: A file is cut off or no ONNX model.
            UnknownFamilyError: No known family; the message lists what is there.
            AmbiguousFolderError: Several files fit one part.
            ProviderError: A provider asked for by name did not become active.
        """
        return cls._open(graphs_of_folder(Path(folder)), f"Sam3Session.from_folder({str(folder)!r})", options)

    @classmethod
    def from_files(
        cls,
        *,
        image_encoder: str | PathLike[str],
        text_encoder: str | PathLike[str],
        decoder: str | PathLike[str],
        **options: Unpack[SessionOptions],
    ) -> Sam3Session:
        """Opens an export from its three graphs, wherever they are; external data lies beside each.

        Args:
            image_encoder: The image encoder's `.onnx`.
            text_encoder: The text (language) encoder's `.onnx`.
            decoder: The decoder's `.onnx`.
            **options: See `from_folder`.

        Raises:
            ModelFileMissingError: A file or its external data is missing.
            ModelFileDamagedError: A file is cut off or no ONNX model.
            UnknownFamilyError: The three do not fit together.
        """
        paths = {"image_encoder": Path(image_encoder), "text_encoder": Path(text_encoder), "decoder": Path(decoder)}
        named = ", ".join(f"{role}={str(path)!r}" for role, path in paths.items())
        return cls._open(graphs_of_files(paths), f"Sam3Session.from_files({named})", options)

    @classmethod
    def from_config(
        cls, config: Mapping[str, object] | str | PathLike[str], **options: Unpack[SessionOptions]
    ) -> Sam3Session:
        """Opens the six files that an X-AnyLabeling model configuration names.

        Args:
            config: A mapping, or the path of a YAML file (needs the extra `yaml`), with the keys
                that `sam3_onnx.config.read_config` describes.
            **options: See `from_folder`; they go before the configuration's own.

        Raises:
            ConfigError: A key is missing or wrong.
            ModelFileMissingError: A file that is named is not there.
            ModelFileDamagedError: A file is cut off or no ONNX model.
        """
        read = read_config(config if isinstance(config, Mapping) else Path(config))
        if read.conf_threshold is not None:
            options.setdefault("conf_threshold", read.conf_threshold)
        if read.epsilon is not None:
            options.setdefault("epsilon", read.epsilon)
        return cls._open(graphs_of_files(read.paths), f"Sam3Session.from_config({config!r})", options)

    @classmethod
    def _open(cls, graphs: Mapping[str, GraphInfo], source: str, options: SessionOptions) -> Sam3Session:
        settings = RuntimeSettings(options.get("provider", "auto"), options.get("threads"))
        family = open_family(graphs, settings)
        session = cls(
            family,
            model=fingerprint(graphs.values()),
            source=source,
            conf_threshold=options.get("conf_threshold"),
            epsilon=options.get("epsilon", DEFAULT_EPSILON),
            cache_bytes=options.get("cache_bytes", DEFAULT_CACHE_BYTES),
            feature_precision=options.get("feature_precision", "float16"),
        )
        family.models["image_encoder"].load()
        family.models["decoder"].load()
        return session

    @property
    def capabilities(self) -> Capabilities:
        """What this model can be asked."""
        return self._family.capabilities

    @property
    def providers(self) -> dict[str, tuple[str, ...]]:
        """The active execution providers of each graph; of the text encoder, the wanted ones until a word needs it."""
        return {role: model.providers for role, model in self._family.models.items()}

    @property
    def cache(self) -> EmbeddingCache[Embedding, TextEmbedding]:
        """The embeddings of pictures and of words; see `EmbeddingCache.info`."""
        return self._cache

    def encode(
        self,
        image: Picture,
        *,
        color: Literal["rgb", "bgr"] = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
        cancel: threading.Event | None = None,
    ) -> Embedding:
        """Runs the image encoder on a picture, unless the cache has its answer.

        Args:
            image: Anything that `sam3_onnx.images.load_image` takes.
            color: Channel order of an array.
            max_pixels: Guard against decompression bombs; None for none.
            cancel: Setting this event from another thread stops the call.

        Returns:
            The embedding, which `predict` takes in place of the picture.

        Raises:
            PictureError: The picture cannot be used.
            CancelledError: `cancel` was set.
            SessionClosedError: The session is closed.
        """
        watch = _Stopwatch(None)
        return self._embedded(self._read(image, color, max_pixels, watch), cancel, watch)

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
        color: Literal["rgb", "bgr"] = "rgb",
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
        concepts = concepts_of(text, label, self.capabilities)
        threshold = self._threshold if conf_threshold is None else threshold_of(conf_threshold, self.capabilities)
        suppression = nms_of(nms, self._family.defaults.nms)
        cut = self._family.defaults.cut_to_box if cut_to_box is None else cut_to_box
        tokens = [load_tokenizer().encode(concept.prompt, truncate=truncate) for concept in concepts]
        watch = _Stopwatch(progress)
        # Boxes are held against the picture's size before the encoder, the costly part, is run.
        picture = image if isinstance(image, Embedding) else self._read(image, color, max_pixels, watch)
        size = picture.size if isinstance(picture, Embedding) else (picture.shape[0], picture.shape[1])
        shown = boxes_of(boxes, marks, size, self.capabilities, with_text=text is not None)
        embedding = self._own(picture) if isinstance(picture, Embedding) else self._embedded(picture, cancel, watch)
        with watch.stage("text"):
            texts = [self._text(ids, cancel) for ids in tokens]
        places, signs = normalised_cxcywh(shown, size), box_labels(shown)
        queries = [Query(entry.features, places, signs) for entry in texts]
        with watch.stage("decode"):
            found = self._family.detect(embedding.arrays(), queries, size=size, threshold=threshold, cancel=cancel)
        with watch.stage("select"):
            instances = [
                instance
                for concept, detections in zip(concepts, found, strict=True)
                for instance in instances_of(
                    detections, concept, size=size, epsilon=self._epsilon, cut_to_box=cut, nms=suppression
                )
            ]
        return Segmentation(tuple(instances), size, watch.seconds)

    def close(self) -> None:
        """Unloads the weights and empties the cache; further calls raise SessionClosedError."""
        self._closed = True
        for model in self._family.models.values():
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

    def _read(
        self, image: Picture, color: Literal["rgb", "bgr"], max_pixels: int | None, watch: _Stopwatch
    ) -> NDArray[np.uint8]:
        if self._closed:
            raise SessionClosedError
        with watch.stage("read"):
            return load_image(image, color=color, max_pixels=max_pixels)

    def _embedded(self, picture: NDArray[np.uint8], cancel: threading.Event | None, watch: _Stopwatch) -> Embedding:
        size = (picture.shape[0], picture.shape[1])

        def run() -> Embedding:
            pixels = to_model_input(picture, self.capabilities.input_size)
            features = self._family.encode_image(pixels, cancel=cancel)
            return Embedding.store(features, size=size, model=self._model, precision=self._precision)

        with watch.stage("image"):
            return self._cache.images.get_or_make((self._model, picture_key(picture)), run)

    def _own(self, embedding: Embedding) -> Embedding:
        if self._closed:
            raise SessionClosedError
        if embedding.model != self._model:
            raise EmbeddingError(expected=self._model, got=embedding.model)
        return embedding

    def _text(self, ids: list[int], cancel: threading.Event | None) -> TextEmbedding:
        def run() -> TextEmbedding:
            return TextEmbedding(self._family.encode_text([ids], cancel=cancel)[0])

        return self._cache.texts.get_or_make((self._model, tuple(ids)), run)
