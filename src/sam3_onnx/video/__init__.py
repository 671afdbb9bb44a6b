"""Things followed through the frames of a video."""

from sam3_onnx.video.rules.constants import TrackingRules

__all__ = ["TrackingRules"]
