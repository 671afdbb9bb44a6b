"""Which format has that name?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors import OptionError
from sam3_onnx.labels.xanylabeling import XAnyLabelingFormat

if TYPE_CHECKING:
    import os

    from sam3_onnx.labels.label_file import HoleChoice, PictureFormat

__all__ = ["FORMAT_NAMES", "picture_format"]

FORMAT_NAMES = ("xanylabeling",)
"""Formats with one label file for each picture."""


def picture_format(
    name: str,
    *,
    folder: str | os.PathLike[str] | None = None,  # noqa: ARG001 - of the formats that number classes
    holes: HoleChoice = "fill",
) -> PictureFormat:
    """A format with one label file for each picture, by its name.

    Args:
        name: One of `FORMAT_NAMES`.
        folder: Where its files lie, whose list of classes is gone on with; None to begin a new one.
        holes: What becomes of the holes of polygons.

    Raises:
        OptionError: Another name, or another choice for holes.
    """
    if holes not in {"fill", "seam"}:
        raise OptionError("holes", expected='"fill" or "seam"', got=holes)
    if name == "xanylabeling":
        return XAnyLabelingFormat(holes)
    raise OptionError("name", expected=f"one of {', '.join(FORMAT_NAMES)}", got=name)
