"""Labelled objects of a folder of pictures, from label files of any format that is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sam3_onnx._support.lazy_values import cached_property
from sam3_onnx.errors import LabelError, LabelFileKindError, NoLabelsError, OptionError
from sam3_onnx.geometry.window import Window
from sam3_onnx.images.formats import format_of
from sam3_onnx.labels.coco.dataset import CocoDataset
from sam3_onnx.labels.conversion import shapes_by_instance
from sam3_onnx.labels.formats import COCO, FORMAT_NAMES, picture_format
from sam3_onnx.labels.json_files.text import parse_json
from sam3_onnx.labels.json_files.values import side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.labels.label_file import PictureFormat
    from sam3_onnx.results.shape import Shape

__all__ = ["LabelledObject", "Labels", "open_labels"]

_JSON, _TEXT, _PNG = ".json", ".txt", ".png"
_BOX = "rectangle"
_ANY_SIZE = (1000, 1000)


@dataclass(frozen=True, eq=False)
class LabelledObject:
    """One object that somebody labelled."""

    label: str
    mask: Window
    """Its pixels; those of its box if nothing else is known of it."""
    box: NDArray[np.float64]
    """(4,) x1, y1, x2, y2 in pixels, half-open."""
    is_box: bool
    """Whether only a box is known, so that boxes are compared and not masks."""
    is_crowd: bool
    """Whether it is a region of many objects, COCO's `iscrowd`."""


class Labels(Protocol):
    """What is labelled in some pictures."""

    @property
    def pictures(self) -> Sequence[Path]:
        """Pictures that have labels, or a label file without any shape."""
        ...

    @property
    def words(self) -> Sequence[str]:
        """Labels of all objects, each once."""
        ...

    def objects(self, picture: Path, size: tuple[int, int]) -> list[LabelledObject]:
        """Returns the labelled objects of a picture of that (height, width).

        Raises:
            LabelError: Its labels cannot be read, or make no sense.
        """
        ...


def open_labels(labels: Path, pictures: Sequence[Path], *, root: Path, label_format: str | None) -> Labels:
    """Returns the labels of some pictures.

    Args:
        labels: A COCO file, or a folder of label files with the pictures' names.
        pictures: The pictures.
        root: Folder that the pictures' names are seen from.
        label_format: One of `LABEL_FORMATS`; None to tell COCO, X-AnyLabeling's and labelme's by their content.

    Raises:
        NoLabelsError: No picture has labels.
        OptionError: The format has to be named, or is another one.
        LabelError: The file, or a list of classes, cannot be read.
    """
    if labels.is_file() and label_format in {None, COCO}:
        dataset = CocoDataset.read(labels)
        named = {picture: picture.relative_to(root).as_posix() for picture in pictures}
        found: Labels = _CocoLabels(dataset, {path: name for path, name in named.items() if name in dataset.file_names})
    else:
        if not labels.is_dir():
            expected = "a folder of label files, or a COCO file"
            raise OptionError("labels", expected=expected, got=str(labels), remedy=f"It is {_kind(labels)}.")
        files = _files(labels, pictures, root, suffix=_suffix(label_format))
        name = label_format or _recognised(files.values())
        if name not in FORMAT_NAMES:
            raise OptionError("label_format", expected=f"one of {', '.join(FORMAT_NAMES)} for a folder", got=name)
        found = _FolderLabels(picture_format(name, folder=labels), files)
    if not found.pictures:
        raise NoLabelsError(labels, pictures=root, checked=len(pictures), remedy=_other_place(labels))
    return found


@dataclass(frozen=True)
class _CocoLabels:
    """The labels of one COCO file."""

    dataset: CocoDataset
    names: Mapping[Path, str]
    """Each picture's name in the file."""

    @property
    def pictures(self) -> Sequence[Path]:
        return list(self.names)

    @property
    def words(self) -> Sequence[str]:
        return self.dataset.labels

    def objects(self, picture: Path, size: tuple[int, int]) -> list[LabelledObject]:
        name = self.names[picture]
        self.dataset.require_size(name, size)
        return _objects(self.dataset.shapes(name), size)


