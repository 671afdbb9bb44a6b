"""Pictures turned into embeddings of one model, each only once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sam3_onnx.errors import EmbeddingError
from sam3_onnx.images.origins import SeenPicture, picture_key
from sam3_onnx.images.resizing import to_model_input
from sam3_onnx.results.embedding import Embedding, FeaturePrecision

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.models.families.protocol import Encoder
    from sam3_onnx.session.encoding.memory import CacheTier
    from sam3_onnx.session.stopwatch import Stopwatch

__all__ = ["Embedder"]


class Embedder:
    """An image encoder behind a cache that it may share with others. Safe under threads.

    Attributes:
        part: The name of this image encoder among those of its model, part of every cache key.
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
        self._encoder = encoder
        self._precision = precision
        self._cache = cache
        self._right_of_way = right_of_way

    @property
    def model(self) -> str:
        """What embeddings of this encoder bear as `Embedding.model`; waits until the model's files are hashed."""
        return f"{self._model}/{self.part}" if self.part else str(self._model)

    def key_of(self, picture: NDArray[np.uint8]) -> tuple[str, str]:
        """What the cache knows a picture's embedding by."""
        return self.part, picture_key(picture)

    def encode(self, picture: NDArray[np.uint8], *, cancel: threading.Event | None) -> Embedding:
        """Runs the encoder, whatever the cache has.

        Args:
            picture: (H, W, 3) uint8 RGB.
            cancel: Setting it stops the run.
        """
        pixels = to_model_input(picture, self._encoder.capabilities.input_size)
        features = self._encoder.encode_image(pixels, cancel=cancel)
        size = (picture.shape[0], picture.shape[1])
        embedding = Embedding.store(features, size=size, model=self.model, precision=self._precision)
        self.bytes_each = embedding.nbytes
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
            EmbeddingError: The embedding is another model's.
        """
        if isinstance(picture, Embedding):
            if picture.model != (own := self.model):
                raise EmbeddingError(expected=own, got=picture.model)
            return picture

        def run() -> Embedding:
            with self._right_of_way(cancel):
                return self.encode(picture.pixels, cancel=cancel)

        with watch.stage("image"):
            key = self.key_of(picture.pixels)
            # What is cached stands for a content, what is handed out for a picture that somebody showed.
            embedding = self._cache.get_or_make(key, run, cancel=cancel)
            return replace(embedding, picture=SeenPicture(key[1], picture.origin))
