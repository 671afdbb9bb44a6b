"""One PyTorch module written as one ONNX file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import onnx
import torch
from onnx.external_data_helper import convert_model_to_external_data

from sam3_onnx.export.operators.gelu import gelu_translation
from sam3_onnx.export.operators.mask_resize import resize_translation
from sam3_onnx.export.operators.roi_align import onnx_translation
from sam3_onnx.export.storage import store_as_half

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import nn

__all__ = ["Graph", "write_graph"]

_OPSET = 18
_EXTERNAL_ABOVE = 500_000_000
"""Bytes of weights. In a file of their own they are mapped rather than copied; beyond 2 GiB protobuf has no room."""


@dataclass
class Graph:
    """One graph on its way out."""

    role: str
    """image_encoder, text_encoder, ..."""
    module: nn.Module
    example: tuple[torch.Tensor, ...]
    """Inputs that it is traced with."""
    inputs: Sequence[str]
    outputs: Sequence[str]
    open_sizes: Mapping[str, Mapping[int, object]] = field(default_factory=dict)
    """Axes of inputs that stay open."""
    prefix: str = ""
    """Of the file's name, before the role."""

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.prefix}{self.role}.onnx"


def write_graph(graph: Graph, folder: Path, manifest: Mapping[str, str], *, storage: str) -> None:
    """Writes a graph, with its weights in a file beside it where they are too many for one.

    Args:
        graph: What to write.
        folder: Where to.
        manifest: Becomes the graph's `metadata_props`, in this order.
        storage: "float16" halves the weights that float16 holds exactly.
    """
    shapes = {name: dict(graph.open_sizes.get(name, {})) for name in graph.inputs} if graph.open_sizes else None
    with torch.no_grad():
        program = torch.onnx.export(
            graph.module.eval(),
            graph.example,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            opset_version=_OPSET,
            dynamo=True,
            dynamic_shapes=shapes,
            custom_translation_table={**gelu_translation(), **onnx_translation(), **resize_translation()},
            verbose=False,
        )
    proto = program.model_proto
    for node in proto.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del proto.graph.value_info[:]
    if storage == "float16":
        store_as_half(proto)
    onnx.helper.set_model_props(proto, dict(manifest))
    path = folder / graph.file
    if sum(len(tensor.raw_data) for tensor in proto.graph.initializer) > _EXTERNAL_ABOVE:
        convert_model_to_external_data(proto, location=f"{path.name}.data")
    onnx.save_model(proto, path)
