"""Halves the weights of a graph on disk; the graph computes in float32 as before."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

__all__ = ["store_as_half"]

_WORTH_IT = 256  # elements; smaller tensors, such as epsilons and shapes, stay exact


def store_as_half(model: onnx.ModelProto) -> int:
    """Replaces float32 initializers by float16 ones, each behind a Cast that is folded at load.

    Args:
        model: Changed in place.

    Returns:
        How many tensors were replaced.

    Raises:
        OverflowError: A weight is beyond float16's range.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or int(np.prod(tensor.dims)) < _WORTH_IT:
            continue
        weights = numpy_helper.to_array(tensor)
        if np.abs(weights).max() > np.finfo(np.float16).max:
            raise OverflowError(f"{tensor.name} holds weights beyond float16's range")
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return len(casts)
