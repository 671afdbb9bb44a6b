"""Quantisation of linear layers to 8 bits with dynamic ranges.

Weights are quantised once, each output channel with its own scale and without an offset. Inputs are quantised
during a run, with one scale and offset for each input (DynamicQuantizeLinear). All operators are standard ONNX
operators, which onnxruntime fuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sam3_onnx.optimize.graphs import Weights, attribute, drop_unused, needed_for, replace_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["LinearLayer", "linear_layers", "rounded_weights", "to_int8"]

_SMALLEST = 16
"""Least number of input and output channels of a quantised matrix, because smaller ones do not get faster. Heads
that compute a score, a presence or the four edges of a box are smaller and are not quantised."""
_LEVELS = 127


@dataclass(frozen=True)
class LinearLayer:
    """A linear layer of a graph."""

    node: onnx.NodeProto
    """A MatMul or Gemm node with a constant second input."""
    transposed: bool
    """Whether the weights have the shape (channels out, channels in)."""

    @property
    def name(self) -> str:
        """Name of the output, which is unique in a graph; names of nodes may not be unique."""
        name: str = self.node.output[0]
        return name


def linear_layers(model: onnx.ModelProto, weights: Weights) -> Iterator[LinearLayer]:
    """Yields the linear layers of a graph that are large enough to be quantised, in the order of the graph."""
    for node in model.graph.node:
        if node.op_type not in {"MatMul", "Gemm"} or weights.shape(node.input[0]) is not None:
            continue
        shape = weights.shape(node.input[1])
        if shape is None or len(shape) != 2 or min(shape) < _SMALLEST:  # noqa: PLR2004 - a matrix
            continue
        if weights.dtype(node.input[1]) != TensorProto.FLOAT:
            continue
        plain = all(attribute(node, name) in {None, 1.0} for name in ("alpha", "beta")) and not attribute(
            node, "transA"
        )
        if plain:
            yield LinearLayer(node, transposed=bool(attribute(node, "transB")))


def to_int8(model: onnx.ModelProto, folder: Path) -> tuple[int, int]:
    """Quantises the linear layers of a graph, except those of its heads, in place.

    Args:
        model: Model from `load_graph`.
        folder: Folder of its external data.

    Returns:
        Number of quantised layers, and number of all linear layers that are large enough.
    """
    weights = Weights(model, folder)
    layers = list(linear_layers(model, weights))
    heads = _heads(model, layers)
    chosen = {layer.name: layer for layer in layers if layer.name not in heads}
    rounded: set[str] = set()
    nodes = []
    for node in model.graph.node:
        layer = chosen.get(node.output[0])
        if layer is None:
            nodes.append(node)
            continue
        nodes += _rounding(node.input[0], rounded)
        nodes += _multiplying(layer, layer.name, weights, model.graph.initializer)
    replace_nodes(model, nodes)
    drop_unused(model)
    return len(chosen), len(layers)


def _heads(model: onnx.ModelProto, layers: Sequence[LinearLayer]) -> set[str]:
    """Returns the layers that lead to only one output of the graph, if other layers lead to several.

    They compute scores, presence, boxes or masks. No later layer compensates for their rounding errors, and they
    are small.
    """
    leads: dict[str, set[str]] = {layer.name: set() for layer in layers}
    for output in model.graph.output:
        for name in needed_for(model, {output.name}):
            if name in leads:
                leads[name].add(output.name)
    return {name for name, ends in leads.items() if len(ends) == 1 < max(map(len, leads.values()))}


def _rounding(name: str, rounded: set[str]) -> list[onnx.NodeProto]:
    """Returns the nodes that quantise an input; it is quantised only once for all layers that read it."""
    if name in rounded:
        return []
    rounded.add(name)
    outputs = [f"{name}.{what}" for what in ("levels", "scale", "zero")]
    return [helper.make_node("DynamicQuantizeLinear", [name], outputs)]


def _multiplying(
    layer: LinearLayer, output: str, weights: Weights, initializers: list[TensorProto]
) -> list[onnx.NodeProto]:
    """Returns the nodes that compute a layer from its quantised input."""
    source, matrix = layer.node.input[0], layer.node.input[1]
    stored = {tensor.name for tensor in initializers}
    levels, scale = f"{matrix}.{'t' * layer.transposed}levels", f"{matrix}.{'t' * layer.transposed}scale"
    if levels not in stored:
        values = weights.array(matrix)
        rounded, scales = rounded_weights(values.T if layer.transposed else values)
        initializers.extend([numpy_helper.from_array(rounded, levels), numpy_helper.from_array(scales, scale)])
    bias = layer.node.input[2] if len(layer.node.input) > 2 else ""  # noqa: PLR2004 - Gemm's third input
    product = f"{output}.product" if bias else output
    nodes = [
        helper.make_node("MatMulInteger", [f"{source}.levels", levels, f"{source}.zero"], [f"{output}.integer"]),
        helper.make_node("Cast", [f"{output}.integer"], [f"{output}.float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{source}.scale", scale], [f"{output}.scale"]),
        helper.make_node("Mul", [f"{output}.float", f"{output}.scale"], [product]),
    ]
    return nodes + ([helper.make_node("Add", [product, bias], [output])] if bias else [])


def rounded_weights(values: NDArray[np.generic]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantises weights (K, N) to levels -127..127, and returns them with the scale of each of the N channels."""
    exact = np.asarray(values, np.float32)
    scales = np.maximum(np.abs(exact).max(0) / _LEVELS, np.finfo(np.float32).tiny).astype(np.float32)
    return np.rint(exact / scales).astype(np.int8), scales
