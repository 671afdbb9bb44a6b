"""What supervision, ultralytics and transformers call the parts of a result, and what they are called here."""

from __future__ import annotations

from sam3_onnx.errors import ResultAttributeError

__all__ = ["refuse_name"]

_HERE = {
    "boxes": ("xyxy", "bbox", "bboxes"),
    "scores": ("conf", "confidence", "confidences", "probs"),
    "labels": ("class_id", "class_ids", "cls", "class_name", "class_names"),
    "masks": ("mask", "segments"),
    "areas": ("area", "box_area"),
    "classes": ("names", "id2label"),
    "size": ("orig_shape", "resolution_wh", "shape"),
    "counts": ("count_by_class",),
    "timings": ("speed",),
    "picture": ("orig_img", "path"),
    "draw()": ("plot", "annotate", "overlay"),
    "crop()": ("save_crop", "crop_image"),
    "nms()": ("with_nms",),
    "to_dict()": ("summary",),
    "to_json()": ("tojson",),
    "to_dataframe()": ("to_df", "to_pandas"),
    "segmentation_map()": ("segmentation", "semantic_map", "semantic_mask"),
    'shapes("polygon"), or polygon() of an instance': ("xy", "polygons", "xyn"),
}
_NAMES = {other: here for here, others in _HERE.items() for other in others}


def refuse_name(name: str) -> ResultAttributeError:
    """Returns the error for a name that a result does not have, with the name that it has here, if it is known."""
    return ResultAttributeError(name, here=_NAMES.get(name, ""))
