"""Graphs taken apart and written again, without all weights in memory at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "LIKE_THEIR_INPUT",
    "Weights",
    "attribute",
    "drop_unused",
    "is_quantized",
    "load_graph",
    "needed_for",
    "reads_of",
    "replace_nodes",
    "set_metadata",
    "shapes_of",
    "without_weights",
    "write_graph",
]

LIKE_THEIR_INPUT = frozenset(("MultiHeadAttention", "RotaryEmbedding"))
"""Operators of onnxruntime (`com.microsoft`) whose answer has the type and the shape of their first input."""
_BESIDE = 1024  # bytes; smaller tensors stay in the graph, as ONNX's own writer has it
_PAGE = 4096  # bytes; external tensors begin on one, so that onnxruntime can map them
_INSIDE_AT_MOST = 500_000_000  # bytes of weights in one file; in one of their own they are mapped rather than copied
_QUANTIZED = frozenset(
    ("DequantizeLinear", "DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "MatMulNBits")
)
"""Operators of graphs that somebody has quantised; these stay as they are."""
_TYPED_DATA = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")


def load_graph(path: Path) -> onnx.ModelProto:
    """Reads a model, external data left where it is, and turns its constant nodes into initializers."""
    model = onnx.load(path, load_external_data=False)
    nodes = []
    for node in model.graph.node:
        value = attribute(node, "value") if node.op_type == "Constant" else None
        if isinstance(value, TensorProto):
            model.graph.initializer.add().CopyFrom(value)
            model.graph.initializer[-1].name = node.output[0]
        else:
            nodes.append(node)
    replace_nodes(model, nodes)
    return model


def write_graph(model: onnx.ModelProto, path: Path, *, weights_from: Path) -> None:
    """Writes a model, its weights beside it if it had some there or if they are many.

    Args:
        model: Changed in place: afterwards it refers to the new data.
        path: The `.onnx` file; weights beside it go into `<name>.data`.
        weights_from: Folder that external data of the model lies in.

    Raises:
        OSError: The disk is full, or a file cannot be read or written.
    """
    tensors = list(_tensors(model.graph))
    beside = any(map(_is_external, tensors)) or sum(map(_size, tensors)) > _INSIDE_AT_MOST
    if beside:
        name = f"{path.name}.data"
        with path.with_name(name).open("xb") as file:
            for tensor in tensors:
                if _size(tensor) < _BESIDE:
                    _place(tensor, _content(tensor, weights_from))
                    continue
                file.write(bytes(-file.tell() % _PAGE))
                start = file.tell()
                file.write(_content(tensor, weights_from))
                _place_beside(tensor, name, start, file.tell() - start)
    onnx.save_model(model, path)


def drop_unused(model: onnx.ModelProto) -> None:
    """Takes out nodes and initializers that no output needs."""
    needed = needed_for(model, {output.name for output in model.graph.output})
    replace_nodes(model, [node for node in model.graph.node if needed & set(node.output)])
    initializers = [tensor for tensor in model.graph.initializer if tensor.name in needed]
    del model.graph.initializer[:]
    model.graph.initializer.extend(initializers)
    del model.graph.value_info[:]


def needed_for(model: onnx.ModelProto, outputs: set[str]) -> set[str]:
    """Names of all that some values are computed from, their own among them."""
    needed = set(outputs)
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            needed |= reads_of(node)
    return needed


def replace_nodes(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]) -> None:
    """Gives a graph other nodes, some of which may be its own."""
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def is_quantized(model: onnx.ModelProto) -> bool:
    """Whether somebody has quantised a graph."""
    return any(node.op_type in _QUANTIZED for node in model.graph.node)


def set_metadata(model: onnx.ModelProto, key: str, value: str) -> None:
    """Writes an entry of a model's metadata, before the last one: a native bundle's role stays last."""
    entries = {entry.key: entry.value for entry in model.metadata_props} | {key: value}
    last = {"sam3_onnx.role": entries.pop("sam3_onnx.role")} if "sam3_onnx.role" in entries else {}
    helper.set_model_props(model, entries | last)


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model, of its larger tensors their types and sizes alone: enough to infer those of all values.

    ONNX cannot infer what LIKE_THEIR_INPUT answer: a copy of their first input stands for it.
    """
    light = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = model.graph
    light.graph.name = graph.name
    for field in ("node", "input", "output"):
        getattr(light.graph, field).extend(getattr(graph, field))
    for tensor in graph.initializer:
        if _size(tensor) < _BESIDE:
            light.graph.initializer.add().CopyFrom(tensor)
        else:
            light.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    for node in light.graph.node:
        if node.op_type in LIKE_THEIR_INPUT:
            node.CopyFrom(helper.make_node("Identity", node.input[:1], node.output[:1]))
    return light


