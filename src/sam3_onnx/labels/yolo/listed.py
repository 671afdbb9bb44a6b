"""What formats share whose label files hold numbers of classes, and a list the names."""

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
    """A format whose label files hold numbers of classes."""

    classes: tuple[str, ...] = ()
    """Names of the classes, each at its number."""
    holes: HoleChoice = "fill"
    folder: Path = field(default=Path(), compare=False)
    """Where the label files lie."""
    dataset: DatasetClasses = field(default=DatasetClasses((), Path(CLASSES_FILE)), compare=False)
    """The lists of classes that hold there."""

    shared_names: ClassVar[frozenset[str]] = frozenset({CLASSES_FILE})

    def in_folder(self, folder: str | os.PathLike[str]) -> Self:
        """See `PictureFormat.in_folder`: with the classes of the data set to which the folder belongs."""
        dataset = classes_of_folders(folder)
        return replace(self, classes=dataset.names, folder=Path(folder), dataset=dataset)

    def with_labels(self, labels: Iterable[str]) -> Self:
        """See `PictureFormat.with_labels`: those that are no class yet come last, so that no number changes."""
        classes = with_new_classes(self.classes, labels)
        self.dataset.require_growth(classes)
        return replace(self, classes=classes)

    def shared_files(self) -> Mapping[str, bytes]:
        """Returns the list of classes, `classes.txt`; none where a `data.yaml` holds them."""
        files = self.dataset.files(self.classes)
        return {seen_from(self.folder.resolve(), path.resolve()): content for path, content in files.items()}

    def shared_in(self, folder: Path, others: Iterable[Path], labels: Iterable[str]) -> Self:
        """See `PictureFormat.shared_in`: the labels are put at the end of the list of classes."""
        folders = tuple(others)
        return replace(self, classes=grow(lambda: classes_of_folders(folder, folders), labels))
