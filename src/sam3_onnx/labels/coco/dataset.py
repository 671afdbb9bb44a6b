"""A COCO file that is made, read and extended.

One file holds many pictures. What is in it already keeps its numbers and all its fields; pictures are told apart by
`file_name`, categories by `name`. An entry that makes no sense is kept as well, and stands in the way of its own
picture only.
"""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.keywords import known_methods
from sam3_onnx.errors import LabelFileKindError, LabelFileSizeError, LabelShapeError, OptionError
from sam3_onnx.labels.coco.annotations import annotation_shapes
from sam3_onnx.labels.coco.entries import entry_id, entry_name, next_id
from sam3_onnx.labels.coco.rows import coco_picture
from sam3_onnx.labels.json_files.text import dump_json, parse_json
from sam3_onnx.labels.json_files.values import side
from sam3_onnx.labels.losses import warn_of_losses
from sam3_onnx.labels.writing import put, require_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Sequence

    from sam3_onnx.labels.coco.entries import Entry, Id
    from sam3_onnx.labels.coco.rows import CocoPicture, CocoRow, CocoSegmentation
    from sam3_onnx.labels.label_file import LabelFile
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.results.shape import Shape

__all__ = ["CocoDataset"]

_LISTS = ("images", "annotations", "categories")


@known_methods
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
        self._where = ""
        self._adopt({"info": {}, "licenses": []}, [], [], [])

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> CocoDataset:
        """Reads a file of COCO instances.

        Raises:
            LabelFileDamagedError: It is not JSON. NaN and infinities pass, as Python's own programs write them.
            LabelFileKindError: It is another kind of JSON.
            OSError: It cannot be opened.
        """
        return cls.decode(require_path("path", path).read_bytes(), path=path)

    @classmethod
    def decode(cls, content: bytes, *, path: str | os.PathLike[str]) -> CocoDataset:
        """Returns what the bytes of a file of COCO instances say.

        Args:
            content: The file as it was read, or as `encode` returned it.
            path: What the file is called, for messages; nothing is read there.

        Raises:
            LabelError: As `read`.
        """
        fields = parse_json(content, path, python_numbers=True)
        if not isinstance(fields, dict):
            raise _another_kind(path, "an object", f"a {type(fields).__name__}")
        images, annotations, categories = (fields.get(name) for name in _LISTS)
        if not (isinstance(images, list) and isinstance(annotations, list) and isinstance(categories, list)):
            got = f"an object with {', '.join(sorted(fields)[:8])}"
            raise _another_kind(path, f"an object with the lists {', '.join(_LISTS)}", got)
        dataset = cls()
        dataset._where = f"{path}, "
        dataset._adopt(fields, images, annotations, categories)
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
            LabelShapeError: An annotation that makes no sense, or it is not clear which annotations are the picture's.
        """
        image = self._image_of(file_name)
        if image is None:
            return ()
        size, groups = (side(image.get("height")), side(image.get("width"))), count(1)
        return tuple(
            shape
            for slot in self._slots_of.get(entry_id(image), [])
            for annotation in self._slots[slot]
            for shape in annotation_shapes(
                annotation, self._label_of(annotation), where=self._called(annotation), groups=groups, size=size
            )
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
            LabelShapeError: The file has two pictures of that name or number.
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
            LabelShapeError: The file has two pictures of that name or number.
            OptionError: `replace` is one string.
        """
        if isinstance(replace, str):
            raise OptionError("replace", expected="True, False or several labels: [label] for one", got=replace)
        image = entry_id(self._image(picture))
        slots = self._slots_of.setdefault(image, [])
        going = set(replace) if not isinstance(replace, bool) else set()
        named = {number for number, names in self._names.items() if names & going}
        place = 0
        freed: list[Id | None] = []
        for slot in slots:
            gone = [replace is True or entry_id(one, "category_id") in named for one in self._slots[slot]]
            if any(gone) and not freed:
                place = slot
            freed += [entry_id(one) for one, goes in zip(self._slots[slot], gone, strict=True) if goes]
            self._slots[slot] = [one for one, goes in zip(self._slots[slot], gone, strict=True) if not goes]
        if not freed:
            place = len(self._slots)
            slots.append(place)
            self._slots.append([])
        self._used.subtract(freed)
        self.add_labels(row["label"] for row in picture["annotations"])
        numbers = iter([number for number in dict.fromkeys(freed) if number is not None and not self._used[number]])
        self._slots[place] += [self._annotation(row, next(numbers, None), image) for row in picture["annotations"]]
        return len(freed)

    def require_size(self, file_name: str, size: tuple[int, int]) -> None:
        """Lets a picture pass that the file does not know, or knows in that (height, width).

        Raises:
            LabelFileSizeError: The file knows it in another size.
            LabelShapeError: The file has two pictures of that name or number.
        """
        image = self._image_of(file_name) or {}
        said = image.get("height"), image.get("width")
        if said != (None, None) and (side(said[0]), side(said[1])) != size:
            raise LabelFileSizeError(Path(file_name), expected=size, got=said)

    def add_labels(self, labels: Iterable[str]) -> None:
        """Puts categories that are not there yet at the end, in the order given."""
        for label in labels:
            if label not in self._numbers:
                self._numbers[label] = number = self._next_category
                self._next_category += 1
                self._names[number] = {label}
                self._categories.append({"id": number, "name": label, "supercategory": ""})

    def encode(self) -> bytes:
        """Returns the bytes of the file."""
        annotations = [annotation for slot in self._slots for annotation in slot]
        lists = zip(_LISTS, (self._images, annotations, self._categories), strict=True)
        return dump_json({**self._content, **dict(lists)}, indent=None, python_numbers=True)

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
        """Takes the content of a file and finds its way about it. Any entry may be anything."""
        self._content, self._images, self._categories = content, images, categories
        self._named: dict[str, list[Entry]] = {}
        for image in images:
            name = entry_name(image, "file_name")
            if name is not None:
                self._named.setdefault(name, []).append(image)
        self._image_ids = Counter(map(entry_id, images))
        self._names: dict[Id, set[str]] = {}
        """Names of the categories of a number: one, unless the file contradicts itself."""
        for entry in categories:
            number, name = entry_id(entry), entry_name(entry, "name")
            if number is not None and name is not None:
                self._names.setdefault(number, set()).add(name)
        self._numbers: dict[str, Id] = {}
        for number, names in self._names.items():
            if len(names) == 1:
                self._numbers.setdefault(next(iter(names)), number)
        self._slots = [[annotation] for annotation in annotations]
        """Annotations in the order of the file; those that come in the place of others share its slot."""
        self._slots_of: dict[Id | None, list[int]] = {}
        owners = [entry_id(annotation, "image_id") for annotation in annotations]
        for slot, owner in enumerate(owners):
            self._slots_of.setdefault(owner, []).append(slot)
        self._used = Counter(map(entry_id, annotations))
        # numbers that annotations name without an entry of that number stay free: a new entry would adopt them
        self._next_image = next_id([*self._image_ids, *owners])
        self._next_annotation = next_id(self._used)
        named = [entry_id(annotation, "category_id") for annotation in annotations]
        self._next_category = next_id([*map(entry_id, categories), *named])

    def _image_of(self, file_name: str) -> Entry | None:
        """Returns the picture's entry, None if there is none.

        Raises:
            LabelShapeError: There are two of its name or number, or it has no number.
        """
        entries = self._named.get(file_name, [])
        if not entries:
            return None
        number = entry_id(entries[0])
        if len(entries) > 1 or number is None or self._image_ids[number] > 1:
            where = f"{self._where}picture {file_name}"
            got = f"{len(entries)} of the name, the first with the id {entries[0].get('id')!r:.40}"
            raise LabelShapeError(where=where, expected="one entry in images, with an id of its own", got=got)
        return entries[0]

    def _label_of(self, annotation: Entry) -> str:
        """Returns the name of an annotation's category.

        Raises:
            LabelShapeError: There is none, or more than one.
        """
        names = self._names.get(number, set()) if (number := entry_id(annotation, "category_id")) is not None else set()
        if len(names) != 1:
            got = f"{annotation.get('category_id')!r:.40}, which has {len(names)} names there"
            raise LabelShapeError(
                where=self._called(annotation), expected="a category_id that is in categories, with one name", got=got
            )
        return next(iter(names))

    def _called(self, annotation: Entry) -> str:
        return f"{self._where}annotation {annotation.get('id')!r:.40}"

    def _image(self, picture: CocoPicture) -> Entry:
        """Returns the picture's entry, a new one if there is none."""
        size = picture["height"], picture["width"]
        self.require_size(picture["file_name"], size)
        image = self._image_of(picture["file_name"])
        if image is None:
            image = {"id": self._next_image, "file_name": picture["file_name"], "width": size[1], "height": size[0]}
            self._image_ids[self._next_image] += 1
            self._next_image += 1
            self._images.append(image)
            self._named[picture["file_name"]] = [image]
        return image

    def _annotation(self, row: CocoRow, number: Id | None, image: Id | None) -> Entry:
        if number is None:
            number = self._next_annotation
            self._next_annotation += 1
        self._used[number] += 1
        numbers: Entry = {"id": number, "image_id": image, "category_id": self._numbers[row["label"]]}
        facts: Entry = {key: value for key, value in row.items() if key != "label" and value is not None}
        return numbers | facts


def _another_kind(path: str | os.PathLike[str], expected: str, got: str) -> LabelFileKindError:
    remedy = "CocoDataset reads COCO instances; label files of one picture have functions of their own."
    return LabelFileKindError(Path(path), expected=expected, got=got, remedy=remedy)
