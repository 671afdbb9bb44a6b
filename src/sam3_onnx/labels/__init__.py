"""Which files do labelling tools and trainers read, and how are they written?"""

from __future__ import annotations

from sam3_onnx.labels.coco.dataset import CocoDataset
from sam3_onnx.labels.coco.rows import CocoPicture, CocoRow, CocoSegmentation, coco_picture
from sam3_onnx.labels.formats import FORMAT_NAMES, picture_format
from sam3_onnx.labels.json_files.labelme import read_labelme, write_labelme
from sam3_onnx.labels.json_files.xanylabeling import read_xanylabeling, write_xanylabeling
from sam3_onnx.labels.label_file import HoleChoice, LabelFile, PictureFormat
from sam3_onnx.labels.losses import Loss, loss_summary
from sam3_onnx.labels.writing import write_label_file
from sam3_onnx.labels.yolo.classes import read_classes
from sam3_onnx.labels.yolo.format import read_yolo, write_yolo
from sam3_onnx.labels.yolo.lines import YoloTask

__all__ = [
    "FORMAT_NAMES",
    "CocoDataset",
    "CocoPicture",
    "CocoRow",
    "CocoSegmentation",
    "HoleChoice",
    "LabelFile",
    "Loss",
    "PictureFormat",
    "YoloTask",
    "coco_picture",
    "loss_summary",
    "picture_format",
    "read_classes",
    "read_labelme",
    "read_xanylabeling",
    "read_yolo",
    "write_label_file",
    "write_labelme",
    "write_xanylabeling",
    "write_yolo",
]
