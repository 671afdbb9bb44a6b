"""A COCO file that is made, read and extended.

One file holds many pictures. What is in it already keeps its numbers and all its fields; pictures are told apart by
`file_name`, categories by `name`.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import is_number, is_whole
from sam3_onnx.errors import LabelFileKindError, LabelFileSizeError, LabelShapeError, MaskError, OptionError
from sam3_onnx.geometry.rle import rle_to_mask
from sam3_onnx.geometry.window import Window
from sam3_onnx.labels.coco.rows import coco_picture
from sam3_onnx.labels.json_files.text import dump_json, parse_json
from sam3_onnx.labels.losses import warn_of_losses
from sam3_onnx.labels.writing import put, require_folder
from sam3_onnx.results.shape import Shape

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    from sam3_onnx.labels.coco.rows import CocoPicture, CocoRow, CocoSegmentation
    from sam3_onnx.labels.label_file import LabelFile
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.segmentation import Segmentation

    Entry: TypeAlias = dict[str, object]
    """An object of the file, with whatever fields it has."""

__all__ = ["CocoDataset"]

_LISTS = ("images", "annotations", "categories")
_KEYS = ("image_id", "category_id")
_INTERPRETED = {"id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd", "score"}
_BOX_PAIRS = 2


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
        self._adopt({"info": {}, "licenses": [], "images": [], "annotations": [], "categories": []}, [], [], [])

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> CocoDataset:
        """Reads a file of COCO instances.

        Raises:
            LabelFileDamagedError: It is not JSON.
            LabelFileKindError: It is another kind of JSON, or two of its pictures have one name.
            OSError: It cannot be opened.
        """
        content = parse_json(Path(path).read_bytes(), path)
        if not isinstance(content, dict):
            raise _another_kind(path, "an object", f"a {type(content).__name__}")
        images, annotations, categories = (_objects(content, name) for name in _LISTS)
        if images is None or annotations is None or categories is None:
            got = f"an object with {', '.join(sorted(content)[:8])}"
            raise _another_kind(path, f"an object with the lists {', '.join(_LISTS)}", got)
        for entries, facts in ((images, ("id", "file_name")), (annotations, _KEYS), (categories, ("id", "name"))):
            if not all(isinstance(entry.get(fact), int | str) for entry in entries for fact in facts):
                raise _another_kind(path, f"entries that all have {' and '.join(facts)}", "one that has not")
        for fact in ("id", "file_name"):
            if len({image[fact] for image in images}) < len(images):
                raise _another_kind(path, f"images with a {fact} of their own each", "one that two of them share")
        dataset = cls()
        dataset._adopt(content, images, annotations, categories)
        return dataset

    def __repr__(self) -> str:
        instances = sum(map(len, self._slots))
        pictures, categories = len(self._images), len(self._categories)
        return f"<CocoDataset of {pictures} pictures, {instances} annotations, {categories} categories>"

    @property
    def file_names(self) -> tuple[str, ...]:
        """Names of all pictures, in the order of the file."""
        return tuple(self._named)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of all categories, in the order of the file."""
        return tuple(self._numbers)

    def shapes(self, file_name: str) -> tuple[Shape, ...]:
        """Returns what is labelled in a picture; nothing for one that is not in the file.

        Run lengths become shapes of the type "mask", polygons become polygons that share a `group_id` if an instance
        has several, and what has only a box becomes a rectangle.

        Raises:
            LabelShapeError: An annotation that cannot be understood.
        """
        image = self._named.get(file_name)
        if image is None:
            return ()
        names = {entry.get("id"): str(entry.get("name")) for entry in self._categories}
        size, groups = (image.get("height"), image.get("width")), count(1)
        return tuple(
            shape
            for slot in self._slots_of.get(image["id"], [])
            for annotation in self._slots[slot]
            for shape in _shapes(annotation, names, groups, size)
        )

    def add(
        self,
        file_name: str,
        found: Segmentation | LabelFile | Sequence[Shape],
        *,
        image_size: tuple[int, int] | None = None,
        replace: bool = False,
        segmentation: CocoSegmentation = "rle",
        epsilon: float | None = None,
    ) -> tuple[Loss, ...]:
        """Puts the instances of a picture beside what is there, or in its place.

        Args:
            file_name: Of the picture, as the file is to name it.
            found: A result, a `LabelFile`, or shapes. Shapes that share a label and a `group_id` are one instance.
            image_size: (height, width) of the picture; a result and a `LabelFile` know their own.
            replace: Whether older annotations of the picture go.
            segmentation: "rle", or "polygons": without holes.
            epsilon: Of the polygons of a result; None for the session's.

        Returns:
            What the rows do not say.

        Raises:
            LabelFileSizeError: The file knows the picture in another size.
            OptionError: What is no shapes, shapes without a size, another size than found, or another segmentation.

        Warns:
            LabelLossWarning: The rows do not say all.
        """
        picture, losses = coco_picture(
            file_name, found, image_size=image_size, segmentation=segmentation, epsilon=epsilon
        )
        self.add_rows(picture, replace=replace)
        warn_of_losses(file_name, losses)
        return losses

    def add_rows(self, picture: CocoPicture, *, replace: bool | Collection[str] = False) -> int:
        """Puts rows of `coco_picture` beside what is there, or in its place, as `add` does.

        They may have been made at another time, or in another process.
        Annotations that go hand their numbers and their place on to those that come, so that doing the same twice
        changes nothing.

        Args:
            picture: The rows.
            replace: Whether older annotations of the picture go; or the labels of those that do.

        Returns:
            How many older annotations went.

        Raises:
            LabelFileSizeError: The file knows the picture in another size.
            OptionError: `replace` is one string.
        """
        if isinstance(replace, str):
            raise OptionError("replace", expected="True, False or several labels: [label] for one", got=replace)
        image = self._image(picture)
        slots = self._slots_of.setdefault(image["id"], [])
        going = set(replace) if not isinstance(replace, bool) else set()
        named = {entry.get("id") for entry in self._categories if entry.get("name") in going}
        freed: list[tuple[int, object]] = []
        for slot in slots:
            gone = [one for one in self._slots[slot] if replace is True or one.get("category_id") in named]
            freed += [(slot, one.get("id")) for one in gone]
            self._slots[slot] = [one for one in self._slots[slot] if not any(one is other for other in gone)]
        if not freed:
            slots.append(len(self._slots))
            self._slots.append([])
        self.add_labels(row["label"] for row in picture["annotations"])
        numbers = iter([number for _, number in freed])
        self._slots[freed[0][0] if freed else slots[-1]] += [
            self._annotation(row, next(numbers, None), image["id"]) for row in picture["annotations"]
        ]
        return len(freed)

    def require_size(self, file_name: str, size: tuple[int, int]) -> None:
        """Lets a picture pass that the file does not know, or knows in that (height, width).

        Raises:
            LabelFileSizeError: The file knows it in another size.
        """
        image = self._named.get(file_name, {})
        height, width = image.get("height"), image.get("width")
        if is_whole(height) and is_whole(width) and (height, width) != size:
            raise LabelFileSizeError(Path(file_name), expected=size, got=(height, width))

    def add_labels(self, labels: Iterable[str]) -> None:
        """Puts categories that are not there yet at the end, in the order given."""
        for label in labels:
            if label not in self._numbers:
                self._numbers[label] = number = 1 + _largest_id(self._categories)
                self._categories.append({"id": number, "name": label, "supercategory": ""})

    def encode(self) -> bytes:
        """Returns the bytes of the file."""
        annotations = [annotation for slot in self._slots for annotation in slot]
        lists = zip(_LISTS, (self._images, annotations, self._categories), strict=True)
        return dump_json({**self._content, **dict(lists)}, indent=None)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file in one step: it is whole, or the older file is as it was.

        Raises:
            LabelFilePermissionError: The file may not be written.
            LabelFolderMissingError: Its folder is not there.
            OSError: The file cannot be written.
        """
        require_folder(path)
        put(path, self.encode())

    def _adopt(self, content: Entry, images: list[Entry], annotations: list[Entry], categories: list[Entry]) -> None:
        """Takes the content of a file and finds its way about it."""
        self._content, self._images, self._categories = content, images, categories
        self._named = {str(image.get("file_name")): image for image in images}
        self._numbers: dict[str, object] = {}
        for entry in categories:
            self._numbers.setdefault(str(entry.get("name")), entry.get("id"))
        self._slots = [[annotation] for annotation in annotations]
        """Annotations in the order of the file; those that come in the place of others share its slot."""
        self._slots_of: dict[object, list[int]] = {}
        for slot, annotation in enumerate(annotations):
            self._slots_of.setdefault(annotation.get("image_id"), []).append(slot)
        self._next_image, self._next_annotation = 1 + _largest_id(images), 1 + _largest_id(annotations)

    def _image(self, picture: CocoPicture) -> Entry:
        """Returns the picture's entry, a new one if there is none."""
        size = picture["height"], picture["width"]
        self.require_size(picture["file_name"], size)
        image = self._named.get(picture["file_name"])
        if image is None:
            image = {"id": self._next_image, "file_name": picture["file_name"], "width": size[1], "height": size[0]}
            self._next_image += 1
            self._images.append(image)
            self._named[picture["file_name"]] = image
        return image

    def _annotation(self, row: CocoRow, number: object, image: object) -> Entry:
        if number is None:
            number = self._next_annotation
            self._next_annotation += 1
        numbers: Entry = {"id": number, "image_id": image, "category_id": self._numbers[row["label"]]}
        facts: Entry = {key: value for key, value in row.items() if key != "label" and value is not None}
        return numbers | facts


