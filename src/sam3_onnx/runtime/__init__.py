"""The one place that knows ONNX Runtime: graphs, sessions, providers."""

from sam3_onnx.runtime.fingerprint import fingerprint
from sam3_onnx.runtime.graph import GraphInfo, TensorInfo, read_graph
from sam3_onnx.runtime.model import OnnxModel
from sam3_onnx.runtime.precision import Precision
from sam3_onnx.runtime.proof import Proof
from sam3_onnx.runtime.providers import CPU, ProviderChoice
from sam3_onnx.runtime.settings import RuntimeSettings
from sam3_onnx.runtime.survey import OfferedProvider, Survey, prove_all, survey

__all__ = [
    "CPU",
    "GraphInfo",
    "OfferedProvider",
    "OnnxModel",
    "Precision",
    "Proof",
    "ProviderChoice",
    "RuntimeSettings",
    "Survey",
    "TensorInfo",
    "fingerprint",
    "prove_all",
    "read_graph",
    "survey",
]
