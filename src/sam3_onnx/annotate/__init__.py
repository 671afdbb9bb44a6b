"""Labelling of all pictures in a folder."""

from sam3_onnx.annotate.merging import DEFAULT_DUPLICATE_IOU, Existing, Merged, merge_shapes
from sam3_onnx.annotate.run import annotate_folder
from sam3_onnx.annotate.summary import AnnotateProgress, AnnotateSummary, Failure
from sam3_onnx.annotate.targets.video_encoding import VideoBackend
from sam3_onnx.annotate.targets.videos import write_overlay_video
from sam3_onnx.images.finding import PICTURE_SUFFIXES, find_pictures
from sam3_onnx.labels.formats import LABEL_FORMATS

__all__ = [
    "DEFAULT_DUPLICATE_IOU",
    "LABEL_FORMATS",
    "PICTURE_SUFFIXES",
    "AnnotateProgress",
    "AnnotateSummary",
    "Existing",
    "Failure",
    "Merged",
    "VideoBackend",
    "annotate_folder",
    "find_pictures",
    "merge_shapes",
    "write_overlay_video",
]
