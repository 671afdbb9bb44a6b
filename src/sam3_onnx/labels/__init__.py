"""Which files do labelling tools and trainers read, and how are they written?"""

from __future__ import annotations

from sam3_onnx.labels.formats import FORMAT_NAMES, picture_format
from sam3_onnx.labels.label_file import HoleChoice, LabelFile, PictureFormat
from sam3_onnx.labels.losses import Loss, loss_summary
from sam3_onnx.labels.writing import put, write_label_file
from sam3_onnx.labels.xanylabeling import read_xanylabeling, write_xanylabeling

__all__ = [
    "FORMAT_NAMES",
    "HoleChoice",
    "LabelFile",
    "Loss",
    "PictureFormat",
    "loss_summary",
    "picture_format",
    "put",
    "read_xanylabeling",
    "write_label_file",
    "write_xanylabeling",
]