def _shapes(
    annotation: Mapping[str, object], names: Mapping[object, str], groups: Iterator[int], size: tuple[object, object]
) -> list[Shape]:
    where = f"annotation {annotation.get('id')}"
    label = names.get(annotation.get("category_id"))
    if label is None:
        got = repr(annotation.get("category_id"))
        raise LabelShapeError(where=where, expected="a category_id that is in categories", got=got)
    given = annotation.get("score")
    score = float(given) if is_number(given) else None
    extra = {key: value for key, value in annotation.items() if key not in _INTERPRETED}
    outline = annotation.get("segmentation")
    if isinstance(outline, dict):
        mask = _mask(outline, where, size)
        height, width = mask.mask.shape
        corners = mask.origin + np.array([(0, 0), (width - 1, height - 1)])
        return [Shape(label, "mask", corners, score, mask=mask.mask, extra=extra)]
    if isinstance(outline, list) and outline:
        rings = [_pairs(ring, where) for ring in outline]
        group = next(groups) if len(rings) > 1 else None
        return [Shape(label, "polygon", ring, score, group_id=group, extra=extra) for ring in rings]
    box = _pairs(annotation.get("bbox"), where)
    if len(box) != _BOX_PAIRS:
        raise LabelShapeError(where=where, expected="a bbox of x, y, width and height", got=repr(box.tolist()))
    (x, y), (width, height) = box
    corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    return [Shape(label, "rectangle", corners, score, extra=extra)]


