"""The table of label formats, and functions that look formats up by name.

Reading the table does not load NumPy or OpenCV, so that the command line can list the formats quickly: the code of a
format is imported when an object of the format is created. A new format with one label file for each picture needs its
own file and one entry here.
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
    """Facts about a format that are known before its code is loaded."""

    made_by: str
    """Class of the `PictureFormat`, as "module:class" relative to `sam3_onnx.labels`; its constructor takes `holes`."""
    modes: tuple[ShapeType, ...]
    """Shape types that the format can be written from; the most suitable one comes first."""
    options: Mapping[str, str] = MappingProxyType({})
    """Other arguments of the class."""


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
"""Shape types that at least one format can be written from."""


def modes_of(name: str) -> tuple[ShapeType, ...]:
    """Returns the shape types that a format can be written from; the most suitable one comes first."""
    return _TABLE[name].modes


@known_keywords()
def picture_format(
    name: str, *, folder: str | os.PathLike[str] | None = None, holes: HoleChoice = "fill"
) -> PictureFormat:
    r"""Returns the format with a given name; it has one label file for each picture.

    Args:
        name: One of `FORMAT_NAMES`.
        folder: Folder of the label files, whose class list is continued if there is one; None to start a new list.
        holes: How the holes of polygons are written.

    Raises:
        OptionError: `name` or `holes` has an unknown value.
        LabelFileDamagedError: The class list is not text.

    Example:
        >>> yolo = picture_format("yolo-detect").with_labels(["car", "person"])
        >>> yolo.suffix, yolo.modes, yolo.shared_files()
        ('.txt', ('rectangle',), {'classes.txt': b'car\nperson\n'})
    """
    require_choice("holes", holes, ("fill", "seam"))
    is_coco = isinstance(name, str) and name == COCO
    remedy = "For COCO, which has one file for all pictures, use sam3_onnx.labels.CocoDataset." if is_coco else ""
    require_choice("name", name, FORMAT_NAMES, remedy=remedy)
    entry = _TABLE[name]
    make: Callable[..., PictureFormat] = resolve_name(f"sam3_onnx.labels.{entry.made_by}")
    made = make(holes=holes, **entry.options)
    return made if folder is None else made.in_folder(require_path("folder", folder))
