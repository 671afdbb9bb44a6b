"""Fusion of attention that consists of several operators into one operator.

Attention multiplies queries with keys, computes the softmax of the products, and multiplies it with values. For the
attention of the complete picture to itself, the products are 16 heads of 5184 x 5184 numbers, which take 1.7 GB.
onnxruntime's `MultiHeadAttention` (`com.microsoft`) computes the same in blocks and never stores all products.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper, numpy_helper

from sam3_onnx.optimize.graphs import attribute, drop_unused, reads_of, replace_nodes, shapes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fuse_attention"]

_DOMAIN = "com.microsoft"
_SOFTMAX_BY_AXIS = 13  # the version of ONNX's operators from which on the last axis is the default
_RANK = 4  # batch, heads, tokens, channels
_HEADS_INSIDE = [0, 2, 1, 3]  # (B, N, T, C) to (B, T, N, C), and back
_KEYS_AS_ROWS = [0, 3, 1, 2]  # (B, N, C, T) to (B, T, N, C)


@dataclass(frozen=True)
class _Attention:
    """The three nodes of an attention, and its sizes."""

    products: onnx.NodeProto
    softmax: onnx.NodeProto
    sums: onnx.NodeProto
    heads: int

    @property
    def name(self) -> str:
        """Name of the output."""
        name: str = self.sums.output[0]
        return name


def fuse_attention(model: onnx.ModelProto) -> int:
    """Replaces every attention without a mask by one operator, in place.

    The number of heads must be fixed in the graph; all other sizes may be dynamic.

    Args:
        model: Model from `load_graph`.

    Returns:
        Number of replaced attentions.
    """
    found = {attention.name: attention for attention in _attentions(model)}
    if not found:
        return 0
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        attention = found.get(node.output[0])
        nodes += [node] if attention is None else _fused(attention, model.graph)
    replace_nodes(model, nodes)
    drop_unused(model)
    if all(opset.domain != _DOMAIN for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    return len(found)


def _attentions(model: onnx.ModelProto) -> Iterator[_Attention]:
    """Yields the nodes of softmax(queries x keys) x values if no other node reads the values in between."""
    makers = {name: node for node in model.graph.node for name in node.output}
    readers = Counter(name for node in model.graph.node for name in reads_of(node))
    readers.update(output.name for output in model.graph.output)
    shapes = shapes_of(model)
    opset = next(each.version for each in model.opset_import if each.domain in {"", "ai.onnx"})
    last = {-1, _RANK - 1} | ({None} if opset >= _SOFTMAX_BY_AXIS else set())
    for sums in model.graph.node:
        softmax = makers.get(sums.input[0]) if sums.op_type == "MatMul" else None
        products = makers.get(softmax.input[0]) if softmax is not None and softmax.op_type == "Softmax" else None
        if softmax is None or products is None or products.op_type != "MatMul":
            continue
        queries, keys = (shapes.get(name, ()) for name in products.input)
        values = shapes.get(sums.input[1], ())
        alone = readers[products.output[0]] == readers[softmax.output[0]] == 1
        if not (alone and attribute(softmax, "axis") in last and len(queries) == len(keys) == len(values) == _RANK):
            continue
        heads = queries[1]
        if heads and heads == keys[1] == values[1]:
            yield _Attention(products, softmax, sums, heads)


def _fused(attention: _Attention, graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yields the fused operator, with nodes that join heads and channels before it and separate them after it."""
    name = attention.name
    queries, keys = attention.products.input
    values = attention.sums.input[1]
    for part, source, order in (
        ("queries", queries, _HEADS_INSIDE),
        ("keys", keys, _KEYS_AS_ROWS),
        ("values", values, _HEADS_INSIDE),
    ):
        yield helper.make_node("Transpose", [source], [f"{name}.{part}.apart"], perm=order)
        yield _reshape(graph, f"{name}.{part}.apart", f"{name}.{part}", (0, 0, -1))
    yield helper.make_node(
        "MultiHeadAttention",
        [f"{name}.{part}" for part in ("queries", "keys", "values")],
        [f"{name}.together"],
        name=f"{name}.attention",
        domain=_DOMAIN,
        num_heads=attention.heads,
        scale=1.0,  # queries or keys are already scaled
    )
    yield _reshape(graph, f"{name}.together", f"{name}.heads", (0, 0, attention.heads, -1))
    yield helper.make_node("Transpose", [f"{name}.heads"], [name], perm=_HEADS_INSIDE)


def _reshape(graph: onnx.GraphProto, source: str, output: str, shape: tuple[int, ...]) -> onnx.NodeProto:
    graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), f"{output}.shape"))
    return helper.make_node("Reshape", [source, f"{output}.shape"], [output])
