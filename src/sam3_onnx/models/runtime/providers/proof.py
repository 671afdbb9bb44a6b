"""The proof that a provider answers as the CPU does, on this machine, with the precisions that will run.

It runs the miniature that ships with the package on drawn pictures. A proof that was passed is remembered in the
cache folder; one that was not is repeated, because a driver may have been mended.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sam3_onnx._support.forking import ForkSafeLock
from sam3_onnx.models.runtime.devices.arrays import DeviceArray, on_host
from sam3_onnx.models.runtime.graphs.fingerprint import Fingerprint
from sam3_onnx.models.runtime.opening import GraphSession, Refusal, open_on
from sam3_onnx.models.runtime.providers.findings import finding_key, recall, remember
from sam3_onnx.models.runtime.providers.miniature import miniature_graphs, trials
from sam3_onnx.models.runtime.providers.roles import HOLD_WHEN_COARSE
from sam3_onnx.models.runtime.providers.ways import PLAIN, way_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.devices.arrays import AnyArray
    from sam3_onnx.models.runtime.providers.names import Wanted
    from sam3_onnx.models.runtime.providers.ways import Way
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = ["COARSE_PARTS", "EXACT", "HELD", "Changes", "Limits", "Proof", "changes", "limits_of", "prove", "proven"]


@dataclass(frozen=True)
class Changes:
    """How far answers are from those of the plain way."""

    largest: float
    """Of scores (0..1), and of what is found also of boxes (fractions of the picture) and 1 - mask IoU."""
    mean: float
    """Of the largest change of a score in each question."""
    crossings: float
    """Scores that are on the other side of 0.5: what appears or disappears."""


@dataclass(frozen=True)
class Limits:
    """How large changes may be."""

    largest: float
    mean: float
    crossings: float

    def broken_by(self, found: Changes) -> str:
        """Returns what of some changes is too much, in words; "" if nothing is."""
        if not found.largest <= self.largest:  # NaN is too much as well
            return f"its answers on the miniature are off by {found.largest:.3g}, and {self.largest} is allowed"
        if not found.mean <= self.mean:
            return f"its scores on the miniature are off by {found.mean:.3g} on average, and {self.mean} is allowed"
        if found.crossings > self.crossings:
            return f"{found.crossings:g} of its answers on the miniature appear or disappear"
        return ""


EXACT = Limits(0.02, 0.01, 0)
"""For float32. Sums in another order moved answers by 3e-6, TF32 has 10 bits where bfloat16 has 7, and one build of
OpenVINO that computes wrongly was off by 0.05."""
HELD = Limits(0.05, 0.01, 0)
"""For bfloat16 or float16 in the parts that hold in it: on 600 questions to the miniature scores moved by 0.003 on
average, 0.019 at the 99th percentile."""
COARSE_PARTS = Limits(0.5, 0.15, np.inf)
"""For parts that do not hold in it, which only a caller who names them gets: there scores moved by up to 0.45, by 0.1
on average. What is beyond that is computed wrongly."""
_THRESHOLD = 0.5
_ANSWERS = frozenset({"logits", "presence", "boxes_xyxy", "masks"})
_NUMBERS = ("largest", "mean", "crossings", "seconds", "cpu_seconds")
_Arrays: TypeAlias = "dict[str, NDArray[np.generic]]"
_proofs: dict[str, Proof] = {}
_lock = ForkSafeLock()


@dataclass(frozen=True)
class Proof:
    """How a provider did on the miniature."""

    provider: str
    changes: Changes
    """Infinity where there was no answer."""
    limits: Limits
    seconds: float
    """Of one run of the image encoder, after a first one."""
    cpu_seconds: float
    """The same in the plain way."""
    failure: str = ""
    """Why the provider is not used; "" if it passed."""

    @property
    def passed(self) -> bool:
        """Whether answers are those of CPU, within the limits of the precision."""
        return not self.failure


def limits_of(ways: Mapping[str, Way]) -> Limits:
    """Returns how far a provider may be from the plain way, by the precisions that it computes in.

    Args:
        ways: How each part is run, by its name.
    """
    coarse = {role for role, way in ways.items() if way.is_coarse}
    if not coarse:
        return EXACT
    return HELD if coarse <= HOLD_WHEN_COARSE else COARSE_PARTS


def proven(wanted: Wanted, settings: RuntimeSettings) -> Proof:
    """Returns the proof of a provider: of this process, or one that this machine has passed before, or a new one."""
    ways = _ways(wanted, settings)
    computed = ", ".join(f"{role} {way.precision}" for role, way in ways.items() if way != PLAIN)
    key = finding_key(*wanted, f"{computed} of miniature {Fingerprint(miniature_graphs().values())}")
    with _lock:
        if key not in _proofs:
            numbers = recall(key, _NUMBERS)
            if numbers is None:
                proof = _proofs[key] = prove(wanted, settings)
                if proof.passed:
                    seconds = {"seconds": proof.seconds, "cpu_seconds": proof.cpu_seconds}
                    remember(key, {**asdict(proof.changes), **seconds})
            else:
                found = Changes(numbers["largest"], numbers["mean"], numbers["crossings"])
                _proofs[key] = Proof(wanted[0], found, limits_of(ways), numbers["seconds"], numbers["cpu_seconds"])
        return _proofs[key]


def prove(wanted: Wanted, settings: RuntimeSettings) -> Proof:
    """Runs the miniature on a provider and in the plain way, and compares.

    A part that the provider refuses is run in the plain way, as it would be in a session. A coarse type can hide that
    a provider computes wrongly, so float32 is tried before it.
    """
    provider, options = wanted
    ways = _ways(wanted, settings)
    limits = limits_of(ways)
    if limits is not EXACT and not options:  # options of the caller's own may name the precision
        exact = prove(wanted, replace(settings, precision="float32"))
        if not exact.passed:
            return exact
    none = Changes(np.inf, np.inf, np.inf)
    try:
        answers, seconds, refusals = _answers(ways, settings)
    except Exception as error:  # noqa: BLE001 - a provider that breaks while it runs is what is looked for
        return Proof(provider, none, limits, 0.0, 0.0, f"it fails on the miniature: {error}")
    truths, cpu_seconds, _ = _answers(dict.fromkeys(ways, PLAIN), settings)
    if refusals and len(refusals) == sum(way != PLAIN for way in ways.values()):
        return Proof(provider, none, limits, 0.0, cpu_seconds, f"it does not start: {refusals[0]}")
    found = changes(answers, truths)
    failure = limits.broken_by(found)
    if failure and limits is not EXACT:
        coarse = ", ".join(f"{role} in {way.precision}" for role, way in ways.items() if way.is_coarse)
        failure = f'{failure}, with {coarse}; precision="float32" is exact'
    return Proof(provider, found, limits, seconds, cpu_seconds, failure)


def changes(
    answers: Sequence[Mapping[str, NDArray[np.generic]]], truths: Sequence[Mapping[str, NDArray[np.generic]]]
) -> Changes:
    """Returns how far answers are from the true ones.

    Args:
        answers: For each trial `logits` (N, Q), `presence` (N, 1), `boxes_xyxy` (N, Q, 4) in 0..1, and `masks`
            (N, Q, H, W) as logits, from a provider.
        truths: The same in the plain way.
    """
    moved, others, crossings = [], [0.0], 0
    for answer, truth in zip(answers, truths, strict=True):
        scores, true_scores = _scores(answer), _scores(truth)
        moved.append(np.max(np.abs(scores - true_scores), axis=1))
        found = true_scores > _THRESHOLD
        crossings += int(np.sum((scores > _THRESHOLD) != found))
        if found.any():
            boxes = np.abs(answer["boxes_xyxy"].astype(np.float64) - truth["boxes_xyxy"].astype(np.float64))[found]
            masks, true_masks = (one["masks"].astype(np.float64)[found] > 0 for one in (answer, truth))
            union = (masks | true_masks).sum((1, 2))
            overlap = (masks & true_masks).sum((1, 2)) / np.maximum(union, 1)
            others += [float(np.max(boxes)), float(1 - np.min(overlap))]
    by_question = np.concatenate(moved)
    largest = float(np.max([np.max(by_question), *others]))
    return Changes(largest, float(np.mean(by_question)), float(crossings))


def _scores(answer: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    logits, presence = (answer[name].astype(np.float64) for name in ("logits", "presence"))
    return np.asarray(1 / (1 + np.exp(-logits)) / (1 + np.exp(-presence)), np.float64)


def _ways(wanted: Wanted, settings: RuntimeSettings) -> dict[str, Way]:
    """How each part of the miniature is run where a provider is wanted."""
    graphs = miniature_graphs()
    return {role: way_of(wanted, settings.precision, role=role, graph=graph) for role, graph in graphs.items()}


def _answers(ways: Mapping[str, Way], settings: RuntimeSettings) -> tuple[list[_Arrays], float, list[str]]:
    """The answers to all trials, seconds of one run of the image encoder, and why parts were refused."""
    refusals: list[str] = []
    opened = {role: _opened(role, way, settings, refusals) for role, way in ways.items()}
    asked = trials()
    answers = [_answer(opened, trial.feeds()) for trial in asked]
    image = {name: asked[0].feeds()[name] for name in miniature_graphs()["image_encoder"].inputs}
    began = time.perf_counter()
    opened["image_encoder"].run(list(miniature_graphs()["image_encoder"].outputs), image)
    return answers, time.perf_counter() - began, refusals


def _opened(role: str, way: Way, settings: RuntimeSettings, refusals: list[str]) -> GraphSession:
    graph = miniature_graphs()[role]
    opened = open_on(graph, [way], threads=settings.run_threads)
    if isinstance(opened, Refusal) and way != PLAIN:
        refusals.append(opened.reason)
        opened = open_on(graph, [PLAIN], threads=settings.run_threads)
    if not isinstance(opened, GraphSession):
        raise RuntimeError(opened.reason)  # noqa: TRY004 - CPU refuses its own miniature; that is no matter of types
    return opened


def _answer(opened: Mapping[str, GraphSession], feeds: Mapping[str, NDArray[np.generic]]) -> _Arrays:
    """Runs the parts one after the other: each when all that it takes is there, in the memory where it was left."""
    held: dict[str, AnyArray] = dict(feeds)
    waiting = dict(miniature_graphs())
    while ready := [role for role, graph in waiting.items() if set(graph.inputs) <= set(held)]:
        for role in ready:
            graph = waiting.pop(role)
            outputs = list(graph.outputs)
            arrays = opened[role].run(outputs, {name: held[name] for name in graph.inputs}, stay=True)
            held |= {
                name: array if isinstance(array, DeviceArray) else np.asarray(array)
                for name, array in zip(outputs, arrays, strict=True)
            }
    return {name: on_host(held[name]) for name in _ANSWERS}
