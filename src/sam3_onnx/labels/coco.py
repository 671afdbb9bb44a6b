"""How is a COCO file made, read and gone on with?

One file holds many pictures. What is in it already keeps its numbers and all its fields; pictures are told apart by
`file_name`, categories by `name`.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.checks import is_number, is_whole
from sam3_onnx.errors import LabelFileKindError, LabelFileSizeError, LabelShapeError, MaskError, OptionError
from sam3_onnx.geometry import rle_to_mask
from sam3_onnx.labels.coco_rows import coco_picture
from sam3_onnx.labels.json_text import dump_json, read_json
from sam3_onnx.labels.losses import warn_of_losses
from sam3_onnx.labels.writing import put
from sam3_onnx.masks import Window
from sam3_onnx.shapes import Shape

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from sam3_onnx.labels.coco_rows import CocoPicture, CocoRow, CocoSegmentation
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results import Segmentation

    Entry: TypeAlias = dict[str, object]
    """An object of the file, with whatever fields it has."""

__all__ = ["CocoDataset"]

_LISTS = ("images", "annotations", "categories")
_INTERPRETED = {"id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd", "score"}
_BOX = 4


class CocoDataset:
    """The pictures, instances and categories of one COCO file.

    The same steps from the same file give the same bytes. It is not for several threads at once.

    Example:
        >>> dataset = CocoDataset()
        >>> dataset.add("a.png", [], image_size=(480, 640))
        ()
        >>> dataset.file_names, dataset.labels
        (('a.png',), ())
    """

    def __init__(self) -> None:
        self._content: Entry = {"info": {}, "licenses": [], "images": [], "annotations": [], "categories": []}
        self._adopt()

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> CocoDataset:
        """Reads a file of COCO instances.

        Raises:
            LabelFileDamagedError: It is not JSON.
            LabelFileKindError: It is another kind of JSON, or two of its pictures have one name.
            OSError: It cannot be opened.
        """
        content = read_json(path)
        if not isinstance(content, dict) or not all(_is_list_of_objects(content.get(name)) for name in _LISTS):
            got = (
                f"an object with {', '.join(sorted(content)[:8])}"
                if isinstance(content, dict)
                else type(content).__name__
            )
            raise _another_kind(path, "an object with the lists images, annotations and categories", got)
        dataset = cls()
        dataset._content = content
        dataset._adopt()
        names = [image.get("file_name") for image in dataset._images.values()]
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(_entries(content, "images")):
            raise _another_kind(
                path, "images with an id and a file_name of their own each", "a missing or a second one"
            )
        return dataset

    @property
    def file_names(self) -> tuple[str, ...]:
        """Of all pictures, in the order of the file."""
        return tuple(str(image["file_name"]) for image in self._images.values())

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of all categories, in the order of the file."""
        return tuple(self._categories)

    def shapes(self, file_name: str) -> tuple[Shape, ...]:
        """What is labelled in a picture; nothing for one that is not in the file.

        Run lengths become shapes of the type "mask", polygons become polygons that share a `group_id` if an instance
        has several, and what has only a box becomes a rectangle.

        Raises:
            LabelShapeError: An annotation that cannot be understood.
        """
        image = self._named.get(file_name)
        if image is None:
            return ()
        names = {entry.get("id"): str(entry.get("name")) for entry in _entries(self._content, "categories")}
        groups = count(1)
        return tuple(
            shape
            for slot in self._slots_of.get(image["id"], [])
            for annotation in self._slots[slot]
            for shape in _shapes(annotation, names, groups)
        )

    def add(
        self,
        file_name: str,
        found: Segmentation | Sequence[Shape],
        *,
        image_size: tuple[int, int] | None = None,
        replace: bool = False,
        segmentation: CocoSegmentation = "rle",
        epsilon: float | None = None,
    ) -> tuple[Loss, ...]:
        """Puts the instances of a picture beside what is there, or in its place.

        Args:
            file_name: Of the picture, as the file is to name it.
            found: A result, or shapes. Shapes that share a label and a `group_id` are one instance.
            image_size: (height, width) of the picture; a result knows its own.
            replace: Whether older annotations of the picture go.
            segmentation: "rle", or "polygons": without holes.
            epsilon: Of the polygons of a result; None for the session's.

        Returns:
            What the rows do not say.

        Raises:
            LabelFileSizeError: The file knows the picture in another size.
            OptionError: Shapes without a size, or another kind of segmentation.

        Warns:
            LabelLossWarning: The rows do not say all.
        """
        picture, losses = coco_picture(
            file_name, found, image_size=image_size, segmentation=segmentation, epsilon=epsilon
        )
        self.add_rows(picture, replace=replace)
        warn_of_losses(file_name, losses)
        return losses

    def add_rows(self, picture: CocoPicture, *, replace: bool = False) -> None:
        """As `add`, with rows that `coco_picture` made, at another time or in another process.

        Annotations that go hand their numbers on to those that come, so that doing the same twice changes nothing.

        Raises:
            LabelFileSizeError: The file knows the picture in another size.
        """
        image = self._image(picture)
        slots = self._slots_of.setdefault(image["id"], [])
        freed: list[object] = []
        if replace and slots:
            freed = [annotation.get("id") for slot in slots for annotation in self._slots[slot]]
            for slot in slots:
                self._slots[slot] = []
        else:
            slots.append(len(self._slots))
            self._slots.append([])
        self.add_labels(row["label"] for row in picture["annotations"])
        numbers = iter(freed)
        self._slots[slots[0] if replace else slots[-1]] = [
            self._annotation(row, next(numbers, None), image["id"]) for row in picture["annotations"]
        ]

    def add_labels(self, labels: Iterable[str]) -> None:
        """Puts categories that are not there yet at the end, in the order given."""
        for label in labels:
            if label not in self._categories:
                number = 1 + max((int(known) for known in self._categories.values() if is_whole(known)), default=0)
                self._categories[label] = number
                entry = {"id": number, "name": label, "supercategory": ""}
                _entries(self._content, "categories").append(entry)

    def encode(self) -> bytes:
        """The file's content."""
        annotations = [annotation for slot in self._slots for annotation in slot]
        return dump_json({**self._content, "annotations": annotations}, indent=None)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file in one step: it is whole, or the older file is as it was.

        Raises:
            LabelFilePermissionError: The file may not be written.
            OSError: The file cannot be written.
        """
        put(path, self.encode())

    def _adopt(self) -> None:
        """Finds its way about the content."""
        self._images = {image.get("id"): image for image in _entries(self._content, "images")}
        self._named = {str(image.get("file_name")): image for image in self._images.values()}
        self._categories = {str(entry.get("name")): entry.get("id") for entry in _entries(self._content, "categories")}
        self._slots: list[list[Entry]] = [[annotation] for annotation in _entries(self._content, "annotations")]
        self._slots_of: dict[object, list[int]] = {}
        for slot, (annotation,) in enumerate(self._slots):
            self._slots_of.setdefault(annotation.get("image_id"), []).append(slot)
        self._next_image = 1 + _largest_id(self._images.values())
        self._next_annotation = 1 + _largest_id(annotation for slot in self._slots for annotation in slot)

    def _image(self, picture: CocoPicture) -> Entry:
        """The picture's entry, a new one if there is none."""
        size = picture["height"], picture["width"]
        image = self._named.get(picture["file_name"])
        if image is None:
            image = {"id": self._next_image, "file_name": picture["file_name"], "width": size[1], "height": size[0]}
            self._next_image += 1
            _entries(self._content, "images").append(image)
            self._images[image["id"]] = self._named[picture["file_name"]] = image
        known = image.get("height"), image.get("width")
        if is_whole(known[0]) and is_whole(known[1]) and known != size:
            raise LabelFileSizeError(Path(picture["file_name"]), expected=size, got=(known[0], known[1]))
        return image

    def _annotation(self, row: CocoRow, number: object, image: object) -> Entry:
        if number is None:
            number = self._next_annotation
            self._next_annotation += 1
        numbers: Entry = {"id": number, "image_id": image, "category_id": self._categories[row["label"]]}
        facts: Entry = {key: value for key, value in row.items() if key != "label" and value is not None}
        return numbers | facts


