"""Sessions: a loaded model that is asked questions, and everything that its methods take and return."""

from sam3_onnx.models.families.protocol import (
    AnyArrays,
    Arrays,
    Candidates,
    Capabilities,
    Clicks,
    Defaults,
    Detections,
    Encoder,
    Family,
    Query,
    Tracker,
)
from sam3_onnx.models.families.recognition import FAMILY_NAMES
from sam3_onnx.models.runtime.devices.arrays import AnyArray, DeviceArray
from sam3_onnx.models.runtime.graphs.reading import GraphInfo, TensorInfo
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.providers.names import ProviderChoice
from sam3_onnx.models.runtime.providers.precision import Precision, PrecisionChoice
from sam3_onnx.models.runtime.settings import RuntimeSettings
from sam3_onnx.session.anylabeling_config import ModelConfig, read_config
from sam3_onnx.session.encoding.memory import CacheInfo, EmbeddingCache
from sam3_onnx.session.encoding.prefetching import Prefetch
from sam3_onnx.session.heads.heads import Purpose
from sam3_onnx.session.options import SessionOptions
from sam3_onnx.session.session import Sam3Session
from sam3_onnx.session.stopwatch import Stage
from sam3_onnx.session.streaming import PictureFault, QuestionOptions

__all__ = [
    "FAMILY_NAMES",
    "AnyArray",
    "AnyArrays",
    "Arrays",
    "CacheInfo",
    "Candidates",
    "Capabilities",
    "Clicks",
    "Defaults",
    "Detections",
    "DeviceArray",
    "EmbeddingCache",
    "Encoder",
    "Family",
    "GraphInfo",
    "ModelConfig",
    "OnnxModel",
    "PictureFault",
    "Precision",
    "PrecisionChoice",
    "Prefetch",
    "ProviderChoice",
    "Purpose",
    "Query",
    "QuestionOptions",
    "RuntimeSettings",
    "Sam3Session",
    "SessionOptions",
    "Stage",
    "TensorInfo",
    "Tracker",
    "read_config",
]
