"""The one place that knows ONNX Runtime: graphs, sessions, providers."""

from sam3_onnx.runtime.fingerprint import fingerprint
from sam3_onnx.runtime.graph import GraphInfo, TensorInfo, read_graph
from sam3_onnx.runtime.model import OnnxModel
from sam3_onnx.runtime.providers import CPU, ProviderChoice
from sam3_onnx.runtime.settings import RuntimeSettings

__all__ = [
    "CPU",
    "GraphInfo",
    "OnnxModel",
    "ProviderChoice",
    "RuntimeSettings",
    "TensorInfo",
    "fingerprint",
    "read_graph",
]
