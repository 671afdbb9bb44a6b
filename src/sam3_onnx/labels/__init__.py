"""Reading and writing of label files: X-AnyLabeling, labelme, YOLO, COCO, PNG maps, and label files of videos.

Names are imported when they are first used, so that the names of formats are known without loading NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx._support.lazy_names import lazy_names

if TYPE_CHECKING:
    from sam3_onnx.labels.coco.dataset import CocoDataset
    from sam3_onnx.labels.coco.rows import CocoPicture, CocoRow, CocoSegmentation, coco_picture
    from sam3_onnx.labels.finds import shapes_of
    from sam3_onnx.labels.formats import FORMAT_NAMES, picture_format
    from sam3_onnx.labels.json_files.labelme import read_labelme, write_labelme
    from sam3_onnx.labels.json_files.xanylabeling import read_xanylabeling, write_xanylabeling
    from sam3_onnx.labels.label_file import HoleChoice, LabelFile, PictureFormat
    from sam3_onnx.labels.losses import Loss, loss_summary
    from sam3_onnx.labels.videos.frame_labels import WrittenFrame, write_frame_labels
    from sam3_onnx.labels.videos.frames import TrackedFrame
    from sam3_onnx.labels.videos.id_maps import write_id_maps
    from sam3_onnx.labels.videos.mot import write_mot
    from sam3_onnx.labels.videos.youtube_vis import write_youtube_vis
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
    "TrackedFrame",
    "WrittenFrame",
    "YoloTask",
    "coco_picture",
    "loss_summary",
    "picture_format",
    "read_classes",
    "read_labelme",
    "read_xanylabeling",
    "read_yolo",
    "shapes_of",
    "write_frame_labels",
    "write_id_maps",
    "write_label_file",
    "write_labelme",
    "write_mot",
    "write_xanylabeling",
    "write_yolo",
    "write_youtube_vis",
]

_HOMES = {
    "FORMAT_NAMES": "formats",
    "CocoDataset": "coco.dataset",
    "CocoPicture": "coco.rows",
    "CocoRow": "coco.rows",
    "CocoSegmentation": "coco.rows",
    "HoleChoice": "label_file",
    "LabelFile": "label_file",
    "Loss": "losses",
    "PictureFormat": "label_file",
    "TrackedFrame": "videos.frames",
    "WrittenFrame": "videos.frame_labels",
    "YoloTask": "yolo.lines",
    "coco_picture": "coco.rows",
    "loss_summary": "losses",
    "picture_format": "formats",
    "read_classes": "yolo.classes",
    "read_labelme": "json_files.labelme",
    "read_xanylabeling": "json_files.xanylabeling",
    "read_yolo": "yolo.format",
    "shapes_of": "finds",
    "write_frame_labels": "videos.frame_labels",
    "write_id_maps": "videos.id_maps",
    "write_label_file": "writing",
    "write_labelme": "json_files.labelme",
    "write_mot": "videos.mot",
    "write_xanylabeling": "json_files.xanylabeling",
    "write_yolo": "yolo.format",
    "write_youtube_vis": "videos.youtube_vis",
}


if not TYPE_CHECKING:  # with __getattr__ visible, a type checker would accept any misspelt name
    __getattr__ = lazy_names(__name__, _HOMES)

    def __dir__() -> list[str]:
        return sorted(__all__)
