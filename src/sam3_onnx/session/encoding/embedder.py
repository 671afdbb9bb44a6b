"""Pictures turned into embeddings of one model, each only once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sam3_onnx.errors import EmbeddingError
from sam3_onnx.images.origins import SeenPicture, picture_key
from sam3_onnx.images.resizing import to_model_input
from sam3_onnx.models.runtime.providers.precision import COARSE
from sam3_onnx.results.embedding import Embedding, FeaturePrecision

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.models.families.protocol import Encoder
    from sam3_onnx.models.runtime.model import OnnxModel
    from sam3_onnx.session.encoding.memory import CacheTier
    from sam3_onnx.session.stopwatch import Stopwatch

__all__ = ["Embedder", "OtherPrecision", "named_with_precision"]


def named_with_precision(model: str, graph: OnnxModel | None) -> str:
    """Returns the name of what a part of a model makes: the model's, and the precision where that moves answers.

    Args:
        model: A name that tells the model from others.
        graph: The part; None for one that has no graph, as in tests.
    """
    return f"{model} in {graph.precision}" if graph is not None and graph.precision in COARSE else model


class OtherPrecision(Exception):  # noqa: N818 - no error: whoever asked for the embedding files it elsewhere
    """An embedding turned out to be of another precision than was expected when it was asked for."""

    def __init__(self, made: Embedding) -> None:
        self.made = made


class Embedder:
    """An image encoder behind a cache that it may share with others. Safe under threads.

    Attributes:
        part: The name of this image encoder among those of its model.
        bytes_each: What the embedding made last occupies; 0 before the first.
    """

    def __init__(
        self,
        encoder: Encoder,
        model: object,
        part: str,
        *,
        precision: FeaturePrecision,
        cache: CacheTier[Embedding],
        right_of_way: Callable[[threading.Event | None], AbstractContextManager[None]],
    ) -> None:
        """Runs nothing yet.

        Args:
            encoder: The model's image side.
            model: A name that tells this model from others; asked for when an embedding is made or compared.
            part: The name of this image encoder among those of its model; "" for the first.
            precision: How features are kept.
            cache: Where they are kept.
            right_of_way: Entered around every run for `embed`, with its `cancel`.
        """
        self.part = part
        self._model = model
        self.bytes_each = 0
        self._used: set[str] = set()
        self._encoder = encoder
        self._precision = precision
        self._cache = cache
        self._right_of_way = right_of_way

    @property
    def model(self) -> str:
        """What embeddings of this encoder bear as `Embedding.model`; waits until the model's files are hashed.

        It names the model, this image encoder, and the precision where that moves answers.
        """
        return named_with_precision(self.base, self._graph)

    @property
    def base(self) -> str:
        """The name of the model and of this image encoder, whatever its precision; waits as `model` does."""
        return f"{self._model}/{self.part}" if self.part else str(self._model)

    def key_of(self, picture: NDArray[np.uint8]) -> tuple[str, str]:
        """What the cache knows a picture's embedding by: this encoder with its precision, and the content."""
        return self._made_by, picture_key(picture)

    def check_of(self, picture: NDArray[np.uint8]) -> Callable[[Embedding], bool]:
        """Returns what tells whether an embedding from a file can be one of a picture (H, W, 3) by this encoder."""

        def fits(found: Embedding) -> bool:
            own = found.model == self.model and found.size == picture.shape[:2]
            return own and self._encoder.are_of_image(found.arrays())

        return fits

    @property
    def _made_by(self) -> str:
        return named_with_precision(self.part, self._graph)

    @property
    def _graph(self) -> OnnxModel | None:
        return self._encoder.models.get("image_encoder")

    def encode(self, picture: NDArray[np.uint8], key: tuple[str, str], *, cancel: threading.Event | None) -> Embedding:
        """Runs the encoder, whatever the cache has.

        Args:
            picture: (H, W, 3) uint8 RGB.
            key: What the cache is going to know the embedding by, from `key_of`.
            cancel: Setting it stops the run.

        Raises:
            OtherPrecision: The key does not fit any more: another provider had to run the encoder.
        """
        pixels = to_model_input(picture, self._encoder.capabilities.input_size)
        features = self._encoder.encode_image(pixels, cancel=cancel)
        size = (picture.shape[0], picture.shape[1])
        model = self.model  # only now: a provider may have failed and another gone on
        self._used.add(model)
        embedding = Embedding.store(features, size=size, model=model, precision=self._precision)
        self.bytes_each = embedding.nbytes
        if self._made_by != key[0]:
            raise OtherPrecision(embedding)
        return embedding

    def embed(
        self, picture: LoadedPicture | Embedding, *, cancel: threading.Event | None, watch: Stopwatch
    ) -> Embedding:
        """The embedding of a picture, from the cache if it is there.

        Args:
            picture: A picture, or an embedding of this model, which is its own.
            cancel: Setting it stops the run.
            watch: Told about the stage.

        Raises:
            EmbeddingError: The embedding is another model's, or of another precision.
        """
        if isinstance(picture, Embedding):
            if picture.model not in {self.model, *self._used}:
                raise EmbeddingError(expected=self.model, got=picture.model)
            return picture
        with watch.stage("image"):
            key = self.key_of(picture.pixels)

            def run() -> Embedding:
                with self._right_of_way(cancel):
                    return self.encode(picture.pixels, key, cancel=cancel)

            try:
                fits = self.check_of(picture.pixels)
                embedding = self._cache.get_or_make(key, run, fits=fits, cancel=cancel)
            except OtherPrecision as other:
                made = other.made  # an except clause forgets its name, and the function needs it
                embedding = self._cache.get_or_make((self._made_by, key[1]), lambda: made, cancel=cancel)
            # What is cached stands for a content, what is handed out for a picture that somebody showed.
            return replace(embedding, picture=SeenPicture(key[1], picture.origin))