def _mask(outline: Mapping[str, object], where: str, size: tuple[object, object]) -> Window:
    try:
        mask = rle_to_mask(outline)
    except MaskError as error:
        raise LabelShapeError(where=where, expected="run lengths", got=str(error)) from error
    if mask.shape != size:
        raise LabelShapeError(where=where, expected=f"run lengths of {size} pixels", got=f"those of {mask.shape}")
    return Window.of(mask)


def _pairs(numbers: object, where: str) -> NDArray[np.float64]:
    if isinstance(numbers, list) and numbers and len(numbers) % 2 == 0 and all(map(is_number, numbers)):
        return np.array(numbers, np.float64).reshape(-1, 2)
    raise LabelShapeError(where=where, expected="an even number of finite numbers", got=repr(numbers)[:80])


def _objects(content: Entry, name: str) -> list[Entry] | None:
    """Returns a list of the file, if it is one of objects."""
    entries = content.get(name)
    return entries if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries) else None


def _largest_id(entries: Iterable[Entry]) -> int:
    return max((int(number) for entry in entries if is_whole(number := entry.get("id"))), default=0)


def _another_kind(path: str | os.PathLike[str], expected: str, got: str) -> LabelFileKindError:
    remedy = "CocoDataset reads COCO instances; label files of one picture have functions of their own."
    return LabelFileKindError(Path(path), expected=expected, got=got, remedy=remedy)
