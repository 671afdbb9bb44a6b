"""`ListedFormat`: base class of the formats whose label files contain class numbers, with names in a class list."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sam3_onnx._support.files import seen_from
from sam3_onnx.labels.label_file import PictureFormat
from sam3_onnx.labels.yolo.classes import CLASSES_FILE, with_new_classes
from sam3_onnx.labels.yolo.dataset import DatasetClasses, classes_of_folders, grow

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from typing_extensions import Self

    from sam3_onnx.labels.label_file import HoleChoice

__all__ = ["ListedFormat"]


@dataclass(frozen=True, kw_only=True)
class ListedFormat(PictureFormat):
    """A format whose label files contain class numbers."""

    classes: tuple[str, ...] = ()
    """Class names; the index of a name is its class number."""
    holes: HoleChoice = "fill"
    folder: Path = field(default=Path(), compare=False)
    """Folder of the label files."""
    dataset: DatasetClasses = field(default=DatasetClasses((), Path(CLASSES_FILE)), compare=False)
    """Class lists that apply to the folder."""

    shared_names: ClassVar[frozenset[str]] = frozenset({CLASSES_FILE})

    def in_folder(self, folder: str | os.PathLike[str]) -> Self:
        """Returns the format with the classes of the dataset of a folder; see `PictureFormat.in_folder`."""
        dataset = classes_of_folders(folder)
        return replace(self, classes=dataset.names, folder=Path(folder), dataset=dataset)

    def with_labels(self, labels: Iterable[str]) -> Self:
        """Returns the format with new labels at the end of the class list, so that no number changes."""
        classes = with_new_classes(self.classes, labels)
        self.dataset.require_growth(classes)
        return replace(self, classes=classes)

    def shared_files(self) -> Mapping[str, bytes]:
        """Returns the class list `classes.txt`, by its name; nothing if the classes are in a `data.yaml`."""
        files = self.dataset.files(self.classes)
        return {seen_from(self.folder.resolve(), path.resolve()): content for path, content in files.items()}

    def shared_in(self, folder: Path, others: Iterable[Path], labels: Iterable[str]) -> Self:
        """Adds new labels at the end of the class lists, and writes them; see `PictureFormat.shared_in`."""
        folders = tuple(others)
        return replace(self, classes=grow(lambda: classes_of_folders(folder, folders), labels))
