"""How fast and how large is an image encoder beside another one, and how far are its features from that one's?

The baseline runs under plain onnxruntime on CPU with its default options. A variant does, too, unless a way is named:
`FOLDER@openvino` opens it through the library's runtime on that provider, `FOLDER@openvino:bfloat16` in that
precision too, and `CHECKPOINT@transformers` runs the model itself with PyTorch in bfloat16. Memory is what a process of
its own holds after two pictures, and its peak (proc(5), VmRSS and VmHWM).
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from benchmarks.memory import memory
from benchmarks.pairing import paired
from benchmarks.scenes import picture
from sam3_onnx.cli.opening import precision_of
from sam3_onnx.images import to_model_input
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from benchmarks.pairing import Row
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["measure", "plot"]

TARGET_COSINE = 0.99
_FEATURE_DIMENSIONS = 4
_LEVELS = 3


def measure(
    *, baseline: Path, variants: Sequence[str], image: NDArray[np.uint8] | None = None, pairs: int = 5
) -> list[Row]:
    """Pairs each variant with the baseline, one variant in memory at a time.

    Args:
        baseline: A folder with any published export, or the file of an image encoder.
        variants: As `baseline`, each with `@PROVIDER`, `@PROVIDER:PRECISION` or `@transformers` behind it if it is not
            to run under plain onnxruntime.
        image: (H, W, 3) uint8 RGB; None for noise.
        pairs: How often both are run.
    """
    pixels = picture((1500, 2000)) if image is None else image
    sizes = {name: _resident(name, pixels) for name in (str(baseline), *variants)}
    theirs = _opened(str(baseline), pixels)
    expected = _by_level(theirs())
    rows = []
    for variant in variants:
        (now, peak), (theirs_now, _) = sizes[variant], sizes[str(baseline)]
        held: Row = {"mb": now, "peak_mb": peak, "baseline_mb": theirs_now, "mb_ratio": now / theirs_now}
        rows.append({**_row(variant, theirs, expected, pixels, pairs=pairs), **held})
    return rows


def plot(rows: Sequence[Row], path: Path) -> None:
    """A bar for each variant: its share of the baseline's time, with the spread, and of its memory."""
    import matplotlib as mpl  # noqa: PLC0415 - only for plots

    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    names = [str(row["case"]) for row in rows]
    places = np.arange(len(rows))
    ratios = np.array([float(row["ratio"] or 0) for row in rows])
    spread = np.array([[float(row["p10"] or 0), float(row["p90"] or 0)] for row in rows]).T
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.7 * len(rows)), layout="constrained")
    axes.barh(places - 0.2, ratios, 0.4, xerr=np.abs(spread - ratios), label="time, 10th to 90th percentile")
    axes.barh(places + 0.2, [float(row["mb_ratio"] or 0) for row in rows], 0.4, label="resident memory")
    axes.axvline(1, color="grey", linewidth=1)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlabel("share of the baseline")
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


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
    folder, _, way = variant.partition("@")
    if way == "transformers":
        return _transformers(folder, image)
    graph = _graph_of(Path(folder))
    feeds = _feeds(graph, image)
    names = [
        name for name, info in graph.outputs.items() if len(info.shape) == _FEATURE_DIMENSIONS and "pos" not in name
    ]
    if way:
        provider, _, precision = way.partition(":")
        settings = RuntimeSettings(provider, precision=precision_of(precision or "auto"))
        model = OnnxModel(graph, role="image_encoder", settings=settings)
        return lambda: dict(zip(names, model.run(names, feeds), strict=True))
    session = ort.InferenceSession(str(graph.path), providers=["CPUExecutionProvider"])
    return lambda: dict(zip(names, session.run(names, feeds), strict=True))


def _transformers(checkpoint: str, image: NDArray[np.uint8]) -> Callable[[], Mapping[str, NDArray[Any]]]:
    """A run of the vision encoder of transformers' `Sam3Model` in bfloat16, to features in float32."""
    import torch  # noqa: PLC0415 - only where it is measured
    from transformers import Sam3Model, Sam3VideoConfig  # noqa: PLC0415

    config = Sam3VideoConfig.from_pretrained(checkpoint).detector_config
    model = Sam3Model.from_pretrained(checkpoint, config=config, dtype=torch.bfloat16).eval()
    side = model.config.vision_config.image_size
    pixels = torch.from_numpy(to_model_input(image, (side, side)) / 127.5 - 1).to(torch.bfloat16)[None]

    def run() -> Mapping[str, NDArray[Any]]:
        with torch.inference_mode():
            levels = model.vision_encoder(pixels).fpn_hidden_states[:_LEVELS]
        return {str(place): level.float().numpy() for place, level in enumerate(levels)}

    return run


def _resident(variant: str, image: NDArray[np.uint8]) -> tuple[float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_held_after_two, (variant, image))


def _held_after_two(variant: str, image: NDArray[np.uint8]) -> tuple[float, float]:
    run = _opened(variant, image)
    run()
    features = run()
    held = memory()
    del features
    return held


def _graph_of(folder: Path) -> GraphInfo:
    if folder.is_file():
        return read_graph(folder)
    export = next(iter(exports_in_folder(folder).heads.values()))
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
