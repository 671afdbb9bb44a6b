"""What does the label file of one picture hold, and what is a format of such files?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from sam3_onnx.errors import OptionError
from sam3_onnx.results.shape import Shape

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.shape import ShapeType

__all__ = ["HoleChoice", "LabelFile", "PictureFormat", "require_shapes"]

HoleChoice: TypeAlias = Literal["fill", "seam"]
"""What becomes of a polygon's holes where a format has none: "fill" outlines the polygon without them, "seam" joins
their rings to the outline by lines that are walked to and fro, so that the enclosed area is right."""


@dataclass(frozen=True)
class LabelFile:
    """The shapes of one picture, and all else that its label file says.

    Raises:
        OptionError: Something else than shapes, such as a result.
    """

    shapes: tuple[Shape, ...]
    image_path: str
    """The picture as the file names it, seen from the file."""
    image_size: tuple[int, int]
    """(height, width) of the picture in pixels."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Every other field of the file, kept for writing: version, checked, flags, imageData, unknown ones."""

    def with_shapes(self, shapes: Iterable[Shape]) -> LabelFile:
        """The same file with other shapes."""
        return replace(self, shapes=require_shapes(shapes))

    def __post_init__(self) -> None:
        require_shapes(self.shapes)


def require_shapes(given: object) -> tuple[Shape, ...]:
    """Shapes as they are to be written.

    Raises:
        OptionError: They are something else, such as a result.
    """
    entries = tuple(given) if isinstance(given, Iterable) else (given,)
    shapes = tuple(entry for entry in entries if isinstance(entry, Shape))
    if isinstance(given, Shape) or len(shapes) < len(entries):
        others = {type(entry).__name__ for entry in entries if not isinstance(entry, Shape)}
        got = " of ".join([type(given).__name__, *sorted(others)][:2])
        remedy = 'Pass result.shapes("polygon") of a result, [shape] of one shape.'
        raise OptionError("shapes", expected="a list of Shape", got=got, remedy=remedy)
    return shapes


class PictureFormat(Protocol):
    """A format with one label file for each picture.

    Objects of it are values: `with_labels` gives another one, and encoding touches no file.
    """

    @property
    def name(self) -> str:
        """As `picture_format` takes it: "xanylabeling", "labelme", "yolo-detect", "yolo-segment" or "yolo-obb"."""
        ...

    @property
    def suffix(self) -> str:
        """Of its files: ".json" or ".txt"."""
        ...

    @property
    def modes(self) -> tuple[ShapeType, ...]:
        """What shapes it is written from, see `Segmentation.shapes`; the first is what it is best at."""
        ...

    def read(self, path: str | os.PathLike[str], *, image_size: tuple[int, int]) -> LabelFile:
        """Reads the label file of a picture of that (height, width).

        Raises:
            LabelError: One of its kinds: the file is damaged, of another kind, of a newer version, or belongs to a
                picture of another size.
            OSError: It cannot be opened.
        """
        ...

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        """What a file holds as bytes, and what of it the format cannot say.

        Raises:
            LabelShapeError: A shape that no application could read.
            LabelNameError: A label that the format cannot write.
        """
        ...

    def with_labels(self, labels: Iterable[str]) -> PictureFormat:
        """The format for files with these labels: itself, unless it numbers classes; then new ones come last.

        Raises:
            LabelNameError: A label that the format cannot write.
        """
        ...

    def shared_files(self) -> Mapping[str, bytes]:
        """Files that belong to a folder of label files, by name: the list of classes, if the format has one."""
        ...
