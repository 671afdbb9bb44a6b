"""One ONNX graph that can be run: loaded when first needed, run, called off, unloaded."""

from __future__ import annotations

import contextlib
import threading
import warnings
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from sam3_onnx._support.forking import renew_in_children
from sam3_onnx._support.waiting import wait_or_cancel
from sam3_onnx.errors import (
    CancelledError,
    ModelAnswerError,
    ProviderWarning,
    SessionClosedError,
    SessionForkedError,
)
from sam3_onnx.models.runtime.creating import create, spoken
from sam3_onnx.models.runtime.heap import give_back
from sam3_onnx.models.runtime.library import ort
from sam3_onnx.models.runtime.mapping import shrink_after, stays_mapped
from sam3_onnx.models.runtime.providers.choosing import Plan, plan_of, provider_error
from sam3_onnx.models.runtime.providers.findings import finding_key
from sam3_onnx.models.runtime.providers.names import CPU, short_name, survives_fork
from sam3_onnx.models.runtime.providers.ways import PLAIN
from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.opening import GraphSession
    from sam3_onnx.models.runtime.providers.precision import Precision

__all__ = ["OnnxModel"]


class OnnxModel:
    """A graph with its session, which is created when first needed. Safe under threads.

    Attributes:
        graph: The graph's inputs, outputs and metadata.
        role: The part of the model that it is, such as "image_encoder".
        runs: How often the graph has been run.
    """

    def __init__(self, graph: GraphInfo, *, role: str, settings: RuntimeSettings | None = None) -> None:
        """Loads nothing yet.

        Args:
            graph: The graph, as `read_graph` found it.
            role: The part of the model that it is, such as "image_encoder".
            settings: Providers, threads and precision; None for the defaults.

        Raises:
            OptionError: A provider's name that is not known, or a precision that it does not offer for this part.
            ProviderError: A provider that is not installed was asked for by name.
        """
        self.graph = graph
        self.role = role
        self.runs = 0
        self._settings = settings or RuntimeSettings()
        self._plan = plan_of(self._settings, role, graph)
        self._precision = self._plan.ways[0].precision
        self._lock = threading.Lock()
        self._session: GraphSession | None = None
        self._closed = False
        self._forked_from: tuple[str, ...] = ()
        renew_in_children(self)

    @property
    def loaded(self) -> bool:
        """Whether the weights are in memory."""
        return self._session is not None

    @property
    def providers(self) -> tuple[str, ...]:
        """The active providers; those asked for while the graph is not loaded yet."""
        session = self._session
        return tuple(way.provider for way in self._plan.ways) if session is None else session.providers

    @property
    def precision(self) -> Precision:
        """What it is computed in; before it is loaded, what is tried first. "auto": a provider's own choice."""
        return self._precision

    @property
    def is_quick_to_load(self) -> bool:
        """Whether its weights stay in their file, so that it can be released between runs at little cost."""
        return self.providers == (CPU,) and stays_mapped(self.graph)

    @property
    def setting(self) -> str:
        """What answers may depend on beside the graph and its inputs.

        These are versions, the providers to try with their options, the precision, and the machine.
        """
        return ", ".join(finding_key(way.provider, way.options, way.precision) for way in self._plan.ways)

    def begin_anew(self) -> None:
        """Forgets the session in the child of a fork, which lacks its threads; it is created again from the file."""
        self._lock = threading.Lock()
        session, self._session = self._session, None
        if session is not None:
            self._forked_from = tuple(name for name in session.providers if not survives_fork(name))

    def require_usable(self) -> None:
        """Lets a graph pass that can be run in this process.

        Raises:
            SessionForkedError: The process was forked while the graph was in a device's memory.
        """
        if self._forked_from:
            reason = f"the {spoken(self.role)} cannot be run: the parent has it on {', '.join(self._forked_from)}"
            remedy = (
                "Open a session in each process, and start processes that use a device with "
                'multiprocessing.get_context("spawn").'
            )
            raise SessionForkedError(reason=reason, remedy=remedy)

    def load(self) -> ort.InferenceSession:
        """Creates the session unless it is there.

        Raises:
            SessionForkedError: The process was forked while the graph was in a device's memory.
            ModelFileDamagedError: ONNX Runtime cannot load the file.
            ProviderError: A provider asked for by name did not become active.
            SessionClosedError: `close` was called before.
        """
        return self._loaded().session

    def _loaded(self) -> GraphSession:
        with self._lock:
            if self._closed:
                raise SessionClosedError
            self.require_usable()
            if self._session is None:
                self._session = create(self.graph, self.role, self._plan, self._settings)
                self._precision = self._session.precision
            return self._session

    def run(
        self,
        outputs: Sequence[str],
        feeds: Mapping[str, NDArray[np.generic]],
        *,
        cancel: threading.Event | None = None,
    ) -> list[NDArray[Any]]:
        """Runs the graph once.

        Args:
            outputs: Names of the outputs to compute, in the order wanted.
            feeds: Inputs by name; names that the graph does not have are left out.
            cancel: Setting this event from another thread stops the run between two nodes of the graph.
                OpenVINO runs a graph as one node: there the run ends before the call does.

        Returns:
            One array per name in `outputs`.

        Raises:
            CancelledError: `cancel` was set.
            ModelAnswerError: ONNX Runtime stopped with an error, or an output is no tensor.
            ProviderError: A provider that was asked for by name failed.

        Warns:
            ProviderWarning: A provider that "auto" had taken failed. From then on the graph runs on CPU.
        """
        known = {name: array for name, array in feeds.items() if name in self.graph.inputs}
        self.runs += 1
        while True:
            session = self._loaded()
            try:
                answers = self._answers(session, outputs, known, cancel)
                break
            except (CancelledError, MemoryError):
                raise
            except Exception as error:
                if session.providers[0] == CPU:
                    raise self._no_answer(outputs, f"onnxruntime stopped: {str(error).strip()}") from error
                self._give_up(session, error)
        if not _are_arrays(answers):
            kinds = ", ".join(type(answer).__name__ for answer in answers)
            raise self._no_answer(outputs, f"the answers are of the kinds {kinds}")
        return answers

    def _give_up(self, failed: GraphSession, error: Exception) -> None:
        """Puts the plain way in the place of a provider that failed while it ran.

        Raises:
            ProviderError: The provider was asked for by name.
        """
        name, why = failed.providers[0], str(error).strip()
        if not self._plan.auto:
            reason = f"the {spoken(self.role)} stopped with: {why}"
            raise provider_error([name], name, reason, failed.providers, fault="failed while it ran") from error
        with self._lock:
            if self._session is not None and self._session is not failed:  # another thread was first
                return
            warnings.warn(
                f"The {spoken(self.role)} goes on on cpu. {short_name(name)} failed while it ran: {why}",
                ProviderWarning,
                stacklevel=3,
            )
            self._plan = Plan((PLAIN,), auto=True)
            self._precision = PLAIN.precision
            self._session = None

    def _no_answer(self, outputs: Sequence[str], why: str) -> ModelAnswerError:
        return ModelAnswerError(
            self.graph.path,
            output=", ".join(outputs),
            expected="a tensor",
            got=f"nothing, because {why}",
            remedy="The graph does not fit what it is fed, or the provider does not suit it: try provider='cpu'; if "
            "that is the same, get the file again or export it anew.",
        )

    def _answers(
        self,
        session: GraphSession,
        outputs: Sequence[str],
        feeds: Mapping[str, NDArray[np.generic]],
        cancel: threading.Event | None,
    ) -> list[object]:
        options = ort.RunOptions()
        if session.providers[0] == CPU:
            shrink_after(self.role, options)
        if cancel is None:
            return session.run(outputs, feeds, options)
        if cancel.is_set():
            raise CancelledError(f"the {spoken(self.role)}")
        finished = threading.Event()

        def watch() -> None:
            with contextlib.suppress(CancelledError):  # the run was over first
                wait_or_cancel(cancel.wait, finished, doing="the wait for a cancellation")
                options.terminate = True

        watcher = threading.Thread(target=watch, name="sam3-onnx-cancel", daemon=True)
        watcher.start()
        try:
            answers = session.run(outputs, feeds, options)
        except Exception as error:
            if options.terminate:
                raise CancelledError(f"the {spoken(self.role)}") from error
            raise
        finally:
            finished.set()
            watcher.join()
        if options.terminate:  # a provider that runs the whole graph as one step does not notice
            raise CancelledError(f"the {spoken(self.role)}")
        return answers

    def release(self) -> None:
        """Unloads the weights until the graph is run again.

        Any thread may call it at any time. A run that is going on keeps the weights until it is over.
        """
        with self._lock:
            self._session = None
        give_back()

    def close(self) -> None:
        """Unloads the weights for good."""
        with self._lock:
            self._session = None
            self._closed = True
        give_back()


def _are_arrays(answers: list[object]) -> TypeGuard[list[NDArray[Any]]]:
    return all(isinstance(answer, np.ndarray) for answer in answers)
