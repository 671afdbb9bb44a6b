"""Conversion of graphs to half precision (float16), except operators that need the range or digits of float32.

Inputs and outputs of the graph keep their types. Between float16 and float32 there are Cast nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sam3_onnx.models.runtime.library import ort
from sam3_onnx.optimize.graphs import LIKE_THEIR_INPUT, Weights, drop_unused, reads_of, replace_nodes, without_weights

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["overflowing", "to_half"]

_FULL = frozenset(
    (
        *("Sin", "Cos", "Exp", "Log", "Pow", "Reciprocal", "Sqrt", "CumSum", "Range", "ReduceL2", "ReduceSumSquare"),
        *("Resize", "RoiAlign", "GridSample", "TopK", "NonMaxSuppression", "Constant", "EyeLike"),
        *("DequantizeLinear", "QuantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "If", "Loop", "Scan"),
    )
)
"""Operators that stay in float32: those of positions and of steep functions, and those that require float32 inputs."""
_NEAR_THE_END = 32752.0
"""Half of float16's range, because values may be twice as large on other pictures."""
_STANDARD = frozenset(("", "ai.onnx"))
_LARGEST = 65504.0
_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"


def overflowing(model: onnx.ModelProto, folder: Path, feeds: Mapping[str, NDArray[np.generic]]) -> set[str]:
    """Returns the values of a graph that come close to the limit of float16's range.

    One run of the graph computes the largest number of each value, without storing the values.

    Args:
        model: Model from `load_graph`; it is not changed.
        folder: Folder of its external data.
        feeds: Inputs of the graph.
    """
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    floats = _float_values(model)
    names = [name for node in model.graph.node for name in node.output if name in floats]
    for name in names:
        probe.graph.node.append(helper.make_node("Abs", [name], [f"{name}.abs"]))
        probe.graph.node.append(helper.make_node("ReduceMax", [f"{name}.abs"], [f"{name}.most"], keepdims=0))
    del probe.graph.output[:]
    most = [f"{name}.most" for name in names]
    probe.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in most)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry(_WEIGHTS_FOLDER, str(folder))
    session = ort.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return {
        name for name, value in zip(names, session.run(most, dict(feeds)), strict=True) if not value < _NEAR_THE_END
    }


def to_half(model: onnx.ModelProto, folder: Path, *, large: Collection[str] = ()) -> tuple[int, int]:
    """Converts a graph to float16, in place.

    Args:
        model: Model from `load_graph`.
        folder: Folder of its external data.
        large: Values that are too large for float16; nodes that compute or read them stay in float32.

    Returns:
        Number of nodes in float16 (0 for a graph with operators that are neither ONNX's nor in LIKE_THEIR_INPUT), and
        number of all nodes that compute with floats.
    """
    if any(node.domain not in _STANDARD and node.op_type not in LIKE_THEIR_INPUT for node in model.graph.node):
        return 0, len(model.graph.node)
    border = _Border(model, folder)
    halved = total = 0
    for node in model.graph.node:
        touched = {name for name in (*node.input, *node.output) if name in border.floats}
        total += bool(touched)
        if not touched or node.op_type in _FULL or touched & set(large):
            border.keep(node)
        else:
            border.halve(node)
            halved += 1
    border.finish()
    return halved, total


class _Border:
    """A graph that is rewritten node by node; names of half-precision values end with `.float16`."""

    def __init__(self, model: onnx.ModelProto, folder: Path) -> None:
        self.model = model
        self.floats = _float_values(model)
        self._weights = Weights(model, folder)
        self._nodes: list[onnx.NodeProto] = []
        self._half: set[str] = set()
        self._full = {value.name for value in (*model.graph.input, *model.graph.initializer)}

    def keep(self, node: onnx.NodeProto) -> None:
        """Adds a node without changes."""
        for name in sorted(reads_of(node)):
            self._make_full(name)
        self._nodes.append(node)
        self._full.update(node.output)

    def halve(self, node: onnx.NodeProto) -> None:
        """Adds a node that computes in half precision."""
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        for index, name in enumerate(node.input):
            if name in self.floats:
                self._make_half(name)
                copy.input[index] = f"{name}.float16"
            else:
                self._make_full(name)
        for index, name in enumerate(node.output):
            if name in self.floats:
                copy.output[index] = f"{name}.float16"
                self._half.add(name)
            else:
                self._full.add(name)
        for each in copy.attribute:
            if each.name == "to" and each.i == TensorProto.FLOAT:
                each.i = TensorProto.FLOAT16
            elif each.type == onnx.AttributeProto.TENSOR and each.t.data_type == TensorProto.FLOAT:
                each.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(each.t).astype(np.float16)))
        self._nodes.append(copy)

    def finish(self) -> None:
        """Converts the outputs back to float32, and removes unused nodes."""
        for output in self.model.graph.output:
            self._make_full(output.name)
        replace_nodes(self.model, self._nodes)
        drop_unused(self.model)

    def _make_half(self, name: str) -> None:
        if name in self._half:
            return
        self._half.add(name)
        if self._weights.shape(name) is not None:
            values = np.clip(np.asarray(self._weights.array(name), np.float32), -_LARGEST, _LARGEST)
            self.model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.float16"))
        else:
            self._nodes.append(helper.make_node("Cast", [name], [f"{name}.float16"], to=TensorProto.FLOAT16))

    def _make_full(self, name: str) -> None:
        if name in self._half and name not in self._full:
            self._full.add(name)
            self._nodes.append(helper.make_node("Cast", [f"{name}.float16"], [name], to=TensorProto.FLOAT))


def _float_values(model: onnx.ModelProto) -> set[str]:
    """Returns the names of all values of type float32."""
    inferred = onnx.shape_inference.infer_shapes(without_weights(model))
    graph = inferred.graph
    values = {
        value.name
        for value in (*graph.input, *graph.output, *graph.value_info)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    return values | {tensor.name for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
