"""Layers that multiply matrices in 8 bits, with the range of what flows in fixed beforehand.

Weights are rounded as in `int8`. What flows into a layer is rounded to one of 256 levels between the smallest and the
largest number that calibration saw there. The graph says so in ONNX's own way: QuantizeLinear and DequantizeLinear
around float products (QDQ), which ONNX Runtime and OpenVINO make products of integers.

ONNX Runtime's own quantiser is not used: of `MultiHeadAttention` it does not know that it answers in float32, so that
the layer behind it stays without a rounded input, and it holds a model and its copies in memory.
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
    """How the numbers of a value become levels 0..255."""

    scale: np.float32
    zero: np.uint8

    @classmethod
    def over(cls, lowest: float, largest: float) -> _Levels:
        """Levels of a range, widened so that 0 is one of them."""
        low, high = min(lowest, 0.0), max(largest, 0.0)
        scale = max((high - low) / _MOST, float(np.finfo(np.float32).tiny))
        return cls(np.float32(scale), np.uint8(round(-low / scale)))


def to_static_int8(
    model: onnx.ModelProto, folder: Path, feeds: Iterable[Mapping[str, NDArray[np.generic]]]
) -> tuple[int, int]:
    """Rewrites the linear layers of a graph, in place.

    Args:
        model: As `load_graph` reads it.
        folder: Holds its external data.
        feeds: What the graph is fed for each picture that ranges are taken from, at least one.

    Returns:
        How many layers were rewritten, and how many linear layers of a worthwhile size there are. One that answers a
        matrix stays, and so does one whose input has no finite range.
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
    """A product of dequantised values, each with a DequantizeLinear of its own: ONNX Runtime replaces them together."""
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
    """A sum of a product with a bias of (N,), with the same bias as (1, 1, N).

    Of a product and a bias of (N,) ONNX Runtime makes one product in float32 before it looks for quantised ones.
    """
    places = [place for place, name in enumerate(node.input) if len(weights.shape(name) or ()) == 1]
    if node.op_type != "Add" or not places or not products & set(node.input):
        return node
    (place,) = places
    row = f"{node.output[0]}.bias"
    graph.initializer.append(numpy_helper.from_array(weights.array(node.input[place])[None, None], row))
    inputs = [row if index == place else name for index, name in enumerate(node.input)]
    return helper.make_node("Add", inputs, node.output)
