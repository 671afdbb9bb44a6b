"""The graphs that a provider is tried on: those of the model that ships with the package."""

from __future__ import annotations

import functools
from importlib.resources import files
from pathlib import Path

from sam3_onnx.models.runtime.graphs.reading import GraphInfo, read_graph

__all__ = ["miniature_graph"]


@functools.cache
def miniature_graph(role: str) -> GraphInfo:
    """One graph of the miniature: "image_encoder", "text_encoder" or "decoder"."""
    return read_graph(Path(str(files("sam3_onnx"))) / "data" / "miniature" / f"{role}.onnx")
