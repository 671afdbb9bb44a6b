"""Folding of a 1x1 convolution into the convolution before it.

Two consecutive linear operations are one linear operation: the weights of a 1x1 convolution, a matrix, are multiplied
with those of the convolution or transposed convolution whose output it reads; biases likewise. The neck of SAM 3's
image encoder has two or three such pairs, and two more with clicks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from sam3_onnx.optimize.graphs import Weights, attribute, drop_unused, reads_of, replace_nodes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["fold_pointwise"]

_IMAGE = 4  # rank of the weights of a convolution over height and width
_ONES: tuple[list[int] | None, ...] = (None, [1, 1])
_ZEROS: tuple[list[int] | None, ...] = (None, [0, 0, 0, 0])


@dataclass(frozen=True)
class _Pair:
    """A convolution and a 1x1 convolution that is the only reader of its output."""

    first: onnx.NodeProto
    pointwise: onnx.NodeProto

    @property
    def transposed(self) -> bool:
        """Whether the first one is a transposed convolution, whose weights have the shape (in, out, height, width)."""
        return bool(self.first.op_type == "ConvTranspose")


def fold_pointwise(model: onnx.ModelProto, folder: Path) -> int:
    """Folds 1x1 convolutions into their predecessors, in place, if this saves multiplications.

    The same sums are computed in another order: outputs differ by the rounding of float32 (about 1e-6 of their range).

    Args:
        model: Model from `load_graph`.
        folder: Folder of its external data.

    Returns:
        Number of 1x1 convolutions that were folded.
    """
    count = 0
    while (pair := _next_pair(model, Weights(model, folder))) is not None:
        _fold(model, pair, Weights(model, folder))
        count += 1
    return count


def _next_pair(model: onnx.ModelProto, weights: Weights) -> _Pair | None:
    makers = {name: node for node in model.graph.node for name in node.output}
    readers = Counter(name for node in model.graph.node for name in reads_of(node))
    readers.update(output.name for output in model.graph.output)
    for node in model.graph.node:
        first = makers.get(node.input[0]) if node.op_type == "Conv" else None
        if first is None or first.op_type not in {"Conv", "ConvTranspose"} or readers[node.input[0]] != 1:
            continue
        pair = _Pair(first, node)
        if _is_pointwise(node, weights) and _is_constant(first, weights) and _saves(pair, weights):
            return pair
    return None


def _is_constant(node: onnx.NodeProto, weights: Weights) -> bool:
    """Returns whether a convolution over height and width has one group and only float32 constants."""
    shape = weights.shape(node.input[1])
    return (
        shape is not None
        and len(shape) == _IMAGE
        and attribute(node, "group") in {None, 1}
        and all(weights.dtype(name) == TensorProto.FLOAT for name in node.input[1:] if name)
    )


def _is_pointwise(node: onnx.NodeProto, weights: Weights) -> bool:
    """Returns whether a convolution computes each pixel from the same pixel: kernel 1x1, stride 1, no padding."""
    return (
        _is_constant(node, weights)
        and (weights.shape(node.input[1]) or ())[2:] == (1, 1)
        and attribute(node, "strides") in _ONES
        and attribute(node, "pads") in _ZEROS
    )


def _saves(pair: _Pair, weights: Weights) -> bool:
    """Returns whether one convolution needs no more multiplications per output pixel than two."""
    shape = weights.shape(pair.first.input[1]) or ()
    out = (weights.shape(pair.pointwise.input[1]) or ())[0]
    between, into = (shape[1], shape[0]) if pair.transposed else shape[:2]
    taps = prod(shape[2:])
    if pair.transposed:
        strides = attribute(pair.first, "strides")
        taps //= prod(strides) if isinstance(strides, list) else 1
    return taps * into * out <= taps * into * between + between * out


def _fold(model: onnx.ModelProto, pair: _Pair, weights: Weights) -> None:
    matrix = weights.array(pair.pointwise.input[1])[:, :, 0, 0].astype(np.float64)
    kernel = weights.array(pair.first.input[1]).astype(np.float64)
    folded = np.einsum("ob,ibhw->iohw" if pair.transposed else "ob,bihw->oihw", matrix, kernel)
    answer = pair.pointwise.output[0]
    constants = {f"{answer}.weight": folded}
    before, behind = _bias(pair.first, weights), _bias(pair.pointwise, weights)
    if before is not None or behind is not None:
        moved = 0.0 if before is None else matrix @ before
        constants[f"{answer}.bias"] = moved + (np.zeros(len(matrix)) if behind is None else behind)
    for name, values in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
    one = onnx.NodeProto.FromString(pair.first.SerializeToString())
    one.output[0] = answer
    del one.input[1:]
    one.input.extend(constants)
    replaced = {pair.first.output[0]: [one], answer: []}
    replace_nodes(model, [each for node in model.graph.node for each in replaced.get(node.output[0], [node])])
    drop_unused(model)


def _bias(node: onnx.NodeProto, weights: Weights) -> NDArray[np.float64] | None:
    given = node.input[2:3]
    return weights.array(given[0]).astype(np.float64) if given and given[0] else None
