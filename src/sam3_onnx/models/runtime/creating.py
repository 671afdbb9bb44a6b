"""The session of a part of a model: on the providers that were named, or on the best that is proven."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from sam3_onnx.errors import ModelError, ModelFileDamagedError, ModelFileUnreadableError, ProviderWarning
from sam3_onnx.models.runtime.comparing import needs_comparing, open_compared
from sam3_onnx.models.runtime.graphs.stamps import require_unchanged
from sam3_onnx.models.runtime.opening import GraphSession, Refusal, open_on
from sam3_onnx.models.runtime.providers.choosing import provider_error
from sam3_onnx.models.runtime.providers.diagnosis import why_not_started
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO, short_name
from sam3_onnx.models.runtime.providers.proof import proven
from sam3_onnx.models.runtime.providers.ways import PLAIN

if TYPE_CHECKING:
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.providers.choosing import Plan
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = ["create", "create_plain", "spoken"]

_BY_GRAPH = {OPENVINO}
"""Providers that hold or break by graph: one that they refuse runs on CPU, with a warning, and they have to answer
rightly on the miniature even where they are named, because builds of them have been seen that do not."""


def create(graph: GraphInfo, role: str, plan: Plan, settings: RuntimeSettings) -> GraphSession:
    """Makes the session of a part of a model.

    Args:
        graph: What to run.
        role: The part's name, such as "image_encoder".
        plan: What to try.
        settings: Threads, and providers and precision as they were asked for.

    Raises:
        ModelFileMissingError: A file was removed since it was looked at.
        ModelFileReplacedError: A file was changed since then.
        ModelFileUnreadableError: ONNX Runtime does not take a file from where it lies.
        ModelFileDamagedError: ONNX Runtime cannot load the file, whatever the provider.
        ProviderError: A provider asked for by name did not become active.

    Warns:
        ProviderWarning: The graph runs on CPU, or on a slower provider than there seemed to be.
    """
    require_unchanged(graph.stamps, role=spoken(role))
    return _best(graph, role, plan, settings) if plan.auto else _named(graph, role, plan, settings)


def create_plain(graph: GraphInfo, settings: RuntimeSettings) -> GraphSession:
    """Makes the session of a part of a model in ONNX Runtime's own way.

    Args:
        graph: What to run.
        settings: Threads.

    Raises:
        ModelFileUnreadableError: ONNX Runtime does not take a file from where it lies.
        ModelFileDamagedError: ONNX Runtime cannot load the file.
    """
    opened = open_on(graph, [PLAIN], threads=settings.run_threads)
    if isinstance(opened, Refusal):
        raise _unloadable(graph, opened) from opened.error
    return opened


def spoken(role: str) -> str:
    """Returns the name of a part as a person says it: "image encoder"."""
    return role.replace("_", " ")


def _named(graph: GraphInfo, role: str, plan: Plan, settings: RuntimeSettings) -> GraphSession:
    names = [way.provider for way in plan.ways]
    opened = open_on(graph, plan.ways, threads=settings.run_threads, engines=settings.engine_folder)
    if isinstance(opened, GraphSession):
        for way in plan.ways:
            if way.provider in _BY_GRAPH and not (proof := proven((way.provider, dict(way.options)), settings)).passed:
                raise provider_error(names, way.provider, proof.failure)
        return opened
    fallback = create_plain(graph, settings)
    why = why_not_started(plan.ways, settings.run_threads)
    blamed = next(name for name in names if name != CPU and name not in opened.active)
    if why or blamed not in _BY_GRAPH:
        reason = why or f"the {spoken(role)} was refused: {opened.reason}"
        raise provider_error(names, blamed, reason, opened.active) from opened.error
    _tell(role, CPU, f"{short_name(blamed)} refuses it: {opened.reason}")
    return fallback


def _best(graph: GraphInfo, role: str, plan: Plan, settings: RuntimeSettings) -> GraphSession:
    for reason in plan.skipped:
        warnings.warn(reason, ProviderWarning, stacklevel=2)
    failures = []
    for way in plan.ways[:-1]:
        proof = proven((way.provider, dict(way.options)), settings)
        opened: GraphSession | Refusal = Refusal(proof.failure)
        if proof.passed and needs_comparing(role, way, graph):
            opened = open_compared(graph, way, settings)
        elif proof.passed:
            opened = open_on(graph, [way], threads=settings.run_threads, engines=settings.engine_folder)
        if isinstance(opened, GraphSession):
            break
        failures.append(f"{short_name(way.provider)}: {opened.reason}")
    else:
        opened = create_plain(graph, settings)
    if failures:
        _tell(role, opened.providers[0], "; ".join(failures))
    return opened


def _unloadable(graph: GraphInfo, refusal: Refusal) -> ModelError:
    """The reason that a graph cannot be loaded: where its files lie, or else what is in them."""
    folder = graph.path.parent.resolve()
    for data in graph.external_files:
        if not data.resolve().is_relative_to(folder):
            real = data.resolve()
            reason = f"it leads to {real}, and onnxruntime takes weights from the folder of {graph.path.name} alone"
            remedy = f"Copy it to {data}, or put the graph beside it in the other folder and open the model there."
            return ModelFileUnreadableError(data, role="external data", reason=reason, remedy=remedy)
    try:
        str(graph.path).encode()
    except UnicodeEncodeError:
        reason, remedy = "its path holds bytes that are no UTF-8, which onnxruntime cannot open", "Rename it."
        return ModelFileUnreadableError(graph.path, role="model file", reason=reason, remedy=remedy)
    got = f"a file that onnxruntime refuses: {refusal.reason}"
    return ModelFileDamagedError(graph.path, expected="a loadable ONNX model", got=got)


def _tell(role: str, provider: str, why: str) -> None:
    warnings.warn(f"The {spoken(role)} runs on {short_name(provider)}. {why}", ProviderWarning, stacklevel=4)
