"""The features of a model's own image encoder in a coarse precision, held against those in float32.

Coarse is a provider that is asked for bfloat16 or float16, and a graph in float16 on a device that multiplies in it.

The miniature proves the provider; this proves the model that is opened, whose depth and weights are others. It is done
once for each model and machine and remembered in the cache folder, passed or not.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.machine_limits import available_memory, memory_left
from sam3_onnx._support.units import in_bytes
from sam3_onnx.models.runtime.graphs.fingerprint import Fingerprint
from sam3_onnx.models.runtime.opening import GraphSession, Refusal, open_on
from sam3_onnx.models.runtime.providers.findings import finding_key, recall, remember
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO, short_name
from sam3_onnx.models.runtime.providers.ways import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.providers.ways import Way
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = ["LEAST_COSINE", "needs_comparing", "open_compared", "photograph_for"]

LEAST_COSINE = 0.999
"""Of each level of features. At full size bfloat16 through OpenVINO had 0.9995 with int8 weights as well."""
_COSINE = "cosine"
_COMPARED = "image_encoder"
_WIDENING = frozenset({CPU, OPENVINO})
"""Providers that compute a graph in float16 in float32, unless they are asked for another precision."""
_FULL_SIZE = 1008
"""Height and width where a graph leaves them open: those that SAM 3 was trained with."""
_LOG = logging.getLogger("sam3_onnx.providers")


def needs_comparing(role: str, way: Way, graph: GraphInfo) -> bool:
    """Returns whether a part of a model has to be compared before it is run in a way: an image encoder, if coarse."""
    return _coarse(way, graph) != "" and role == _COMPARED and len(graph.inputs) == 1


def _coarse(way: Way, graph: GraphInfo) -> str:
    """The coarse precision that a graph would be computed in; "" for none."""
    if way.is_coarse:
        return way.precision
    return "float16" if graph.computes_in_half and way.provider not in _WIDENING else ""


def open_compared(graph: GraphInfo, way: Way, settings: RuntimeSettings) -> GraphSession | Refusal:
    """Opens an image encoder in a coarse way if its features are those of float32.

    Where memory is short the comparison is left out, and the proof on the miniature has to do.

    Args:
        graph: The image encoder.
        way: How to run it.
        settings: Threads, and a folder for engines.
    """
    precision, threads = _coarse(way, graph), settings.run_threads
    open_it = partial(open_on, graph, [way], threads=threads, engines=settings.engine_folder)
    name = f"{graph.path.name} in {precision} on {short_name(way.provider)}"
    key = finding_key(way.provider, way.options, f"{precision} features of {Fingerprint([graph])}")
    known = recall(key, [_COSINE])
    if known is not None:
        return open_it() if _is_near(known[_COSINE]) else _too_far(known[_COSINE])
    short = _memory_is_short(graph)
    if short:
        _LOG.warning("%s is used without being compared with float32 first: %s.", name, short)
        return open_it()
    _LOG.info("%s is compared with float32, once for this model and this machine.", name)
    with _progress(name) as step:
        exact = open_on(graph, [PLAIN], threads=threads)
        if isinstance(exact, Refusal):
            return exact
        expected = _features(exact, graph)
        del exact  # two encoders in memory at once are more than need be
        step()
        opened = open_it()
        if isinstance(opened, Refusal):
            return opened
        try:
            found = _features(opened, graph)
        except Exception as error:  # noqa: BLE001 - a provider that breaks while it runs is what is looked for
            return Refusal(f"it fails on a photograph: {error}")
        step()
    cosine = min(_cosine(found[level], expected[level]) for level in expected)
    remember(key, {_COSINE: cosine})
    _LOG.info("%s: the least cosine of its features with those of float32 is %.5f.", name, cosine)
    return opened if _is_near(cosine) else _too_far(cosine)


def photograph_for(graph: GraphInfo) -> NDArray[np.generic]:
    """Returns the photograph that ships with the package as an image encoder takes it.

    Args:
        graph: Takes (3, H, W) or (1, 3, H, W): uint8 in 0..255, or floats, which get -1..1.
    """
    import cv2  # noqa: PLC0415 - 50 ms, for a comparison only

    (info,) = graph.inputs.values()
    height, width = (size or _FULL_SIZE for size in info.shape[-2:])
    content = np.frombuffer((files("sam3_onnx") / "data" / "coins.png").read_bytes(), np.uint8)
    picture = cv2.imdecode(content, cv2.IMREAD_COLOR)
    if picture is None:
        raise RuntimeError("OpenCV cannot read the photograph that ships with sam3-onnx: install sam3-onnx anew.")
    pixels = np.ascontiguousarray(cv2.resize(picture, (width, height))[:, :, ::-1].transpose(2, 0, 1))
    if info.dtype != "uint8":
        pixels = (pixels / np.float32(127.5) - 1).astype(info.dtype)
    return pixels.reshape((1,) * (len(info.shape) - pixels.ndim) + pixels.shape)


def _features(opened: GraphSession, graph: GraphInfo) -> dict[str, NDArray[np.float64]]:
    """Levels of features of the photograph, by name; what no picture changes is left out."""
    (name,) = graph.inputs
    levels = [
        level for level, info in graph.outputs.items() if info.dtype.startswith("float") and graph.depends_on(level)
    ]
    arrays = opened.run(levels, {name: photograph_for(graph)})
    return {level: np.asarray(array, np.float64).ravel() for level, array in zip(levels, arrays, strict=True)}


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Of two vectors; NaN is the least there is."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    cosine = float(one @ other) / lengths if lengths else float(np.array_equal(one, other))
    return cosine if np.isfinite(cosine) else -1.0


def _is_near(cosine: float) -> bool:
    return cosine >= LEAST_COSINE


def _too_far(cosine: float) -> Refusal:
    return Refusal(
        f"its features of a photograph differ from those in float32 (cosine {cosine:.4g}, and at least {LEAST_COSINE} "
        "is expected)"
    )


def _memory_is_short(graph: GraphInfo) -> str:
    """Why there is too little memory for the graph in float32, which takes about its files twice; "" if there isn't."""
    needed = 2 * sum(path.stat().st_size for path in (graph.path, *graph.external_files))
    free = [size for size in (memory_left(), available_memory()[1]) if size is not None]
    return f"that needs {in_bytes(needed)}, and {in_bytes(min(free))} are free" if free and min(free) < needed else ""


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Callable[[], object]]:
    """Shows two steps on a terminal; yields what counts one."""
    from tqdm import tqdm  # noqa: PLC0415 - for a comparison only

    with tqdm(desc=f"comparing {name}", total=2, file=sys.stderr, disable=None) as bar:
        yield bar.update
