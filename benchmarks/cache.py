"""What does a cached picture occupy at full size, and what does it cost to use it again, from memory or a folder?

The encoder is a fake that answers at once with noise of the full model's shapes.
"""

from __future__ import annotations

from functools import partial
from math import prod
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.pairing import paired
from benchmarks.scenes import FULL_FEATURES, picture
from sam3_onnx import Sam3Session
from sam3_onnx.testing import FakeFamily

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.pairing import Row
    from sam3_onnx import Embedding
    from sam3_onnx.models.families.protocol import Arrays

__all__ = ["FeatureFamily", "measure"]

TARGET_MB = 56
_FLOAT32 = 4


class FeatureFamily(FakeFamily):
    """A fake whose features have given shapes."""

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Makes the features.

        Args:
            shapes: Of the features, float32 from a normal distribution.
        """
        super().__init__({})
        chance = np.random.default_rng(0)
        self.features = {
            f"fpn_{level}": chance.standard_normal(shape, np.float32) for level, shape in enumerate(shapes)
        }

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:  # noqa: ARG002 - the protocol's
        """A copy of the features."""
        self.calls["encode_image"] += 1
        return {name: array.copy() for name, array in self.features.items()}

    def are_of_image(self, features: Arrays) -> bool:
        """Returns whether they have the names of the features."""
        return features.keys() == self.features.keys()


def measure(
    *,
    pairs: int = 15,
    shapes: Sequence[tuple[int, ...]] = FULL_FEATURES,
    size: tuple[int, int] = (3000, 4000),
) -> list[Row]:
    """Bytes of one entry, and the seconds of a hit until the decoder could run.

    The baseline keeps what the six files answer with, in float32: the same levels and, for each, a position
    encoding of its shape. Its bytes follow from the shapes; its hit is one copy of these bytes.

    Args:
        pairs: How often each is run.
        shapes: Of the features.
        size: (height, width) of the picture.
    """
    with TemporaryDirectory() as folder:
        return _measure(pairs, shapes, picture(size), folder)


def _measure(pairs: int, shapes: Sequence[tuple[int, ...]], image: NDArray[np.uint8], folder: str) -> list[Row]:
    six_files = [np.ones(shape, np.float32) for shape in (*shapes, *shapes)]
    theirs = sum(array.nbytes for array in six_files)
    rows = []
    for precision in ("float16", "exact"):
        session = Sam3Session(FeatureFamily(shapes), model="fake", feature_precision=precision)
        reader = Sam3Session(
            FeatureFamily(shapes), model="fake", feature_precision=precision, cache_bytes=0, cache_folder=folder
        )
        reader.encode(image)
        reader.cache.info("disk")  # waits until it is written
        entry = session.encode(image)
        held = session.cache.info().bytes
        expected = sum(map(prod, shapes)) * _FLOAT32 // (2 if precision == "float16" else 1)
        if held != expected:
            raise RuntimeError(f"the cache counts {held} bytes, the shapes say {expected}")
        sizes: Row = {
            "mb": held / 1e6,
            "baseline_mb": theirs / 1e6,
            "mb_ratio": held / theirs,
            "target_mb": TARGET_MB,
            "met_mb": held / 1e6 <= TARGET_MB,
        }
        for case, hit in (
            ("by pixels: hash, look up, widen", lambda session=session: _widened(session.encode(image))),
            ("by embedding: widen", partial(_widened, entry)),
            ("from a folder: hash, read, check, widen", lambda reader=reader: _widened(reader.encode(image))),
        ):
            rows.append({**paired(f"{precision}: {case}", hit, partial(_copied, six_files), pairs=pairs), **sizes})
    return rows


def _widened(embedding: Embedding) -> list[NDArray[np.float32]]:
    return [array.astype(np.float32, copy=False) for array in embedding.arrays().values()]


def _copied(arrays: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    return [array.copy() for array in arrays]
