"""Graphs of one or two operators, written from nothing: what has to be done with numbers without moving them.

Field numbers are those of onnx/onnx.proto (ONNX 1.16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.models.runtime.graphs.protobuf import written, written_number

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ANSWER", "TAKEN", "conversion", "residue"]

TAKEN, ANSWER = "taken", "answer"
"""Names of the one input and the one output."""
_IR_VERSION, _OPSET = 8, 17
_ELEMENTS = {"float32": 1, "float16": 10, "float64": 11}
_INTEGER = 2  # AttributeProto.AttributeType


def conversion(source: np.dtype[np.generic], target: np.dtype[np.generic]) -> bytes:
    """Returns a model that converts floats of any shape from one type to another."""
    cast = _node("Cast", TAKEN, ANSWER, to=_ELEMENTS[target.name])
    return _model([cast], source.name, target.name)


def residue(dtype: np.dtype[np.generic]) -> bytes:
    """Returns a model that answers 0 for finite floats of any shape, and NaN where one is NaN or infinite.

    It sums x - x, which is 0 for each finite number and NaN for all others, so that no sum can overflow.
    """
    nodes = [_node("Sub", TAKEN, TAKEN, "differences"), _node("ReduceSum", "differences", ANSWER, keepdims=0)]
    return _model(nodes, dtype.name, dtype.name)


def _model(nodes: list[bytes], taken: str, answered: str) -> bytes:
    graph = b"".join(written(1, node) for node in nodes)
    graph += written(2, b"elementary") + written(11, _value(TAKEN, taken)) + written(12, _value(ANSWER, answered))
    opset = written(1, b"") + written_number(2, _OPSET)
    return written_number(1, _IR_VERSION) + written(8, opset) + written(7, graph)


def _node(operator: str, *names: str, **integers: int) -> bytes:
    """Reads all names but the last, which it writes."""
    *reads, writes = names
    node = b"".join(written(1, name.encode()) for name in reads) + written(2, writes.encode())
    for name, value in integers.items():
        node += written(5, written(1, name.encode()) + written_number(3, value) + written_number(20, _INTEGER))
    return node + written(4, operator.encode())


def _value(name: str, element: str) -> bytes:
    tensor = written_number(1, _ELEMENTS[element])
    return written(1, name.encode()) + written(2, written(1, tensor))
