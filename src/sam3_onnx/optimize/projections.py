"""Splitting of a linear layer whose output is split immediately, into one layer for each part.

Queries, keys and values of attention are often computed by one matrix product, whose output is then split. Three
products give the same numbers without the copy of the split. In float32, the advantage of one large product is as large
as the cost of the copy; in 8 bits it is smaller.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sam3_onnx.optimize.graphs import Weights, attribute, drop_unused, reads_of, replace_nodes, shapes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["split_projections"]

_MATRIX = 2  # rank of a layer's weights


@dataclass(frozen=True)
class _Projection:
    """A matrix product, an optional bias, and the split of the output."""

    product: onnx.NodeProto
    """MatMul node of a computed value and a constant matrix."""
    bias: str
    """Name of a constant vector; "" without one."""
    split: onnx.NodeProto
    ends: tuple[int, ...]
    """End of each part, as an index of channels."""


def split_projections(model: onnx.ModelProto, folder: Path) -> int:
    """Replaces linear layers with a split output by one linear layer for each part, in place.

    Args:
        model: Model from `load_graph`.
        folder: Folder of its external data.

    Returns:
        Number of layers that were split.
    """
    weights = Weights(model, folder)
    found = {projection.split.output[0]: projection for projection in _projections(model, weights)}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        projection = found.get(node.output[0])
        nodes += [node] if projection is None else _apart(projection, weights, model.graph)
    if found:
        replace_nodes(model, nodes)
        drop_unused(model)
    return len(found)


def _projections(model: onnx.ModelProto, weights: Weights) -> Iterator[_Projection]:
    """Yields the linear layers whose output is read only by a Split along the last axis."""
    makers = {name: node for node in model.graph.node for name in node.output}
    readers = Counter(name for node in model.graph.node for name in reads_of(node))
    readers.update(output.name for output in model.graph.output)
    shapes = shapes_of(model)
    for split in model.graph.node:
        if split.op_type != "Split" or readers[split.input[0]] != 1:
            continue
        maker = makers.get(split.input[0])
        bias, product = _with_bias(maker, makers, readers, weights)
        if product is None or not _is_layer(product, weights):
            continue
        channels = (weights.shape(product.input[1]) or ())[1]
        last = {-1, len(shapes.get(split.input[0], ())) - 1}
        ends = _ends(split, channels, weights) if attribute(split, "axis") in last else ()
        if ends and _fits(bias, channels, weights):
            yield _Projection(product, bias, split, ends)


def _with_bias(
    node: onnx.NodeProto | None, makers: dict[str, onnx.NodeProto], readers: Counter[str], weights: Weights
) -> tuple[str, onnx.NodeProto | None]:
    """Returns the bias and the product that a node adds; no bias if the node is the product itself."""
    if node is None or node.op_type != "Add":
        return "", node
    for bias, name in (tuple(node.input), tuple(node.input)[::-1]):
        if weights.shape(bias) is not None and readers[name] == 1:
            return bias, makers.get(name)
    return "", None


def _is_layer(node: onnx.NodeProto, weights: Weights) -> bool:
    return (
        node.op_type == "MatMul"
        and len(weights.shape(node.input[1]) or ()) == _MATRIX
        and weights.dtype(node.input[1]) == TensorProto.FLOAT
        and weights.shape(node.input[0]) is None
    )


def _fits(bias: str, channels: int, weights: Weights) -> bool:
    """Returns whether a bias is one number for each channel, along the last axis only."""
    shape = weights.shape(bias) if bias else (channels,)
    return shape is not None and shape[-1:] == (channels,) and set(shape[:-1]) <= {1}


def _ends(split: onnx.NodeProto, channels: int, weights: Weights) -> tuple[int, ...]:
    """Returns the ends of the parts of a split along the last axis; empty if the graph does not define them."""
    given = attribute(split, "split")  # before version 13 of ONNX's operators
    if len(split.input) > 1 and split.input[1]:
        if weights.shape(split.input[1]) is None:
            return ()
        given = [int(size) for size in weights.array(split.input[1])]
    if not isinstance(given, list):
        share = -(-channels // len(split.output))  # ONNX: the last part is the smaller one
        given = [*[share] * (len(split.output) - 1), channels - share * (len(split.output) - 1)]
    ends = tuple(int(end) for end in np.cumsum(given))
    return ends if ends[-1] == channels and min(given) > 0 else ()


def _apart(projection: _Projection, weights: Weights, graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yields a product, and its sum with the bias, for each part."""
    matrix = weights.array(projection.product.input[1])
    bias = weights.array(projection.bias) if projection.bias else None
    for part, start, end in zip(projection.split.output, (0, *projection.ends), projection.ends, strict=False):
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(matrix[:, start:end]), f"{part}.weight"))
        product = part if bias is None else f"{part}.product"
        yield helper.make_node("MatMul", [projection.product.input[0], f"{part}.weight"], [product])
        if bias is not None:
            graph.initializer.append(numpy_helper.from_array(np.array(bias[..., start:end]), f"{part}.bias"))
            yield helper.make_node("Add", [product, f"{part}.bias"], [part])