def shapes_of(model: onnx.ModelProto) -> Mapping[str, tuple[int | None, ...]]:
    """Returns the sizes of all values, as far as they can be inferred; None for an open one."""
    graph = onnx.shape_inference.infer_shapes(without_weights(model), data_prop=True).graph
    return {
        value.name: tuple(size.dim_value or None for size in value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.output, *graph.value_info)
    }


def attribute(node: onnx.NodeProto, name: str) -> object | None:
    """The value of a node's attribute, or None."""
    found = [helper.get_attribute_value(each) for each in node.attribute if each.name == name]
    return found[0] if found else None


class Weights:
    """What a graph holds constant, by name; read from where it lies when it is asked for.

    A constant may stand behind a Cast, a Transpose or an Identity: so do weights stored in half
    precision, and those of some exporters.
    """

    _THROUGH = ("Cast", "Identity", "Transpose")

    def __init__(self, model: onnx.ModelProto, folder: Path) -> None:
        self._folder = folder
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        self._made = {node.output[0]: node for node in model.graph.node if node.op_type in self._THROUGH}

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Sizes of a constant; None for what is computed."""
        if name in self._tensors:
            return tuple(self._tensors[name].dims)
        node = self._made.get(name)
        inner = None if node is None else self.shape(node.input[0])
        if node is None or inner is None or node.op_type != "Transpose":
            return inner
        return tuple(inner[axis] for axis in _permutation(node, len(inner)))

    def dtype(self, name: str) -> int | None:
        """ONNX's number of a constant's element type; None for what is computed."""
        if name in self._tensors:
            kind: int = self._tensors[name].data_type
            return kind
        node = self._made.get(name)
        inner = None if node is None else self.dtype(node.input[0])
        if node is None or inner is None or node.op_type != "Cast":
            return inner
        to = attribute(node, "to")
        return to if isinstance(to, int) else None

    def array(self, name: str) -> NDArray[np.generic]:
        """The values of a constant.

        Raises:
            KeyError: There is no such constant.
        """
        if name in self._tensors:
            return _values(self._tensors[name], self._folder)
        node = self._made[name]
        inner = self.array(node.input[0])
        if node.op_type == "Transpose":
            return inner.transpose(_permutation(node, inner.ndim))
        if node.op_type == "Cast":
            return inner.astype(helper.tensor_dtype_to_np_dtype(attribute(node, "to")))
        return inner


def _permutation(node: onnx.NodeProto, rank: int) -> list[int]:
    given = attribute(node, "perm")
    return list(given) if isinstance(given, list) else list(range(rank))[::-1]


def reads_of(node: onnx.NodeProto) -> set[str]:
    """Names that a node reads, those that its subgraphs take from outside among them."""
    names = set(node.input)
    for each in node.attribute:
        for graph in [each.g] if each.type == onnx.AttributeProto.GRAPH else each.graphs:
            names |= {output.name for output in graph.output}
            names = names.union(*map(reads_of, graph.node))
    return names


def _tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """Every tensor that a graph stores."""
    yield from graph.initializer
    for node in graph.node:
        for each in node.attribute:
            if each.type == onnx.AttributeProto.TENSOR:
                yield each.t
            elif each.type == onnx.AttributeProto.GRAPH:
                yield from _tensors(each.g)


def _is_external(tensor: TensorProto) -> bool:
    return bool(tensor.data_location == TensorProto.EXTERNAL)


def _external(tensor: TensorProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in tensor.external_data}


def _size(tensor: TensorProto) -> int:
    if tensor.data_type == TensorProto.STRING:
        return 0
    size: int = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize * int(np.prod(tensor.dims))
    return size


def _values(tensor: TensorProto, folder: Path) -> NDArray[np.generic]:
    if not _is_external(tensor) or not _size(tensor):
        values: NDArray[np.generic] = numpy_helper.to_array(tensor)
        return values
    place = _external(tensor)
    dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return np.memmap(
        folder / place["location"], dtype, mode="r", offset=int(place.get("offset", "0")), shape=tuple(tensor.dims)
    )


def _content(tensor: TensorProto, folder: Path) -> bytes:
    if tensor.HasField("raw_data"):
        content: bytes = tensor.raw_data
        return content
    return _values(tensor, folder).tobytes()


def _place(tensor: TensorProto, content: bytes) -> None:
    for name in (*_TYPED_DATA, "external_data"):
        tensor.ClearField(name)
    tensor.data_location = TensorProto.DEFAULT
    tensor.raw_data = content


def _place_beside(tensor: TensorProto, name: str, start: int, length: int) -> None:
    _place(tensor, b"")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", name), ("offset", str(start)), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
