"""Videos: objects that somebody points at, followed from frame to frame."""

from sam3_onnx.models.families.protocol import Recalled, TrackReadings, TrackRules, VideoTracker
from sam3_onnx.video.encoding import FrameEncoder
from sam3_onnx.video.frame import TrackedInstance, VideoFrame
from sam3_onnx.video.prompt import MaskLike
from sam3_onnx.video.rules.constants import TrackingRules
from sam3_onnx.video.session import Sam3VideoSession

__all__ = [
    "FrameEncoder",
    "MaskLike",
    "Recalled",
    "Sam3VideoSession",
    "TrackReadings",
    "TrackRules",
    "TrackedInstance",
    "TrackingRules",
    "VideoFrame",
    "VideoTracker",
]
