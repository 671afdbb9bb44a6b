"""The table of label formats, and the format of a name.

The table is known without loading NumPy or OpenCV, so that the command line can name its formats at once: a format's
code is imported when the format is made. A new format with a label file for each picture is a file of its own and one
entry here.
"""

from __future__ import annotations

from pkgutil import resolve_name
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sam3_onnx._support.checks import require_choice, require_path
from sam3_onnx._support.keywords import known_keywords

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from sam3_onnx.labels.label_file import HoleChoice, PictureFormat
    from sam3_onnx.results.shape import ShapeType

__all__ = ["COCO", "FORMAT_NAMES", "LABEL_FORMATS", "MODES", "modes_of", "picture_format"]


class _Entry(NamedTuple):
    """What is known of a format before its code is loaded."""

    made_by: str
    """Class of the `PictureFormat`, as "module:class" seen from `sam3_onnx.labels`. It takes `holes`."""
    modes: tuple[ShapeType, ...]
    """Kinds of shapes that the format is written from, the one that it is best at first."""
    options: Mapping[str, str] = MappingProxyType({})
    """What else the class takes."""


_TABLE = {
    "xanylabeling": _Entry("json_files.xanylabeling:XAnyLabelingFormat", ("polygon", "rectangle", "rotation")),
    "labelme": _Entry("json_files.labelme:LabelmeFormat", ("polygon", "rectangle", "rotation", "mask")),
    "yolo-detect": _Entry("yolo.format:YoloFormat", ("rectangle",), {"task": "detect"}),
    "yolo-segment": _Entry("yolo.format:YoloFormat", ("polygon",), {"task": "segment"}),
    "yolo-obb": _Entry("yolo.format:YoloFormat", ("rotation",), {"task": "obb"}),
    "png-masks": _Entry("png_masks.format:PngMasksFormat", ("mask",), {"kind": "semantic"}),
    "png-masks-instance": _Entry("png_masks.format:PngMasksFormat", ("mask",), {"kind": "instance"}),
}

FORMAT_NAMES = tuple(_TABLE)
"""Formats with one label file for each picture."""
COCO = "coco"
"""Name of the format with one file for all pictures, which `CocoDataset` reads and writes."""
LABEL_FORMATS = (*FORMAT_NAMES, COCO)
"""Formats that `annotate_folder` and `sam3-onnx annotate` write."""
MODES = tuple(dict.fromkeys(mode for entry in _TABLE.values() for mode in entry.modes))
"""Kinds of shapes that at least one format is written from."""


def modes_of(name: str) -> tuple[ShapeType, ...]:
    """Returns the kinds of shapes that a format of `FORMAT_NAMES` is written from, the one it is best at first."""
    return _TABLE[name].modes


@known_keywords()
def picture_format(
    name: str, *, folder: str | os.PathLike[str] | None = None, holes: HoleChoice = "fill"
) -> PictureFormat:
    r"""Returns the format with one label file for each picture that has a name.

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
    require_choice("holes", holes, ("fill", "seam"))
    is_coco = isinstance(name, str) and name == COCO
    remedy = "COCO has one file for all pictures: sam3_onnx.labels.CocoDataset." if is_coco else ""
    require_choice("name", name, FORMAT_NAMES, remedy=remedy)
    entry = _TABLE[name]
    make: Callable[..., PictureFormat] = resolve_name(f"sam3_onnx.labels.{entry.made_by}")
    made = make(holes=holes, **entry.options)
    return made if folder is None else made.in_folder(require_path("folder", folder))
