"""The label file of one picture, and the protocol of the formats that have such files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

from sam3_onnx._support.checks import require_path, require_size
from sam3_onnx._support.keywords import known_methods
from sam3_onnx.errors import LabelShapeError, OptionError
from sam3_onnx.results.shape import Shape

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.shape import ShapeType

__all__ = ["HoleChoice", "LabelFile", "PictureFormat", "require_image_size", "require_points", "require_shapes"]

HoleChoice: TypeAlias = Literal["fill", "seam"]
"""What becomes of a polygon's holes where a format has none: "fill" outlines the polygon without them, "seam" joins
their rings to the outline by lines that are walked to and fro, so that the enclosed area is right."""


@known_methods
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
    rows: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """Lines of a text file as they stood, with their ends, by which its format writes untouched shapes, comments and
    blank lines back as they were."""

    def with_shapes(self, shapes: Iterable[Shape]) -> LabelFile:
        """Returns the same file with other shapes."""
        return replace(self, shapes=require_shapes(shapes))

    def __post_init__(self) -> None:
        require_shapes(self.shapes)


def require_image_size(shapes: Iterable[Shape], given: object) -> tuple[int, int]:
    """Returns the (height, width) of the picture that some shapes are of.

    Raises:
        OptionError: It is no size, or one into which the shapes fit only with height and width exchanged.
    """
    height, width = require_size("image_size", given)
    ends = [np.max(shape.points, axis=0) for shape in shapes if shape.points.ndim == 2 and shape.points.size]  # noqa: PLR2004 - (V, 2)
    right, down = np.max(ends, axis=0) if ends else (0, 0)
    if (right > width or down > height) and right <= height and down <= width:
        got = f"({height}, {width}), with points as far as x {right:g}, y {down:g}"
        remedy = f"Did you mean ({width}, {height})? The height comes first."
        raise OptionError("image_size", expected="(height, width)", got=got, remedy=remedy)
    return height, width


def require_shapes(given: object) -> tuple[Shape, ...]:
    """Returns shapes as they are to be written.

    Raises:
        OptionError: They are something else, such as a result.
    """
    is_scalar = isinstance(given, np.ndarray) and given.ndim == 0
    entries = tuple(given) if isinstance(given, Iterable) and not is_scalar else (given,)
    shapes = tuple(entry for entry in entries if isinstance(entry, Shape))
    if isinstance(given, Shape) or len(shapes) < len(entries):
        others = {type(entry).__name__ for entry in entries if not isinstance(entry, Shape)}
        got = " of ".join([type(given).__name__, *sorted(others)][:2])
        remedy = 'Pass result.shapes("polygon") of a result, [shape] of one shape.'
        raise OptionError("shapes", expected="a list of Shape", got=got, remedy=remedy)
    return shapes


def require_points(shape: Shape, where: str) -> None:
    """Lets a shape pass whose points can be written as pairs of numbers.

    Raises:
        LabelShapeError: They are not finite, or no pairs.
    """
    points = shape.points
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():  # noqa: PLR2004 - x and y
        raise LabelShapeError(where=where, expected="finite points (V, 2)", got=repr(points.tolist())[:80])


class PictureFormat(Protocol):
    """A format with one label file for each picture.

    Objects of it are values: `with_labels` and `in_folder` return another one, and neither `encode` nor `decode`
    touches a file. A class that inherits from it has `read`, and what a format without a list of classes answers to
    `in_folder`, `with_labels` and `shared_files`.
    """

    @property
    def name(self) -> str:
        """Name of the format as `picture_format` takes it: one of `FORMAT_NAMES`."""
        ...

    @property
    def suffix(self) -> str:
        """Ending of the names of its files, such as ".json"."""
        ...

    @property
    def modes(self) -> tuple[ShapeType, ...]:
        """Kinds of shapes that it is written from, see `Segmentation.shapes`; the first is what it is best at."""
        ...

    def decode(self, content: bytes, *, path: str | os.PathLike[str], image_size: tuple[int, int]) -> LabelFile:
        """Returns what the bytes of a label file say.

        Args:
            content: The file as it was read, or as `encode` returned it.
            path: What the file is called, for messages; nothing is read there.
            image_size: (height, width) of the picture.

        Raises:
            LabelError: One of its kinds: the file is damaged, of another kind, of a newer version, or belongs to a
                picture of another size.
        """
        ...

    def read(self, path: str | os.PathLike[str], *, image_size: tuple[int, int]) -> LabelFile:
        """Reads the label file of a picture of that (height, width).

        Raises:
            LabelError: As `decode`.
            OSError: It cannot be opened.
        """
        size = require_size("image_size", image_size)
        return self.decode(require_path("path", path).read_bytes(), path=path, image_size=size)

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        """Returns what a file holds as bytes, and what of it the format cannot say.

        Raises:
            LabelShapeError: A shape that no application could read.
            LabelNameError: A label that the format cannot write.
        """
        ...

    @property
    def shared_names(self) -> frozenset[str]:
        """Names that no label file may have: those of files that label files share."""
        return frozenset()

    def in_folder(self, folder: str | os.PathLike[str]) -> Self:  # noqa: ARG002 - for formats with a list of classes
        """Returns the format for label files in a folder: itself, or with the list of classes that holds there.

        Raises:
            ClassListMissingError: There are label files, and no list of the classes whose numbers they have.
            ClassListConflictError: Two lists do not agree.
            LabelFileDamagedError: A list of classes cannot be read.
        """
        return self

    def with_labels(self, labels: Iterable[str]) -> Self:  # noqa: ARG002 - for formats with a list of classes
        """Returns the format for files with these labels: itself, unless it numbers classes; new ones come last.

        Raises:
            LabelNameError: A label that the format cannot write.
        """
        return self

    def shared_files(self) -> Mapping[str, bytes]:
        """Returns files that label files share, by their paths seen from the folder: the list of classes, if any."""
        return {}

    def shared_in(self, folder: Path, others: Iterable[Path], labels: Iterable[str]) -> Self:  # noqa: ARG002 - as above
        """Writes the files that label files in some folders share, and returns the format for them.

        Args:
            folder: The folder of label files, which is there.
            others: Folders below it that are to have the same files, or that hold some of their own; they need not be
                there.
            labels: What the shapes will be called.

        Raises:
            LabelError: As `in_folder` and `with_labels`, or a file may not be written.
        """
        return self
