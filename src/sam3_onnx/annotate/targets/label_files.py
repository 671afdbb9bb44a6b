"""Labels of a folder in one file for each picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.files import seen_from
from sam3_onnx.annotate.finished import Completed, Written, counted
from sam3_onnx.annotate.merging import merge_shapes
from sam3_onnx.errors import LabelCollisionError, OptionError
from sam3_onnx.images.finding import picture_suffixes
from sam3_onnx.labels.finds import shapes_of
from sam3_onnx.labels.formats import picture_format
from sam3_onnx.labels.label_file import LabelFile
from sam3_onnx.labels.writing import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sam3_onnx.annotate.finished import FinishedPicture
    from sam3_onnx.annotate.merging import Merged
    from sam3_onnx.annotate.targets.protocol import Merging
    from sam3_onnx.labels.label_file import PictureFormat
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.results.shape import Shape, ShapeType

__all__ = ["FolderOfFiles"]


@dataclass
class FolderOfFiles:
    """One label file for each picture, with the picture's name and the format's ending."""

    root: Path
    """The folder of pictures."""
    folder: Path
    format: PictureFormat
    mode: ShapeType
    epsilon: float | None
    min_area: int
    """Pixels below which parts of polygons are left out."""
    merging: Merging

    @classmethod
    def named(
        cls,
        name: str,
        mode: ShapeType | None,
        *,
        root: Path,
        folder: Path,
        epsilon: float | None,
        min_area: int,
        merging: Merging,
    ) -> FolderOfFiles:
        """Returns files of a format, by its name.

        Raises:
            OptionError: There is no such format, or it has no such mode; or its files are pictures, and would lie among
                those that are labelled.
            LabelError: It cannot write one of the labels, or its list of classes cannot be read.
        """
        chosen = picture_format(name, folder=folder).with_labels(merging.labels)
        if mode is not None and mode not in chosen.modes:
            raise OptionError("mode", expected=f"one of {', '.join(chosen.modes)} for {name}", got=mode)
        if chosen.suffix in picture_suffixes() and folder.resolve().is_relative_to(root.resolve()):
            remedy = (
                f"Files of {name} are pictures, which would be labelled the next time: name a folder with out= (-o)."
            )
            raise OptionError("out", expected=f"a folder outside {root}", got=str(folder), remedy=remedy)
        return cls(root, folder, chosen, mode or chosen.modes[0], epsilon, min_area, merging)

    def begin(self, pictures: Iterable[Path]) -> None:
        """Writes what the label files share: the list of classes, if the format has one.

        Raises:
            LabelCollisionError: Two pictures would be labelled in one file, or one in what the files share.
            LabelError: The list of classes does not fit the label files that are there.
        """
        taken: dict[Path, str] = {}
        for picture in pictures:
            path = self._path(picture)
            if path.name in self.format.shared_names:
                claimed_by = (f"the file {path.name} that label files share", str(picture))
                raise LabelCollisionError(path, claimed_by=claimed_by)
            if path in taken:
                raise LabelCollisionError(path, claimed_by=(taken[path], str(picture)))
            taken[path] = str(picture)
        folders = dict.fromkeys(path.parent for path in taken)
        self.format = self.format.shared_in(self.folder, folders, self.merging.labels)

    def has_labels(self, picture: Path) -> bool:
        """Returns whether a picture has a label file."""
        try:
            return self._path(picture).is_file()
        except OSError:  # such as a name that is too long: `write` tells of it
            return False

    def still_has(self, picture: Path, written: Written) -> bool:  # noqa: ARG002 - the protocol's
        """Returns whether the label file of a finished picture is still there."""
        return self.has_labels(picture)

    def write(self, picture: Path, result: Segmentation) -> Written:
        """Joins what was found to the picture's label file, and makes one if there is none."""
        path = self._path(picture)
        found, unshaped = shapes_of(result, self.mode, epsilon=self.epsilon, parts="all", min_area=self.min_area)
        new = LabelFile((), seen_from(path.parent, picture), result.size)
        written = Written()

        def joined(content: bytes | None) -> bytes | None:
            nonlocal written
            is_new = content is None
            there = new if content is None else self.format.decode(content, path=path, image_size=result.size)
            content, merged, losses = self._joined(there, found, path)
            written = Written(merged.added, merged.removed, merged.duplicates, counted([*unshaped, *losses]))
            return content if is_new or merged.added or merged.removed else None

        rewrite(path, joined)
        return written

    def _joined(self, there: LabelFile, found: Sequence[Shape], path: Path) -> tuple[bytes, Merged, Sequence[Loss]]:
        """Returns the content of a label file with new shapes, what joined, and what it does not say."""
        content, losses = self.format.encode(there.with_shapes(found))
        # what is there comes from a file as well: only what the format tells of the new shapes can be held against it
        as_written = self.format.decode(content, path=path, image_size=there.image_size).shapes
        merged = merge_shapes(
            there.shapes,
            as_written,
            labels=self.merging.labels,
            size=there.image_size,
            existing=self.merging.existing,
            duplicate_iou=self.merging.duplicate_iou,
        )
        if there.shapes:
            content, lost = self.format.encode(there.with_shapes(merged.shapes))
            losses = (*losses, *lost)
        return content, merged, losses

    def finish(self, pictures: Sequence[FinishedPicture]) -> Completed:
        """Returns the pictures as they are: every file is written."""
        return Completed(pictures)

    def _path(self, picture: Path) -> Path:
        return (self.folder / picture.relative_to(self.root)).with_suffix(self.format.suffix)
