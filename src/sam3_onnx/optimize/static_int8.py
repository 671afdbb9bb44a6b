"""Quantisation of linear layers to 8 bits with fixed ranges from a calibration.

Weights are quantised as in `int8`. The inputs of a layer are quantised to 256 levels between the smallest and the
largest number in the calibration. The graph has the standard QDQ form of ONNX, QuantizeLinear and DequantizeLinear
around float products, which ONNX Runtime and OpenVINO convert to products of integers.

The quantiser of ONNX Runtime is not used: it does not know that the output of `MultiHeadAttention` is float32, so that
the input of the next layer is not quantised, and it keeps a model and copies of it in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from onnx import helper, numpy_helper

from sam3_onnx.optimize.graphs import Weights, drop_unused, replace_nodes, shapes_of
from sam3_onnx.optimize.int8 import linear_layers, rounded_weights
from sam3_onnx.optimize.probing import extremes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

    import onnx
    from numpy.typing import NDArray

__all__ = ["to_static_int8"]

_MOST = 255
_FLAT = 2  # rank of a value that a bias as (1, 1, N) would give another rank


@dataclass(frozen=True)
class _Levels:
    """Scale and offset for the quantisation of a value to levels 0..255."""

    scale: np.float32
    zero: np.uint8

    @classmethod
    def over(cls, lowest: float, largest: float) -> _Levels:
        """Returns the levels of a range, which is widened so that 0 is a level."""
        low, high = min(lowest, 0.0), max(largest, 0.0)
        scale = max((high - low) / _MOST, float(np.finfo(np.float32).tiny))
        return cls(np.float32(scale), np.uint8(round(-low / scale)))


def to_static_int8(
    model: onnx.ModelProto, folder: Path, feeds: Iterable[Mapping[str, NDArray[np.generic]]]
) -> tuple[int, int]:
    """Quantises the linear layers of a graph, in place.

    Args:
        model: Model from `load_graph`.
        folder: Folder of its external data.
        feeds: Inputs of the graph for each picture of the calibration, at least one.

    Returns:
        Number of quantised layers, and number of all linear layers that are large enough. A layer whose output is a
        matrix is not quantised, and neither is one whose input has no finite range.
    """
    weights, shapes = Weights(model, folder), shapes_of(model)
    layers = list(linear_layers(model, weights))
    chosen = [each.node for each in layers if each.node.op_type == "MatMul" and len(shapes.get(each.name, ())) > _FLAT]
    ranges = extremes(model, folder, list(dict.fromkeys(node.input[0] for node in chosen)), feeds) if chosen else {}
    levels = {name: _Levels.over(*ends) for name, ends in ranges.items() if all(map(isfinite, ends))}
    chosen = [node for node in chosen if node.input[0] in levels]
    products = {node.output[0]: node for node in chosen}
    nodes: list[onnx.NodeProto] = []
    rounded: set[str] = set()
    for node in model.graph.node:
        if node.output[0] in products:
            source = node.input[0]
            nodes += [] if source in rounded else _rounding(source, levels[source], model.graph)
            nodes += _multiplying(node, weights, model.graph)
            rounded.add(source)
        else:
            nodes.append(_with_bias_in_rows(node, set(products), weights, model.graph))
    replace_nodes(model, nodes)
    drop_unused(model)
    return len(products), len(layers)


def _rounding(name: str, levels: _Levels, graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    graph.initializer.append(numpy_helper.from_array(np.array(levels.scale), f"{name}.scale"))
    graph.initializer.append(numpy_helper.from_array(np.array(levels.zero), f"{name}.zero"))
    return [helper.make_node("QuantizeLinear", [name, f"{name}.scale", f"{name}.zero"], [f"{name}.levels"])]


def _multiplying(node: onnx.NodeProto, weights: Weights, graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Returns a product of dequantised values, each with its own DequantizeLinear, which ONNX Runtime fuses."""
    source, matrix = node.input
    name = node.output[0]
    values, scales = rounded_weights(weights.array(matrix))
    constants: dict[str, NDArray[Any]] = {
        "levels": values,
        "scale": scales,
        "zero": np.zeros(len(scales), np.int8),
    }
    for each, array in constants.items():
        graph.initializer.append(numpy_helper.from_array(array, f"{name}.weight.{each}"))
    taken = [f"{source}.{each}" for each in ("levels", "scale", "zero")]
    return [
        helper.make_node("DequantizeLinear", taken, [f"{name}.taken"]),
        helper.make_node(
            "DequantizeLinear", [f"{name}.weight.{each}" for each in constants], [f"{name}.weight"], axis=1
        ),
        helper.make_node("MatMul", [f"{name}.taken", f"{name}.weight"], [name]),
    ]


def _with_bias_in_rows(
    node: onnx.NodeProto, products: set[str], weights: Weights, graph: onnx.GraphProto
) -> onnx.NodeProto:
    """Returns the sum of a product with a bias of shape (N,), with the bias reshaped to (1, 1, N).

    ONNX Runtime would fuse a product and a bias of shape (N,) to one product in float32 before it looks for quantised
    products.
    """
    places = [place for place, name in enumerate(node.input) if len(weights.shape(name) or ()) == 1]
    if node.op_type != "Add" or not places or not products & set(node.input):
        return node
    (place,) = places
    row = f"{node.output[0]}.bias"
    graph.initializer.append(numpy_helper.from_array(weights.array(node.input[place])[None, None], row))
    inputs = [row if index == place else name for index, name in enumerate(node.input)]
    return helper.make_node("Add", inputs, node.output)
