"""The proof that a provider answers as the CPU does, on this machine.

It runs the miniature that ships with the package on a drawn picture. A proof that was passed is
remembered in the cache folder; one that was not is repeated, because a driver may have been mended.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sam3_onnx._support.forking import ForkSafeLock
from sam3_onnx.models.runtime.opening import GraphSession, Refusal, open_on
from sam3_onnx.models.runtime.providers.findings import NUMBERS, finding_key, recall, remember
from sam3_onnx.models.runtime.providers.miniature import miniature_graph
from sam3_onnx.models.runtime.providers.names import CPU

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.providers.names import Wanted
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = ["TOLERANCES", "Proof", "drawn_picture", "prove", "proven", "worst_difference"]

TOLERANCES = {"auto": 0.02, "float32": 0.02, "bfloat16": 0.15, "float16": 0.15}
"""Largest allowed difference from CPU, of scores (0..1), boxes (fractions of the picture) and 1 - mask IoU."""
# float32 in another order of sums moved them by 3e-6, bfloat16 by 0.09 (a score that is neither high nor low), and
# one build of OpenVINO that computes wrongly in float32 by 0.05. TF32 and float16 have 10 bits where bfloat16 has 7,
# so they lie between. Asking for a coarse type by name is asking for its differences too.

_BLUE_SQUARE = (49406, 1746, 3999, 49407)
"""CLIP's tokens of "blue square", with start and end."""
_QUESTIONS = [
    (np.zeros((1, 4), np.float32), np.array([-10])),
    (np.array([[0.74, 0.71, 0.31, 0.27], [0.31, 0.36, 0.31, 0.31]], np.float32), np.array([1, 0])),
]
"""No box (an empty slot is labelled -10); the square's and, as a negative one, the disc's: cxcywh, of the picture.

They are of different lengths, as providers have been seen to answer for the shapes that they met first."""
_OUTPUTS = {
    "image_encoder": ["fpn_0", "fpn_1", "fpn_2"],
    "text_encoder": ["text_features", "text_mask"],
    "decoder": ["logits", "presence", "boxes_xyxy", "masks"],
}
_Arrays: TypeAlias = "dict[str, NDArray[np.generic]]"
_proofs: dict[str, Proof] = {}
_lock = ForkSafeLock()


@dataclass(frozen=True)
class Proof:
    """How a provider did on the miniature."""

    provider: str
    difference: float
    """The largest of those that TOLERANCES bound; infinity if there was no answer."""
    seconds: float
    """Of one run of the image encoder, after a first one."""
    cpu_seconds: float
    """The same on CPU."""
    failure: str = ""
    """Why the provider is not used; "" if it passed."""

    @property
    def passed(self) -> bool:
        """Whether answers are those of CPU, within the tolerance of the precision."""
        return not self.failure


def proven(wanted: Wanted, settings: RuntimeSettings) -> Proof:
    """The proof of a provider: the one of this process, or one that this machine has passed before, or a new one."""
    key = finding_key(wanted, settings.precision)
    with _lock:
        if key not in _proofs:
            numbers = recall(key)
            if numbers is None:
                _proofs[key] = prove(wanted, settings)
                if _proofs[key].passed:
                    remember(key, {name: getattr(_proofs[key], name) for name in NUMBERS})
            else:
                _proofs[key] = Proof(wanted[0], numbers["difference"], numbers["seconds"], numbers["cpu_seconds"])
        return _proofs[key]


def prove(wanted: Wanted, settings: RuntimeSettings) -> Proof:
    """Runs the miniature on a provider and on CPU, and compares.

    A graph that the provider refuses is run on CPU, as it would be in a session. A coarse type can hide
    that a provider computes wrongly, so float32 is tried before it.
    """
    if settings.precision in {"bfloat16", "float16"}:
        exact = prove(wanted, replace(settings, precision="float32"))
        if not exact.passed:
            return exact
    try:
        answers, seconds, refusals = _answers(wanted, settings)
    except Exception as error:  # noqa: BLE001 - a provider that breaks while it runs is what is looked for
        return Proof(wanted[0], float("inf"), 0.0, 0.0, f"it fails on the miniature: {error}")
    truths, cpu_seconds, _ = _answers((CPU, {}), settings)
    if len(refusals) == len(_OUTPUTS):
        return Proof(wanted[0], float("inf"), 0.0, cpu_seconds, f"it does not start: {refusals[0]}")
    difference = float(np.max([worst_difference(*pair) for pair in zip(answers, truths, strict=True)]))
    failure = ""
    allowed = TOLERANCES[settings.precision]
    if not difference <= allowed:  # NaN is none either
        failure = f"its answers on the miniature are off by {difference:.3g}, and {allowed} is allowed"
    return Proof(wanted[0], difference, seconds, cpu_seconds, failure)