@dataclass(frozen=True)
class _FolderLabels:
    """Label files with a picture's name each."""

    format: PictureFormat
    files: Mapping[Path, Path]
    """Label file of each picture."""

    @property
    def pictures(self) -> Sequence[Path]:
        return list(self.files)

    @cached_property
    def words(self) -> Sequence[str]:
        found: dict[str, None] = {}
        failures: list[LabelError | OSError] = []
        for path in self.files.values():
            try:
                content = path.read_bytes()
                file = self.format.decode(content, path=path, image_size=_size_in(content, path))
            except (LabelError, OSError) as error:  # the picture fails with it when its turn comes
                failures.append(error)
                continue
            found.update(dict.fromkeys(shape.label for shape in file.shapes))
        if len(failures) == len(self.files):
            raise failures[0]
        return list(found)

    def objects(self, picture: Path, size: tuple[int, int]) -> list[LabelledObject]:
        return _objects(self.format.read(self.files[picture], image_size=size).shapes, size)


def _suffix(label_format: str | None) -> str | None:
    if label_format is None or label_format == COCO:
        return None
    return picture_format(label_format).suffix


def _files(labels: Path, pictures: Iterable[Path], root: Path, *, suffix: str | None) -> dict[Path, Path]:
    """Returns the label file of each picture that has one."""
    found: dict[Path, Path] = {}
    for picture in pictures:
        place = labels / picture.relative_to(root)
        paths = [place.with_suffix(ending) for ending in ((suffix,) if suffix else (_JSON, _TEXT))]
        path = next((path for path in paths if path.is_file()), None)
        if path is not None:
            found[picture] = path
    return found


def _recognised(files: Iterable[Path]) -> str:
    """Returns the format of label files, by the first one that says it."""
    for path in files:
        if path.suffix == _TEXT:
            names = [name for name in FORMAT_NAMES if picture_format(name).suffix == _TEXT]
            expected = f"one of {', '.join(names)}: rows of {path.name} do not say which"
            raise OptionError("label_format", expected=expected, got=None)
        content = path.read_bytes()
        for name in FORMAT_NAMES:
            if picture_format(name).suffix != _JSON:
                continue
            try:
                picture_format(name).decode(content, path=path, image_size=_size_in(content, path))
            except LabelFileKindError:
                continue
            except LabelError:
                break
            return name
    return FORMAT_NAMES[0]


def _size_in(content: bytes, path: Path) -> tuple[int, int]:
    """Returns the picture's size that a label file says, or any: labels are the same in every size."""
    if path.suffix == _PNG and (picture := format_of(content)) is not None:
        size = picture.read(content)
        return size.height, size.width
    fields = parse_json(content, path) if path.suffix == _JSON else None
    if isinstance(fields, dict):
        height, width = side(fields.get("imageHeight")), side(fields.get("imageWidth"))
        if height is not None and width is not None:
            return height, width
    return _ANY_SIZE


def _objects(shapes: Sequence[Shape], size: tuple[int, int]) -> list[LabelledObject]:
    """Returns one object for each instance; shapes without an area, such as points, are none."""
    found: list[LabelledObject] = []
    for parts in shapes_by_instance(shapes):
        masks = [mask for mask in (part.to_mask(size) for part in parts) if mask is not None]
        if not masks:
            continue
        mask = Window.of(np.logical_or.reduce(masks))
        is_box = all(part.shape_type == _BOX for part in parts)
        is_crowd = any(part.extra.get("iscrowd") for part in parts)
        found.append(LabelledObject(parts[0].label, mask, _box(parts, mask, is_box=is_box), is_box, is_crowd))
    return found


def _box(parts: Sequence[Shape], mask: Window, *, is_box: bool) -> NDArray[np.float64]:
    """Returns the box of an object: that of its pixels, or of its points where it is a box or has no pixels."""
    if is_box or not mask.area:
        corners = np.concatenate([part.points for part in parts])
        return np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    height, width = mask.mask.shape
    return np.array([mask.x, mask.y, mask.x + width, mask.y + height], np.float64)


def _is_coco(path: Path) -> bool:
    try:
        fields = parse_json(path.read_bytes(), path)
    except (LabelError, OSError):  # whatever it is, it is no COCO file
        return False
    return isinstance(fields, dict) and {"images", "annotations"} <= fields.keys()


def _other_place(labels: Path) -> str:
    """Returns what to name in place of a folder that holds COCO files, if it does."""
    found = [path for path in sorted(labels.glob(f"*{_JSON}")) if _is_coco(path)]
    return f"Name the COCO file itself: {' or '.join(map(str, found))}." if found else ""


def _kind(path: Path) -> str:
    return "a file" if path.exists() else "not there"