def _shapes(annotation: Mapping[str, object], names: Mapping[object, str], groups: Iterator[int]) -> list[Shape]:
    where = f"annotation {annotation.get('id')}"
    label = names.get(annotation.get("category_id"))
    if label is None:
        got = repr(annotation.get("category_id"))
        raise LabelShapeError(where=where, expected="a category_id that is in categories", got=got)
    score = annotation.get("score")
    extra = {key: value for key, value in annotation.items() if key not in _INTERPRETED}
    facts = {"score": float(score) if is_number(score) else None}
    outline = annotation.get("segmentation")
    if isinstance(outline, dict):
        return [_mask_shape(label, outline, where, facts["score"], extra)]
    if isinstance(outline, list) and outline:
        rings = [_pairs(ring, where) for ring in outline]
        group = next(groups) if len(rings) > 1 else None
        return [Shape(label, "polygon", ring, facts["score"], group_id=group, extra=extra) for ring in rings]
    box = _pairs(annotation.get("bbox"), where)
    if len(box) * 2 != _BOX:
        raise LabelShapeError(where=where, expected="a bbox of x, y, width and height", got=repr(box.tolist()))
    (x, y), (width, height) = box
    corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    return [Shape(label, "rectangle", corners, facts["score"], extra=extra)]


def _mask_shape(
    label: str, outline: Mapping[str, object], where: str, score: float | None, extra: Mapping[str, object]
) -> Shape:
    try:
        window = Window(rle_to_mask(outline), 0, 0).tight()
    except MaskError as error:
        raise LabelShapeError(where=where, expected="run lengths", got=str(error)) from error
    height, width = window.mask.shape
    corners = window.origin + np.array([(0, 0), (width - 1, height - 1)])
    return Shape(label, "mask", corners, score, mask=window.mask, extra=extra)


def _pairs(numbers: object, where: str) -> np.ndarray:
    if isinstance(numbers, list) and numbers and len(numbers) % 2 == 0 and all(map(is_number, numbers)):
        return np.array(numbers, np.float64).reshape(-1, 2)
    raise LabelShapeError(where=where, expected="an even number of finite numbers", got=repr(numbers)[:80])


def _entries(content: Entry, name: str) -> list[Entry]:
    """A list of the file, of which `read` has seen that it is one."""
    entries = content[name]
    if not isinstance(entries, list):
        raise OptionError(name, expected="a list", got=entries)
    return entries


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _largest_id(entries: Iterable[Entry]) -> int:
    return max((int(number) for entry in entries if is_whole(number := entry.get("id"))), default=0)


def _another_kind(path: str | os.PathLike[str], expected: str, got: str) -> LabelFileKindError:
    remedy = "CocoDataset reads COCO instances; label files of one picture have functions of their own."
    return LabelFileKindError(Path(path), expected=expected, got=got, remedy=remedy)
