"""Label files of a folder, one for each picture."""

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
    """One label file for each picture, with the name of the picture and the file extension of the format."""

    root: Path
    """The folder of pictures."""
    folder: Path
    format: PictureFormat
    mode: ShapeType
    epsilon: float | None
    min_area: int
    """Parts of polygons with fewer pixels than this are left out."""
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
        """Returns the target for a format with a given name.

        Raises:
            OptionError: The format is unknown, or does not support the mode; or its files are pictures and would be in
                the folder of the labelled pictures.
            LabelError: The format cannot store one of the labels, or its class list cannot be read.
        """
        chosen = picture_format(name, folder=folder).with_labels(merging.labels)
        if mode is not None and mode not in chosen.modes:
            raise OptionError("mode", expected=f"one of {', '.join(chosen.modes)} for {name}", got=mode)
        if chosen.suffix in picture_suffixes() and folder.resolve().is_relative_to(root.resolve()):
            remedy = f"Files of {name} are pictures, which the next run would label: choose a folder with out= (-o)."
            raise OptionError("out", expected=f"a folder outside {root}", got=str(folder), remedy=remedy)
        return cls(root, folder, chosen, mode or chosen.modes[0], epsilon, min_area, merging)

    def begin(self, pictures: Iterable[Path]) -> None:
        """Writes the class list, if the format has one.

        Raises:
            LabelCollisionError: Two pictures would have the same label file, or a label file would replace the class
                list.
            LabelError: The class list does not match the existing label files.
        """
        taken: dict[Path, str] = {}
        for picture in pictures:
            path = self._path(picture)
            if path.name in self.format.shared_names:
                claimed_by = (f"the shared file {path.name}", str(picture))
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
        except OSError:  # such as a name that is too long: `write` raises the error
            return False

    def still_has(self, picture: Path, written: Written) -> bool:  # noqa: ARG002 - the protocol's
        """Returns whether the label file of a finished picture still exists."""
        return self.has_labels(picture)

    def write(self, picture: Path, result: Segmentation) -> Written:
        """Adds the found shapes to the label file of the picture, which is created if it does not exist."""
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
        """Returns the new content of a label file, the result of merging, and the losses."""
        content, losses = self.format.encode(there.with_shapes(found))
        # existing shapes come from such a file: only the losses of new shapes are losses of this run
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
        """Returns the pictures unchanged, because every file is already written."""
        return Completed(pictures)

    def _path(self, picture: Path) -> Path:
        return (self.folder / picture.relative_to(self.root)).with_suffix(self.format.suffix)
