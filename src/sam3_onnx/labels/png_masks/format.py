"""Label files that are PNG maps with one number per pixel, for training semantic segmentation models.

0 is the background. The number of a class is its line in the class list, counted from 1. In maps of instances, a pixel
is 1000 times the class number plus the index of the instance in its class, counted from 0, as in the `instanceIds` of
Cityscapes (https://github.com/mcordts/cityscapesScripts).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.errors import (
    ClassListConflictError,
    ClassListMissingError,
    LabelFileDamagedError,
    LabelFileKindError,
    LabelFileSizeError,
    LabelShapeError,
)
from sam3_onnx.geometry.window import Window
from sam3_onnx.images.indexed import open_indexed_png
from sam3_onnx.images.loading import DEFAULT_MAX_PIXELS
from sam3_onnx.labels.conversion import unsaid_file_fields
from sam3_onnx.labels.formats import modes_of
from sam3_onnx.labels.label_file import LabelFile
from sam3_onnx.labels.png_masks.painting import objects_of, painted
from sam3_onnx.labels.yolo.classes import class_number
from sam3_onnx.labels.yolo.dataset import classes_of_folders
from sam3_onnx.labels.yolo.listed import ListedFormat
from sam3_onnx.results.segmentation_map import SegmentationMap
from sam3_onnx.results.shape import Shape

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Self

    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.labels.png_masks.painting import PaintedObject
    from sam3_onnx.results.segmentation_map import MapKind
    from sam3_onnx.results.shape import ShapeType

__all__ = ["PngMasksFormat"]

_LISTS = "classes.txt, data.yaml or dataset.yaml"
_PER_CLASS = 1000
_LARGEST = 65535


@dataclass(frozen=True, kw_only=True)
class PngMasksFormat(ListedFormat):
    """`PictureFormat` of PNG maps of classes or instances."""

    kind: MapKind

    suffix: ClassVar[str] = ".png"

    @property
    def name(self) -> str:
        """Name of the format, for `picture_format`."""
        return "png-masks" if self.kind == "semantic" else "png-masks-instance"

    @property
    def modes(self) -> tuple[ShapeType, ...]:
        """Shape types that the format can be written from; all shapes with an area are filled."""
        return modes_of(self.name)

    def decode(self, content: bytes, *, path: str | os.PathLike[str], image_size: tuple[int, int]) -> LabelFile:
        """Decodes a map to one mask for each class or instance, without scores; see `PictureFormat.decode`."""
        ids = _ids(content, Path(path), image_size)
        shapes: list[Shape] = []
        for number in np.unique(ids[ids > 0]).tolist():
            label = self._label(number, Path(path))
            window = Window.of(ids == number)
            height, width = window.mask.shape
            corners = [(window.x, window.y), (window.x + width - 1, window.y + height - 1)]
            shapes.append(Shape(label, "mask", np.array(corners, np.float64), mask=window.mask))
        return LabelFile(tuple(shapes), "", image_size)

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        """Encodes a map, see `PictureFormat.encode`; all labels must be in the class list, see `with_labels`.

        If shapes overlap, a pixel belongs to the first shape without a score (drawn by a person, or already in the
        file), otherwise to the shape with the highest score.
        """
        objects, losses = objects_of(file.shapes, file.image_size)
        numbers = self._numbers(objects)
        legend = dict(enumerate(self.classes, start=1))
        most = max([len(self.classes), *numbers]) if self.kind == "semantic" else _LARGEST
        ids = np.zeros(file.image_size, np.uint8 if most <= np.iinfo(np.uint8).max else np.uint16)
        losses += painted(ids, objects, numbers)
        return SegmentationMap(ids, legend).to_png(), (*losses, *unsaid_file_fields(file))

    def shared_in(self, folder: Path, others: Iterable[Path], labels: Iterable[str]) -> Self:
        """Adds the labels at the end of the class list, and writes it; see `PictureFormat.shared_in`."""
        folders, wanted = tuple(others), tuple(labels)
        known = classes_of_folders(folder, folders).names
        if set(wanted) - set(known):
            self._require_unused(folder, known)
        return super().shared_in(folder, folders, wanted)

    def _numbers(self, objects: Sequence[PaintedObject]) -> list[int]:
        """Returns the number of each object.

        Raises:
            LabelNameError: A label is not in the class list.
            LabelShapeError: There are more classes, or more instances of a class, than numbers.
        """
        classes = [class_number(self.classes, found.label) + 1 for found in objects]
        if self.kind == "semantic":
            numbers = classes
        else:
            seen: Counter[int] = Counter()
            numbers = []
            for number in classes:
                if seen[number] >= _PER_CLASS:
                    expected = f"at most {_PER_CLASS} instances of a class in one picture"
                    raise LabelShapeError(where=self.classes[number - 1], expected=expected, got="more")
                numbers.append(number * _PER_CLASS + seen[number])
                seen[number] += 1
        if max(numbers, default=0) > _LARGEST:
            most = _LARGEST if self.kind == "semantic" else _LARGEST // _PER_CLASS - 1
            got = f"class {max(classes)}"
            raise LabelShapeError(where="The class list", expected=f"at most {most} classes", got=got)
        return numbers

    def _label(self, number: int, path: Path) -> str:
        place = (number if self.kind == "semantic" else number // _PER_CLASS) - 1
        if place in range(len(self.classes)):
            return self.classes[place]
        if not self.classes:
            raise ClassListMissingError(path, expected=_LISTS)
        expected = f"numbers of {len(self.classes)} classes" + (
            f" times {_PER_CLASS}" if self.kind == "instance" else ""
        )
        raise LabelFileDamagedError(path, expected=expected, reason=f"the number {number}")

    def _require_unused(self, folder: Path, known: Sequence[str]) -> None:
        """Checks that no file uses a class number that the class list does not name yet, so that the list can grow.

        Raises:
            ClassListMissingError: There is a file with numbers, but no class list.
            ClassListConflictError: A file has a number above those of the list.
        """
        for path in sorted(folder.rglob("*.png")):
            try:
                file = open_indexed_png(path.read_bytes())
                most = int(file.ids().max(initial=0)) if file.size[0] * file.size[1] <= DEFAULT_MAX_PIXELS else 0
            except (OSError, TypeError, ValueError):  # not a map: reading it later raises the error
                continue
            most = most if self.kind == "semantic" else most // _PER_CLASS
            if most and not known:
                raise ClassListMissingError(path, expected=_LISTS)
            if most > len(known):
                raise ClassListConflictError(
                    path,
                    expected=f"numbers up to {len(known)}, so that the next is free for a new class",
                    got=f"the number {most}",
                    remedy=f"add a line for every number that is in use to {folder / 'classes.txt'}, and try again.",
                )


def _ids(content: bytes, path: Path, size: tuple[int, int]) -> NDArray[np.uint16]:
    """Decodes the numbers (H, W) of a file.

    Raises:
        LabelFileDamagedError: The file is not a complete PNG.
        LabelFileKindError: The file contains colours.
        LabelFileSizeError: The file has another size.
    """
    try:
        file = open_indexed_png(content)
        ids = file.ids() if file.size == size else None
    except TypeError as error:
        remedy = "It may be a picture: write the maps to a separate folder."
        raise LabelFileKindError(path, expected="a PNG of numbers", got=str(error), remedy=remedy) from error
    except ValueError as error:
        raise LabelFileDamagedError(path, expected="a PNG", reason=str(error)) from error
    if ids is None:
        raise LabelFileSizeError(path, expected=size, got=file.size)
    return ids
