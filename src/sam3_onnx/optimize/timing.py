"""Times of a graph before and after, measured so that other load on the machine has little effect."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = ["PairedTime", "paired_time"]


@dataclass(frozen=True)
class PairedTime:
    """Times of two forms that run alternately in one process, on the same input."""

    before: float
    """Median time before in seconds."""
    after: float
    """Median time after in seconds."""
    ratio: float
    """Median of after divided by before, over the pairs."""
    lowest: float
    highest: float
    pairs: int


def paired_time(
    before: OnnxModel,
    after: OnnxModel,
    outputs: Sequence[str],
    feeds: Mapping[str, NDArray[np.generic]],
    *,
    pairs: int,
) -> PairedTime:
    """Runs two forms of a graph alternately; both must have run before, so that loading is not measured."""
    seconds = [(_seconds(before, outputs, feeds), _seconds(after, outputs, feeds)) for _ in range(pairs)]
    ratios = [second / first for first, second in seconds]
    return PairedTime(
        before=median(first for first, _ in seconds),
        after=median(second for _, second in seconds),
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        pairs=pairs,
    )


def _seconds(model: OnnxModel, outputs: Sequence[str], feeds: Mapping[str, NDArray[np.generic]]) -> float:
    began = time.perf_counter()
    model.run(outputs, feeds)
    return time.perf_counter() - began
