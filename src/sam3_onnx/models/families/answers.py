"""Answers of graphs, held against what their family expects of them. Every family asks its graphs here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from sam3_onnx.errors import ModelAnswerError
from sam3_onnx.models.families.feeds import fitted

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Arrays
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = [
    "Expected",
    "Output",
    "Size",
    "ask",
    "bools",
    "fit",
    "floats",
    "require_boxes",
    "require_finite",
    "require_within",
    "taken_by",
]

Size: TypeAlias = "int | str"
"""A size that is known, or a letter for one that is not.

The same letter is the same size in all outputs of a run, and at least 1; "N*" may also be 0, and "?" is any size of at
least 1. The letters "h" and "w" are the rows and columns of masks.
"""
_WIDEST = 4
"""Bytes of the widest floats that are calculated with: float32."""
_ROUNDING = 1e-3
"""How far a share may lie beyond its limits: float16 has steps of 0.0005 below 1."""


@dataclass(frozen=True)
class Output:
    """An output of a graph, as errors name it."""

    graph: Path
    name: str


@dataclass(frozen=True)
class Expected:
    """Numbers and shape that an output has to have."""

    kind: Literal["floats", "bools"]
    shape: tuple[Size, ...]
    finite: bool = True
    """Whether NaN and infinity are refused in all of it; masks are looked at when it is known which are kept."""

    def sizes(self, answer: NDArray[Any], known: Mapping[str, int]) -> dict[str, int] | None:
        """Sizes that letters stand for once an answer is taken; None for an answer that does not fit."""
        if answer.dtype.kind != self.kind[0] or answer.ndim != len(self.shape):
            return None
        sizes = dict(known)
        for size, got in zip(self.shape, answer.shape, strict=True):
            least = 0 if isinstance(size, str) and size.endswith("*") else 1
            wanted = got if size == "?" else sizes.setdefault(size, got) if isinstance(size, str) else size
            if got != wanted or got < least:
                return None
        return sizes

    def spoken(self, known: Mapping[str, int]) -> str:
        """Kind and shape in words, with the sizes that are known."""
        sizes = ", ".join(str(known.get(size, size) if isinstance(size, str) else size) for size in self.shape)
        return f"{self.kind} of shape [{sizes}]"


def floats(*shape: Size, finite: bool = True) -> Expected:
    """Floating point numbers, of whatever precision."""
    return Expected("floats", shape, finite)


def bools(*shape: Size) -> Expected:
    """True and False."""
    return Expected("bools", shape)


def fit(arrays: Arrays, expected: Mapping[str, Expected], *, sizes: Mapping[str, int] | None = None) -> bool:
    """Returns whether arrays that were read from a file can be answers of a graph: names, kinds and shapes."""
    if arrays.keys() != expected.keys():
        return False
    known: dict[str, int] | None = dict(sizes or {})
    for name, wanted in expected.items():
        known = None if known is None else wanted.sizes(arrays[name], known)
    return known is not None


def taken_by(graph: GraphInfo, name: str, expected: Expected) -> Expected:
    """Fills in the sizes that the input of another graph, which takes the answer, has fixed."""
    declared = graph.inputs[name].shape
    if len(declared) != len(expected.shape):
        return expected
    sizes = (
        fixed if isinstance(size, str) and fixed is not None else size
        for size, fixed in zip(expected.shape, declared, strict=True)
    )
    return replace(expected, shape=tuple(sizes))


def ask(
    model: OnnxModel,
    expected: Mapping[str, Expected],
    feeds: Arrays,
    *,
    cancel: threading.Event | None,
    sizes: Mapping[str, int] | None = None,
    cells: tuple[int, int] | None = None,
) -> list[NDArray[Any]]:
    """Runs a graph once, and refuses answers that are not what the family expects.

    Args:
        model: The graph.
        expected: The outputs to compute, by name, in the order wanted.
        feeds: Inputs by name; they become the element types that the graph declares.
        cancel: Setting it stops the run.
        sizes: Sizes that letters stand for, as far as they are known before.
        cells: (rows, columns) of the finest features; masks have as many, or more in the same proportions.

    Returns:
        One array per output.

    Raises:
        ModelAnswerError: The run failed, or an answer has another element type or shape, or NaN or infinity in it.
        CancelledError: `cancel` was set.
    """
    answers = model.run(tuple(expected), fitted(model.graph, feeds), cancel=cancel)
    known = dict(sizes or {})
    for place, (name, wanted) in enumerate(expected.items()):
        output, answer = Output(model.graph.path, name), answers[place]
        bound = wanted.sizes(answer, known)
        if bound is None:
            raise _misfit(output, answer, wanted.spoken(known))
        if cells is not None and "h" in wanted.shape and not _as_fine(bound["h"], bound["w"], cells):
            needed = (
                f"{wanted.spoken(known)}, with {cells[0]} rows and {cells[1]} columns or finer in these proportions"
            )
            raise _misfit(output, answer, needed)
        if wanted.kind == "floats":
            with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
                answers[place] = answer = answer.astype(np.float32, copy=False) if answer.itemsize > _WIDEST else answer
            if wanted.finite:
                require_finite(output, answer)
        known = bound
    return answers


def require_finite(output: Output, values: NDArray[np.floating]) -> None:
    """Refuses NaN and infinity in a model's answer.

    Raises:
        ModelAnswerError: There is one.
    """
    wrong = int(np.size(values) - np.count_nonzero(np.isfinite(values)))
    if wrong:
        raise ModelAnswerError(
            output.graph,
            output=output.name,
            expected="finite numbers",
            got=f"{wrong} values that are NaN or infinite",
            remedy="The weights are damaged, or the provider or precision does not suit this graph: try "
            "provider='cpu'.",
        )


def require_within(output: Output, values: NDArray[np.floating], *, low: float = 0, high: float = 1) -> None:
    """Refuses numbers beyond limits, such as scores outside 0..1.

    Raises:
        ModelAnswerError: There is one, further out than rounding to float16 explains.
    """
    if values.size and not (values.min() >= low - _ROUNDING and values.max() <= high + _ROUNDING):
        expected, got = f"numbers in {low:g}..{high:g}", f"numbers from {values.min():.4g} to {values.max():.4g}"
        raise ModelAnswerError(output.graph, output=output.name, expected=expected, got=got, remedy=_ANOTHER)


def require_boxes(output: Output, boxes: NDArray[np.floating], *, sides: float = 1) -> None:
    """Refuses boxes that reach further beyond the picture's edges than half its size.

    Models answer with a centre and a size that a sigmoid holds in 0..1, so that no corner lies outside -0.5..1.5.

    Args:
        output: Where the boxes come from.
        boxes: (..., 4) xyxy.
        sides: How long the picture's longer side is in the unit of the boxes; 1 for shares.

    Raises:
        ModelAnswerError: There is one.
    """
    require_within(output, boxes, low=-sides / 2, high=sides * 3 / 2)


_ANOTHER = (
    "The file is not the export that the names of its inputs and outputs promise, or a provider runs it wrongly: try "
    "provider='cpu'; if that is the same, get the file again or export it anew."
)


def _as_fine(rows: int, columns: int, cells: tuple[int, int]) -> bool:
    return rows >= cells[0] and rows * cells[1] == columns * cells[0]


def _misfit(output: Output, answer: NDArray[Any], expected: str) -> ModelAnswerError:
    got = f"{answer.dtype} of shape [{', '.join(map(str, answer.shape))}]"
    return ModelAnswerError(output.graph, output=output.name, expected=expected, got=got, remedy=_ANOTHER)
