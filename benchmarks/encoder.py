"""How fast is an image encoder beside another one, and how far are its features from that one's?

The baseline runs under plain onnxruntime on CPU with its default options. A variant does, too, unless a
provider is named: `FOLDER@openvino` opens it through the library's runtime on that provider.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from benchmarks.pairing import paired
from benchmarks.scenes import picture
from sam3_onnx.families import exports_in_folder
from sam3_onnx.images import to_model_input
from sam3_onnx.runtime import OnnxModel, RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from benchmarks.pairing import Row
    from sam3_onnx.runtime import GraphInfo

__all__ = ["measure"]

TARGET_COSINE = 0.99
_FEATURE_DIMENSIONS = 4


def measure(
    *, baseline: Path, variants: Sequence[str], image: NDArray[np.uint8] | None = None, pairs: int = 5
) -> list[Row]:
    """Pairs each variant with the baseline, one variant in memory at a time.

    Args:
        baseline: A folder with any published export.
        variants: Folders, each with `@PROVIDER` behind it if it is not to run under plain onnxruntime.
        image: (H, W, 3) uint8 RGB; None for noise.
        pairs: How often both are run.
    """
    pixels = picture((1500, 2000)) if image is None else image
    theirs = _opened(str(baseline), pixels)
    expected = _by_level(theirs())
    return [_row(variant, theirs, expected, pixels, pairs=pairs) for variant in variants]


def _row(
    variant: str,
    theirs: Callable[[], Mapping[str, NDArray[Any]]],
    expected: Mapping[int, NDArray[Any]],
    pixels: NDArray[np.uint8],
    *,
    pairs: int,
) -> Row:
    ours = _opened(variant, pixels)
    features = _by_level(ours())
    if set(features) != set(expected):
        raise ValueError(f"{variant} has levels of {sorted(features)} cells, the baseline of {sorted(expected)}")
    cosines = {cells: _cosine(features[cells], expected[cells]) for cells in sorted(expected, reverse=True)}
    lowest = min(cosines.values())
    return {
        **paired(variant, ours, theirs, pairs=pairs),
        **{f"cosine_{level}": cosine for level, cosine in enumerate(cosines.values())},
        "target_cosine": TARGET_COSINE,
        "met_cosine": lowest >= TARGET_COSINE,
    }


def _opened(variant: str, image: NDArray[np.uint8]) -> Callable[[], Mapping[str, NDArray[Any]]]:
    """A run of a folder's image encoder, with everything prepared but the run itself."""
    folder, _, provider = variant.partition("@")
    graph = _graph_of(Path(folder))
    feeds = _feeds(graph, image)
    names = [
        name for name, info in graph.outputs.items() if len(info.shape) == _FEATURE_DIMENSIONS and "pos" not in name
    ]
    if provider:
        model = OnnxModel(graph, role="image encoder", settings=RuntimeSettings(provider))
        return lambda: dict(zip(names, model.run(names, feeds), strict=True))
    session = ort.InferenceSession(str(graph.path), providers=["CPUExecutionProvider"])
    return lambda: dict(zip(names, session.run(names, feeds), strict=True))


def _graph_of(folder: Path) -> GraphInfo:
    exports = exports_in_folder(folder)
    export = exports.concepts or exports.tracker
    if export is None:
        raise ValueError(f"{folder} holds no export of a known family")
    return export.graphs["image_encoder"]


def _feeds(graph: GraphInfo, image: NDArray[np.uint8]) -> dict[str, NDArray[np.generic]]:
    """The picture as the graph declares it: uint8 as it is, floating point normalised to -1..1."""
    (name, declared), *_ = graph.inputs.items()
    height, width = declared.shape[-2:]
    if height is None or width is None:
        raise ValueError(f"{graph.path} leaves its input's size open")
    pixels = to_model_input(image, (height, width))
    ready = pixels if declared.dtype == "uint8" else (pixels / 127.5 - 1).astype(declared.dtype)
    return {name: ready.reshape((1,) * (len(declared.shape) - ready.ndim) + ready.shape)}


def _by_level(features: Mapping[str, NDArray[Any]]) -> dict[int, NDArray[Any]]:
    """Features by the number of cells in a row, which tells levels apart whatever their names."""
    return {array.shape[-1]: array for array in features.values()}


def _cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    first, second = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
