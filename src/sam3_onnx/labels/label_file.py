"""`LabelFile`, the content of the label file of one picture, and `PictureFormat`, the protocol of its formats."""

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
"""How to write a polygon with holes in a format without holes: "fill" leaves the holes out, "seam" joins their rings to
the outline by lines that the ring follows in both directions, so that the enclosed area is correct."""


@known_methods
@dataclass(frozen=True)
class LabelFile:
    """The shapes of one picture, and all other content of its label file.

    Raises:
        OptionError: `shapes` is not shapes, but for example a result.
    """

    shapes: tuple[Shape, ...]
    image_path: str
    """Path of the picture in the file, relative to the label file."""
    image_size: tuple[int, int]
    """(height, width) of the picture in pixels."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """All other fields of the file, which are written again: version, checked, flags, imageData, unknown ones."""
    rows: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """Lines of a text file with their line ends, as they were read; with them, the format writes unchanged shapes,
    comments and blank lines back exactly."""

    def with_shapes(self, shapes: Iterable[Shape]) -> LabelFile:
        """Returns the same file with other shapes."""
        return replace(self, shapes=require_shapes(shapes))

    def __post_init__(self) -> None:
        require_shapes(self.shapes)


def require_image_size(shapes: Iterable[Shape], given: object) -> tuple[int, int]:
    """Checks the (height, width) of the picture of some shapes, and returns it.

    Raises:
        OptionError: It is not a size, or the shapes fit into it only if height and width are swapped.
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
    """Checks that a value is a sequence of shapes, and returns them as a tuple.

    Raises:
        OptionError: It is something else, such as a result.
    """
    is_scalar = isinstance(given, np.ndarray) and given.ndim == 0
    entries = tuple(given) if isinstance(given, Iterable) and not is_scalar else (given,)
    shapes = tuple(entry for entry in entries if isinstance(entry, Shape))
    if isinstance(given, Shape) or len(shapes) < len(entries):
        others = {type(entry).__name__ for entry in entries if not isinstance(entry, Shape)}
        got = " of ".join([type(given).__name__, *sorted(others)][:2])
        remedy = 'For a result, pass result.shapes("polygon"); for one shape, pass [shape].'
        raise OptionError("shapes", expected="a list of Shape", got=got, remedy=remedy)
    return shapes


def require_points(shape: Shape, where: str) -> None:
    """Checks that the points of a shape are pairs of finite numbers.

    Raises:
        LabelShapeError: The points are not finite, or not pairs.
    """
    points = shape.points
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():  # noqa: PLR2004 - x and y
        raise LabelShapeError(where=where, expected="finite points (V, 2)", got=repr(points.tolist())[:80])


class PictureFormat(Protocol):
    """A format with one label file for each picture.

    Objects are immutable values: `with_labels` and `in_folder` return a new one, and neither `encode` nor `decode`
    reads or writes files. Subclasses inherit `read`, and versions of `in_folder`, `with_labels` and `shared_files` for
    a format without a class list.
    """

    @property
    def name(self) -> str:
        """Name of the format, for `picture_format`: one of `FORMAT_NAMES`."""
        ...

    @property
    def suffix(self) -> str:
        """File extension of its files, such as ".json"."""
        ...

    @property
    def modes(self) -> tuple[ShapeType, ...]:
        """Shape types that it can be written from, see `Segmentation.shapes`; the most suitable one comes first."""
        ...

    def decode(self, content: bytes, *, path: str | os.PathLike[str], image_size: tuple[int, int]) -> LabelFile:
        """Decodes the bytes of a label file.

        Args:
            content: The bytes of a file, or those that `encode` returned.
            path: Path for messages; the file is not read.
            image_size: (height, width) of the picture.

        Raises:
            LabelError: A subclass of it: the file is damaged, in another format, of a newer version, or for a picture
                of another size.
        """
        ...

    def read(self, path: str | os.PathLike[str], *, image_size: tuple[int, int]) -> LabelFile:
        """Reads the label file of a picture of the given (height, width).

        Raises:
            LabelError: The same errors as for `decode`.
            OSError: The file cannot be opened.
        """
        size = require_size("image_size", image_size)
        return self.decode(require_path("path", path).read_bytes(), path=path, image_size=size)

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        """Encodes a label file, and returns its bytes and the losses: what the format cannot store.

        Raises:
            LabelShapeError: No application could read one of the shapes.
            LabelNameError: The format cannot store one of the labels.
        """
        ...

    @property
    def shared_names(self) -> frozenset[str]:
        """File names that are reserved for shared files, so that no label file may have them."""
        return frozenset()

    def in_folder(self, folder: str | os.PathLike[str]) -> Self:  # noqa: ARG002 - for formats with a list of classes
        """Returns the format for label files in a folder: itself, or the format with the class list of the folder.

        Raises:
            ClassListMissingError: There are label files with class numbers, but no class list.
            ClassListConflictError: Two class lists disagree.
            LabelFileDamagedError: A class list cannot be read.
        """
        return self

    def with_labels(self, labels: Iterable[str]) -> Self:  # noqa: ARG002 - for formats with a list of classes
        """Returns the format for files with these labels: itself, or with new labels at the end of the class list.

        Raises:
            LabelNameError: The format cannot store one of the labels.
        """
        return self

    def shared_files(self) -> Mapping[str, bytes]:
        """Returns the content of the files that label files share (the class list), by path relative to the folder."""
        return {}

    def shared_in(self, folder: Path, others: Iterable[Path], labels: Iterable[str]) -> Self:  # noqa: ARG002 - as above
        """Writes the class list that the label files of some folders share, and returns the format for them.

        Args:
            folder: The folder of label files; it must exist.
            others: Folders below it that will have the same shared files, or that have their own; they do not have to
                exist.
            labels: Labels of the shapes that will be written.

        Raises:
            LabelError: The same errors as for `in_folder` and `with_labels`, or a file cannot be written.
        """
        return self
