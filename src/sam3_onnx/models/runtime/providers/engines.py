"""The engines that TensorRT builds, which take minutes each: kept in a folder, so that they are built once.

Options are those of onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html. ONNX Runtime knows an
engine by the names and shapes in a graph, not by its weights, and its documentation says to delete engines when a model
changes. So each graph has a folder of its own here, which is named after all that its engines depend on.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_path
from sam3_onnx.errors import OptionError
from sam3_onnx.models.runtime.graphs.fingerprint import Fingerprint
from sam3_onnx.models.runtime.providers.findings import finding_key

if TYPE_CHECKING:
    from os import PathLike

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.providers.ways import Way

__all__ = ["engine_options"]

TENSORRT = "TensorrtExecutionProvider"
_CACHES = ("trt_engine_cache", "trt_timing_cache")
"""Engines, and what was measured to build them, which shortens the building of others."""


def engine_options(folder: str | PathLike[str] | None, graph: GraphInfo, way: Way) -> dict[str, str]:
    """Returns the options with which a provider keeps the engines of a graph; none for others than TensorRT.

    Args:
        folder: Where engines are kept; made unless it is there. None for nowhere.
        graph: What is run.
        way: The provider, its options, and what it computes in.

    Raises:
        OptionError: Nothing can be written to the folder.
    """
    if folder is None or way.provider != TENSORRT:
        return {}
    key = finding_key(way.provider, way.options, f"{way.precision} engines of {Fingerprint([graph])}")
    root = require_path("engine_folder", folder).absolute()
    place = root / f"{graph.path.stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        expected = "a folder in which files can be written, or a place for one"
        raise OptionError("engine_folder", expected=expected, got=f"{root}, where {error}") from error
    options = {f"{cache}_enable": "1" for cache in _CACHES} | {f"{cache}_path": str(place) for cache in _CACHES}
    return {name: value for name, value in options.items() if name not in way.options}
