"""How does the cost grow with instances, with the picture, with words and with what the cache holds?

Seconds are those that processors were busy, all threads together: others' work on the machine adds little to them.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.cache import FeatureFamily
from benchmarks.models import open_subject
from benchmarks.outlines import segmentation
from benchmarks.pairing import in_turn, ratios_to
from benchmarks.scenes import blobs, picture, size_of
from sam3_onnx import Sam3Session
from sam3_onnx.hub import model_folder
from sam3_onnx.images import to_model_input

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.pairing import Row

__all__ = ["measure", "plot"]

_MEGAPIXELS = 12
_INPUT = (1008, 1008)
_ENTRY = ((1, 64, 64, 64),)


def measure(
    *,
    pairs: int = 7,
    instances: Sequence[int] = (1, 10, 25, 50, 100, 200),
    megapixels: Sequence[float] = (1, 4, 12, 25, 50),
    words: Sequence[int] = (1, 5, 10, 25, 50),
    cached: Sequence[int] = (1, 10, 50, 100, 200),
) -> list[Row]:
    """Runs all sizes of one axis in turn; ratios are to the first one, within a round.

    Args:
        pairs: How often each size is run.
        instances: On a picture of 12 megapixels, from logits to polygons, all of one size.
        megapixels: Of a picture: 20 instances to polygons, the model's input, and the hash of a cache hit.
        words: Known ones, on the miniature.
        cached: Pictures in the cache, one of which is asked for.
    """
    many, some = blobs(max(instances)), blobs(20)
    rows = _axis("instances to polygons", {count: _polygons(many[:count], _MEGAPIXELS) for count in instances}, pairs)
    rows += _axis("megapixels: 20 to polygons", {size: _polygons(some, size) for size in megapixels}, pairs)
    pictures = {size: picture(size_of(size)) for size in megapixels}
    rows += _axis(
        "megapixels: model input",
        {size: partial(to_model_input, image, _INPUT) for size, image in pictures.items()},
        pairs,
    )
    session = Sam3Session(FeatureFamily(_ENTRY), model="fake")
    rows += _axis(
        "megapixels: cache hit", {size: partial(session.encode, image) for size, image in pictures.items()}, pairs
    )
    subject = open_subject(model_folder("miniature"), name="miniature", size=(300, 400))
    rows += _axis(
        "words",
        {
            count: partial(subject.session.predict, subject.embedding, [f"word {index}" for index in range(count)])
            for count in words
        },
        pairs,
    )
    return rows + _axis("cached pictures", {count: _hit_among(count) for count in cached}, pairs)


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draws one panel for each axis; needs matplotlib.

    Args:
        rows: What `measure` returned.
        path: The PNG to write.
    """
    import matplotlib as mpl  # noqa: PLC0415 - only a plot needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    axes = list(dict.fromkeys(str(row["axis"]) for row in rows))
    figure, panels = plt.subplots(2, -(-len(axes) // 2), figsize=(11, 6), layout="constrained", squeeze=False)
    for panel, axis in zip(panels.flat, axes, strict=False):
        mine = [row for row in rows if row["axis"] == axis]
        at = [float(row["value"] or 0) for row in mine]
        panel.plot(at, [float(row["cpu_seconds"] or 0) * 1000 for row in mine], "o-", color="#0f766e")
        panel.set(title=axis, xlabel=axis.partition(":")[0], ylabel="CPU ms", ylim=(0, None), xlim=(0, None))
        panel.grid(alpha=0.3)
    for panel in panels.flat[len(axes) :]:
        panel.set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _axis(name: str, cases: dict[float, Callable[[], object]], rounds: int) -> list[Row]:
    seconds = in_turn({str(value): run for value, run in cases.items()}, rounds=rounds, clock=time.process_time)
    ratios = ratios_to(next(iter(seconds)), seconds)
    return [
        {
            "axis": name,
            "value": value,
            "ratio": ratios[str(value)].median,
            "p10": ratios[str(value)].p10,
            "p90": ratios[str(value)].p90,
            "n": rounds,
            "cpu_seconds": float(np.median(seconds[str(value)])),
        }
        for value in cases
    ]


def _polygons(logits: NDArray[np.float32], megapixels: float) -> Callable[[], object]:
    size = size_of(megapixels)
    return lambda: segmentation(logits, size).shapes("polygon")


def _hit_among(count: int) -> Callable[[], object]:
    session = Sam3Session(FeatureFamily(_ENTRY), model="fake")
    pictures = [np.full((300, 400, 3), index, np.uint8) for index in range(count)]
    for image in pictures:
        session.encode(image)
    if session.cache.info().entries != count:
        raise RuntimeError(f"{session.cache.info().entries} of {count} pictures are in the cache")
    return partial(session.encode, pictures[0])
