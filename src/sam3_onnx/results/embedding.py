"""What is kept of a picture between two questions: its features, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.results.features import Features

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sam3_onnx.images.origins import SeenPicture
    from sam3_onnx.results.features import FeaturePrecision, OnDevice

__all__ = ["Embedding", "MalformedEntryError", "TextEmbedding"]

_FEATURE = "feature:"


class MalformedEntryError(ValueError):
    """The arrays of a file are not those of an embedding."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """The features of one picture, ready for any number of questions.

    `Sam3Session.predict` takes it in place of the picture.
    """

    size: tuple[int, int]
    """(height, width) of the picture."""
    model: str
    """Fingerprint of the model that made it."""
    features: Features = field(repr=False)
    """The arrays, and where they lie."""
    picture: SeenPicture | None = field(default=None, repr=False)
    """Where the picture came from, so that results can be drawn on it; None where that is not known."""

    @classmethod
    def store(
        cls,
        features: Mapping[str, NDArray[np.generic] | OnDevice],
        *,
        size: tuple[int, int],
        model: str,
        precision: FeaturePrecision,
    ) -> Embedding:
        """Keeps features, float32 ones as float16 unless `precision` is "exact"; see `Features.store`."""
        return cls(size, model, Features.store(features, precision))

    @property
    def nbytes(self) -> int:
        """Bytes of the stored features, wherever they lie."""
        return self.features.nbytes

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The features as they are stored, in the host's memory, read-only; a family widens those that a graph takes.

        Raises:
            ProviderError: They lie in the memory of a device that does not give them back.
        """
        return self.features.on_host()

    def to_entry(self) -> dict[str, NDArray[np.generic]]:
        """All of it as arrays, for a file."""
        features = {_FEATURE + name: array for name, array in self.arrays().items()}
        return {"size": np.array(self.size, np.int64), "model": np.array(self.model), **features}

    @classmethod
    def from_entry(cls, entry: Mapping[str, NDArray[np.generic]]) -> Embedding:
        """What `to_entry` was called on, to the bit.

        Raises:
            MalformedEntryError: These arrays are of nothing that `to_entry` was called on.
        """
        size, model = entry.get("size"), entry.get("model")
        features = {name[len(_FEATURE) :]: array for name, array in entry.items() if name.startswith(_FEATURE)}
        if size is None or size.shape != (2,) or size.dtype.kind != "i":
            raise MalformedEntryError("a size is expected")
        if model is None or model.dtype.kind != "U" or not features:
            raise MalformedEntryError("a model and features are expected")
        height, width = size.tolist()
        return cls((height, width), str(model), Features(features))


@dataclass(frozen=True, eq=False)
class TextEmbedding:
    """The features of one prompt."""

    features: Mapping[str, NDArray[np.generic]] = field(repr=False)

    @property
    def nbytes(self) -> int:
        """Bytes of the features."""
        return sum(array.nbytes for array in self.features.values())

    def to_entry(self) -> dict[str, NDArray[np.generic]]:
        """All of it as arrays, for a file."""
        return dict(self.features)

    @classmethod
    def from_entry(cls, entry: Mapping[str, NDArray[np.generic]]) -> TextEmbedding:
        """What `to_entry` was called on, to the bit.

        Raises:
            MalformedEntryError: There are no arrays.
        """
        if not entry:
            raise MalformedEntryError("features are expected")
        return cls(entry)
