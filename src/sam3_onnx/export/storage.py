"""Halves the weights of a graph on disk; the graph computes in float32 as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from sam3_onnx.errors import WeightRangeError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["round_weights", "store_as_half"]

_WORTH_IT = 256  # elements; smaller tensors, such as biases and epsilons, stay as they are


def round_weights(model: nn.Module) -> None:
    """Rounds the weights of a model to what float16 can hold, in place.

    Raises:
        WeightRangeError: A weight is beyond float16's range.
    """
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.numel() >= _WORTH_IT:
                rounded = weights.half().float()
                if not torch.isfinite(rounded).all():
                    raise WeightRangeError(name, largest=float(weights.abs().max()))
                weights.copy_(rounded)


def store_as_half(model: onnx.ModelProto) -> int:
    """Stores every float32 tensor that float16 holds exactly as float16, behind a Cast that is folded at load.

    Args:
        model: Changed in place; it computes the same to the bit.

    Returns:
        How many tensors were replaced.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or int(np.prod(tensor.dims)) < _WORTH_IT:
            continue
        weights = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = weights.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), weights):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return len(casts)
