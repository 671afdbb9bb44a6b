"""Edits of a graph after which a provider takes it and gives the same answers.

Field numbers are those of onnx/onnx.proto (ONNX 1.16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.models.runtime.graphs.protobuf import Field, Span, fields, signed, varint, written

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["without_empty_operands"]

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_TENSOR = 1, 3, 5
_TENSOR_DIMENSION, _TENSOR_NAME = 1, 8


def without_empty_operands(data: memoryview) -> bytes | None:
    """Takes constants without elements out of concatenations, where they add nothing.

    Decoders traced with a prompt of no points hold such a constant, of shape [1, 0].

    Args:
        data: A whole ONNX model.

    Returns:
        The edited model, or None if there is no such operand.
    """
    graph = _graph(data)
    empty = _empty_constants(data, graph)
    edited = {
        field.whole: content
        for field in fields(data, graph)
        if empty and field.number == _GRAPH_NODE and (content := _shortened(data, field.content, empty)) is not None
    }
    if not edited:
        return None

    return _with_nodes(data, edited)


def _with_nodes(data: memoryview, edited: Mapping[Span, bytes]) -> bytes:
    """The model with other content in the nodes at some places."""

    def node(field: Field) -> bytes:
        return written(_GRAPH_NODE, edited[field.whole]) if field.whole in edited else _copy(data, field.whole)

    return b"".join(
        written(_MODEL_GRAPH, b"".join(node(inner) for inner in fields(data, field.content)))
        if field.number == _MODEL_GRAPH
        else _copy(data, field.whole)
        for field in fields(data, (0, len(data)))
    )


def _graph(data: memoryview) -> Span:
    return next(field.content for field in fields(data, (0, len(data))) if field.number == _MODEL_GRAPH)


def _empty_constants(data: memoryview, graph: Span) -> dict[str, list[int]]:
    """Shapes of the constants that have no element, by name."""
    found = {}
    for field in fields(data, graph):
        if field.number == _GRAPH_INITIALIZER:
            found[_text(data, field.content, _TENSOR_NAME)] = _shape(data, field.content)
        elif field.number == _GRAPH_NODE and _text(data, field.content, _NODE_OPERATOR) == "Constant":
            for attribute in _all(data, field.content, _NODE_ATTRIBUTE):
                for tensor in _all(data, attribute, _ATTRIBUTE_TENSOR):
                    found[_text(data, field.content, _NODE_OUTPUT)] = _shape(data, tensor)
    return {name: shape for name, shape in found.items() if 0 in shape}


def _shortened(data: memoryview, node: Span, empty: Mapping[str, list[int]]) -> bytes | None:
    """A Concat without the operands that are empty along its axis; None if it has none of them, or only them."""
    if _text(data, node, _NODE_OPERATOR) != "Concat":
        return None
    axis = _axis(data, node)
    operands = [str(data[start:end], "utf-8") for start, end in _all(data, node, _NODE_INPUT)]
    dropped = {name for name in operands if name in empty and empty[name][axis] == 0}
    if not dropped or dropped >= set(operands):
        return None
    return b"".join(
        _copy(data, field.whole)
        for field in fields(data, node)
        if not (field.number == _NODE_INPUT and str(data[slice(*field.content)], "utf-8") in dropped)
    )


def _axis(data: memoryview, node: Span) -> int:
    for attribute in _all(data, node, _NODE_ATTRIBUTE):
        if _text(data, attribute, _ATTRIBUTE_NAME) == "axis":
            return next(signed(field.value) for field in fields(data, attribute) if field.number == _ATTRIBUTE_INT)
    raise ValueError("a Concat without an axis")


def _shape(data: memoryview, tensor: Span) -> list[int]:
    sizes = []
    for field in fields(data, tensor):
        if field.number == _TENSOR_DIMENSION:
            position, end = field.content
            while position < end:  # one number, or several packed into one field
                size, position = varint(data, position)
                sizes.append(size)
    return sizes


def _all(data: memoryview, message: Span, number: int) -> list[Span]:
    return [field.content for field in fields(data, message) if field.number == number]


def _text(data: memoryview, message: Span, number: int) -> str:
    spans = _all(data, message, number)
    return str(data[slice(*spans[0])], "utf-8") if spans else ""


def _copy(data: memoryview, span: Span) -> bytes:
    return bytes(data[slice(*span)])
