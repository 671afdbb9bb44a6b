"""Which format has that name?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx.errors import OptionError
from sam3_onnx.labels.json_files.labelme import LabelmeFormat
from sam3_onnx.labels.json_files.xanylabeling import XAnyLabelingFormat
from sam3_onnx.labels.yolo.classes import CLASSES_FILE, read_classes
from sam3_onnx.labels.yolo.format import YoloFormat

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from sam3_onnx.labels.label_file import HoleChoice, PictureFormat
    from sam3_onnx.labels.yolo.lines import YoloTask

__all__ = ["FORMAT_NAMES", "picture_format"]

_YOLO: Mapping[str, YoloTask] = {"yolo-detect": "detect", "yolo-segment": "segment", "yolo-obb": "obb"}

FORMAT_NAMES = ("xanylabeling", "labelme", *_YOLO)
"""Formats with one label file for each picture."""


def picture_format(
    name: str, *, folder: str | os.PathLike[str] | None = None, holes: HoleChoice = "fill"
) -> PictureFormat:
    r"""A format with one label file for each picture, by its name.

    Args:
        name: One of `FORMAT_NAMES`.
        folder: Where its files lie. If there is a list of classes, it is gone on with; None to begin a new one.
        holes: What becomes of the holes of polygons.

    Raises:
        OptionError: Another name, or another choice for holes.
        LabelFileDamagedError: The list of classes is no text.

    Example:
        >>> yolo = picture_format("yolo-detect").with_labels(["car", "person"])
        >>> yolo.suffix, yolo.modes, yolo.shared_files()
        ('.txt', ('rectangle',), {'classes.txt': b'car\nperson\n'})
    """
    if holes not in {"fill", "seam"}:
        raise OptionError("holes", expected='"fill" or "seam"', got=holes)
    if name == "xanylabeling":
        return XAnyLabelingFormat(holes)
    if name == "labelme":
        return LabelmeFormat(holes)
    if name in _YOLO:
        listed = None if folder is None else Path(folder) / CLASSES_FILE
        known = read_classes(listed) if listed is not None and listed.exists() else ()
        return YoloFormat(_YOLO[name], known, holes)
    raise OptionError("name", expected=f"one of {', '.join(FORMAT_NAMES)}", got=name)
