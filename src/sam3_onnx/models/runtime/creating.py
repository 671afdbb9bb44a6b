"""The session of a graph: on the providers that were named, or on the best that is proven."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from sam3_onnx.errors import ModelError, ModelFileDamagedError, ModelFileUnreadableError, ProviderWarning
from sam3_onnx.models.runtime.graphs.stamps import require_unchanged
from sam3_onnx.models.runtime.opening import GraphSession, Refusal, open_on
from sam3_onnx.models.runtime.providers.choosing import for_auto, provider_error
from sam3_onnx.models.runtime.providers.diagnosis import why_not_started
from sam3_onnx.models.runtime.providers.names import CPU, short_name
from sam3_onnx.models.runtime.providers.proof import proven

if TYPE_CHECKING:
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.providers.choosing import Plan
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = ["create"]

_BY_GRAPH = {"OpenVINOExecutionProvider"}
"""Providers that hold or break by graph: one that they refuse runs on CPU, with a warning, and they have to answer
rightly on the miniature even where they are named, because builds of them have been seen that do not."""


def create(graph: GraphInfo, role: str, plan: Plan, settings: RuntimeSettings) -> GraphSession:
    """Makes the session of a graph.

    Args:
        graph: What to run.
        role: What the graph is for, in messages.
        plan: The providers to try.
        settings: Threads and precision.

    Raises:
        ModelFileMissingError: A file was removed since it was looked at.
        ModelFileReplacedError: A file was changed since then.
        ModelFileUnreadableError: ONNX Runtime does not take a file from where it lies.
        ModelFileDamagedError: ONNX Runtime cannot load the file, whatever the provider.
        ProviderError: A provider asked for by name did not become active.

    Warns:
        ProviderWarning: The graph runs on CPU, or on a slower provider than there seemed to be.
    """
    require_unchanged(graph.stamps, role=role)
    return _best(graph, role, plan, settings) if plan.auto else _named(graph, role, plan, settings)


def _named(graph: GraphInfo, role: str, plan: Plan, settings: RuntimeSettings) -> GraphSession:
    names = [name for name, _ in plan.wanted]
    opened = open_on(graph, plan.wanted, settings)
    if isinstance(opened, GraphSession):
        for wanted in plan.wanted:
            if wanted[0] in _BY_GRAPH and not (proof := proven(wanted, settings)).passed:
                raise provider_error(names, wanted[0], proof.failure)
        return opened
    fallback = _on_cpu(graph, settings)
    why = why_not_started(plan.wanted, settings)
    blamed = next(name for name in names if name != CPU and name not in opened.active)
    if why or blamed not in _BY_GRAPH:
        reason = why or f"the {role} was refused: {opened.reason}"
        raise provider_error(names, blamed, reason, opened.active) from opened.error
    _tell(role, CPU, f"{short_name(blamed)} refuses it: {opened.reason}")
    return fallback


def _best(graph: GraphInfo, role: str, plan: Plan, settings: RuntimeSettings) -> GraphSession:
    for reason in plan.skipped:
        warnings.warn(reason, ProviderWarning, stacklevel=2)
    failures = []
    for name, options in plan.wanted[:-1]:
        suited = for_auto(settings, name)
        proof = proven((name, options), suited)
        opened = open_on(graph, [(name, options)], suited) if proof.passed else Refusal(proof.failure)
        if isinstance(opened, GraphSession):
            break
        failures.append(f"{short_name(name)}: {opened.reason}")
    else:
        opened = _on_cpu(graph, settings)
    if failures:
        _tell(role, opened.providers[0], "; ".join(failures))
    return opened


def _on_cpu(graph: GraphInfo, settings: RuntimeSettings) -> GraphSession:
    opened = open_on(graph, [(CPU, {})], settings)
    if isinstance(opened, Refusal):
        raise _unloadable(graph, opened) from opened.error
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
    warnings.warn(f"The {role} runs on {short_name(provider)}. {why}", ProviderWarning, stacklevel=4)