def worst_difference(answer: Mapping[str, NDArray[np.generic]], truth: Mapping[str, NDArray[np.generic]]) -> float:
    """The largest difference of scores, and of boxes and masks of what is truly found.

    Args:
        answer: `logits` (1, Q), `presence` (1, 1), `boxes_xyxy` (1, Q, 4) in 0..1, and `masks`
            (1, Q, H, W) as logits, from a provider.
        truth: The same from CPU, with something found in it.
    """
    scores, true_scores = _scores(answer), _scores(truth)
    found = true_scores > 0.5  # noqa: PLR2004 - what counts as found by default
    boxes = np.abs(answer["boxes_xyxy"].astype(np.float64) - truth["boxes_xyxy"].astype(np.float64))[found]
    masks, true_masks = (one["masks"].astype(np.float64)[found] > 0 for one in (answer, truth))
    union = (masks | true_masks).sum((1, 2))
    overlap = (masks & true_masks).sum((1, 2)) / np.maximum(union, 1)
    return float(np.max([np.max(np.abs(scores - true_scores)), np.max(boxes), 1 - np.min(overlap)]))


def _scores(answer: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    logits, presence = (answer[name].astype(np.float64) for name in ("logits", "presence"))
    return np.asarray(1 / (1 + np.exp(-logits)) / (1 + np.exp(-presence)), np.float64)


def _answers(wanted: Wanted, settings: RuntimeSettings) -> tuple[list[_Arrays], float, list[str]]:
    """The decoder's answers, seconds of one run of the image encoder, and why graphs were refused."""
    refusals: list[str] = []
    image, text, decoder = (_opened(role, wanted, settings, refusals) for role in _OUTPUTS)
    tokens = np.zeros((1, 32), np.int64)
    tokens[0, : len(_BLUE_SQUARE)] = _BLUE_SQUARE
    features = _run(image, "image_encoder", {"image": drawn_picture()})
    began = time.perf_counter()
    _run(image, "image_encoder", {"image": drawn_picture()})
    seconds = time.perf_counter() - began
    words = _run(text, "text_encoder", {"tokens": tokens})
    questions = [{"boxes": boxes[None], "box_labels": labels[None]} for boxes, labels in _QUESTIONS]
    answers = [_run(decoder, "decoder", {**features, **words, **question}) for question in questions]
    return answers, seconds, refusals


def _opened(role: str, wanted: Wanted, settings: RuntimeSettings, refusals: list[str]) -> GraphSession:
    opened = open_on(miniature_graph(role), [wanted], settings)
    if isinstance(opened, Refusal):
        refusals.append(opened.reason)
        opened = open_on(miniature_graph(role), [(CPU, {})], settings)
    if not isinstance(opened, GraphSession):
        raise RuntimeError(opened.reason)  # noqa: TRY004 - CPU refuses its own miniature; that is no matter of types
    return opened


def _run(opened: GraphSession, role: str, feeds: Mapping[str, NDArray[np.generic]]) -> _Arrays:
    names = _OUTPUTS[role]
    return {name: np.asarray(array) for name, array in zip(names, opened.run(names, feeds), strict=True)}


def drawn_picture() -> NDArray[np.uint8]:
    """Returns the picture of a proof: a red disc and a blue square on a graded background, (3, 224, 224) RGB."""
    y, x = np.mgrid[:224, :224]
    picture = np.stack([110 + x // 8, 120 + y // 8, np.full_like(x, 128)]).astype(np.uint8)
    picture[:, (x - 70) ** 2 + (y - 80) ** 2 < 35**2] = np.array([[200], [30], [30]], np.uint8)
    picture[:, 130:190, 130:200] = np.array([[[30]], [[60]], [[200]]], np.uint8)
    return picture
