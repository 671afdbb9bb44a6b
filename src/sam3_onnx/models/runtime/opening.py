"""A session on given providers, and the check that they became active."""

from __future__ import annotations

import functools
import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.forking import keep_for_ever, renew_in_children, undivided
from sam3_onnx.models.runtime.graphs.edits import without_empty_operands
from sam3_onnx.models.runtime.library import ort
from sam3_onnx.models.runtime.mapping import keep_mapped, stays_mapped
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO
from sam3_onnx.models.runtime.providers.plugins import built_in, plugin_of
from sam3_onnx.models.runtime.providers.precision import options_for

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.providers.plugins import Plugin
    from sam3_onnx.models.runtime.providers.precision import Precision
    from sam3_onnx.models.runtime.providers.ways import Way

__all__ = ["GraphSession", "Refusal", "open_on"]

_NVIDIA = {"CUDAExecutionProvider", "TensorrtExecutionProvider"}
_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
_ERRORS, _FATAL_ONLY = 3, 4  # severities of onnxruntime's log


@dataclass(frozen=True, eq=False)
class GraphSession:
    """A graph in memory, on the providers that became active."""

    session: ort.InferenceSession
    precision: Precision
    """What it computes in; "auto" where it is the provider's own choice."""

    def __post_init__(self) -> None:
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Has the child of a fork never free it: its end would wait for threads that are the parent's."""
        keep_for_ever(self.session)

    @property
    def providers(self) -> tuple[str, ...]:
        """The active providers, first the one that takes what it can."""
        return tuple(self.session.get_providers())

    def run(
        self, outputs: Sequence[str], feeds: Mapping[str, NDArray[np.generic]], options: ort.RunOptions | None = None
    ) -> list[object]:
        """Runs the graph; returns one array for each name in `outputs`."""
        return list(self.session.run(list(outputs), dict(feeds), options))


@dataclass(frozen=True)
class Refusal:
    """Why a provider did not take a graph."""

    reason: str
    active: tuple[str, ...] = ()
    """What the graph would have run on instead."""
    error: Exception | None = None
    """What onnxruntime raised, if it raised."""


def open_on(
    graph: GraphInfo, ways: Sequence[Way], *, threads: int | None, severity: int | None = None
) -> GraphSession | Refusal:
    """Makes a session on some providers, all of which are offered here.

    Args:
        graph: What to run.
        ways: The providers with their precision, best first. CPU takes what they leave.
        threads: Threads of one run; None leaves it to ONNX Runtime.
        severity: From which severity on onnxruntime logs, 0 to 4; None for what suits the providers.

    Returns:
        The session, or why there is none on all these providers.
    """
    names = [way.provider for way in ways]
    if severity is None:
        severity = _ERRORS if names == [CPU] else _FATAL_ONLY  # of other providers the reason is in the refusal
    if _NVIDIA & set(names):
        _preload_libraries()
    try:
        opened = _open(graph, ways, threads, severity)
    except Exception as error:  # noqa: BLE001 - onnxruntime's own exceptions share no narrower base
        # without its frames: they hold a session that is half made, which the child of a fork could not free
        return Refusal(str(error).strip(), error=error.with_traceback(None))
    dropped = [name for name in names if name not in opened.providers]
    if dropped:
        return Refusal(f"onnxruntime dropped {dropped[0]} when the session was created", opened.providers)
    if names[0] != CPU and _takes_nothing(opened.session, names):
        return Refusal(f"{names[0]} takes no part of it", (CPU,))
    return opened


def _open(graph: GraphInfo, ways: Sequence[Way], threads: int | None, severity: int) -> GraphSession:
    others = [way for way in ways if way.provider != CPU]
    plugins = {
        way.provider: plugin for way in others if way.provider not in built_in() and (plugin := plugin_of(way.provider))
    }
    full = [
        (way.provider, options_for(way.provider, way.options, precision=way.precision, threads=threads))
        for way in others
    ]
    options = session_options(threads, severity)
    model: str | bytes = str(graph.path)
    if not full and stays_mapped(graph):
        keep_mapped(options)
    if full:
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if OPENVINO in dict(full) and (edited := _openvino_model(graph)) is not None:
        model = edited
        options.add_session_config_entry(_WEIGHTS_FOLDER, str(graph.path.parent))
    if plugins:
        for name, given in full:
            _add(options, name, given, plugins.get(name))
        with undivided():
            return GraphSession(ort.InferenceSession(model, options, enable_fallback=0), ways[0].precision)
    names, chosen = [name for name, _ in full] + [CPU], [given for _, given in full] + [{}]
    with undivided():
        session = ort.InferenceSession(model, options, providers=names, provider_options=chosen, enable_fallback=0)
    return GraphSession(session, ways[0].precision)


def session_options(threads: int | None, severity: int) -> ort.SessionOptions:
    """What all sessions of this library have in common."""
    options = ort.SessionOptions()
    options.log_severity_level = severity
    # A pattern is one block as large as everything that the first run took piece by piece. From the
    # second run on it lies beside those pieces, which nothing uses any more.
    options.enable_mem_pattern = False
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


def _add(options: ort.SessionOptions, name: str, given: dict[str, str], plugin: Plugin | None) -> None:
    if plugin is None:
        options.add_provider(name, given)
        return
    kind = given.pop("device_type", "CPU")
    device = plugin.device(kind)
    if device is None:
        offered = ", ".join(sorted({device.device.type.name for device in plugin.devices}))
        raise ValueError(f"it offers no device of type {kind!r} on this machine, but {offered}")
    options.add_provider_for_devices([device], given)


def _openvino_model(graph: GraphInfo) -> bytes | None:
    """The model as OpenVINO takes it, or None if it takes the file as it is.

    Its plug-in takes a constant without elements for an input that nobody feeds ("OpenVINO input has
    no ONNX binding").
    """
    with graph.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        whole = memoryview(data)
        try:
            return without_empty_operands(whole)
        finally:
            whole.release()


def _takes_nothing(session: ort.InferenceSession, names: Collection[str]) -> bool:
    """Whether all nodes of a graph were left to CPU; False where onnxruntime is too old to tell."""
    tell = getattr(session, "get_provider_graph_assignment_info", None)
    return tell is not None and not any(part.ep_name in names and part.ep_name != CPU for part in tell())


@functools.cache
def _preload_libraries() -> None:
    """Loads CUDA and cuDNN from NVIDIA's wheels, where these are installed, as onnxruntime 1.21 and newer can."""
    preload = getattr(ort, "preload_dlls", None)
    if preload is not None:
        preload()
