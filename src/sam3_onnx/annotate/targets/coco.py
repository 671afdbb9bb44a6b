"""One COCO file for the labels of a folder.

The file is written at the end of a run, from the entries of the journal, in the order of the pictures, so that an
interruption does not change it. The rows are added to the content that the file has at that time, because another
program may have saved it during the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sam3_onnx.annotate.finished import Completed, Written, counted
from sam3_onnx.annotate.merging import merge_shapes
from sam3_onnx.errors import FolderError, LabelError, OptionError
from sam3_onnx.labels.coco.dataset import CocoDataset
from sam3_onnx.labels.coco.rows import coco_picture
from sam3_onnx.labels.writing import content_of, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sam3_onnx.annotate.finished import FinishedPicture
    from sam3_onnx.annotate.targets.protocol import Merging
    from sam3_onnx.labels.coco.rows import CocoPicture, CocoRow, CocoSegmentation
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.results.shape import ShapeType

__all__ = ["COCO_FILE", "CocoFile"]

COCO_FILE = "annotations.json"
"""Name of the file."""
_SEGMENTATIONS: dict[str, CocoSegmentation] = {"mask": "rle", "polygon": "polygons"}


@dataclass
class CocoFile:
    """One COCO file for the labels of all pictures; it names them by their paths relative to the folder of pictures."""

    root: Path
    """The folder of pictures."""
    folder: Path
    segmentation: CocoSegmentation
    epsilon: float | None
    merging: Merging
    dataset: CocoDataset = field(default_factory=CocoDataset)
    """Content of the file at the start of the run."""

    @classmethod
    def of_mode(
        cls, mode: ShapeType | None, *, root: Path, folder: Path, epsilon: float | None, merging: Merging
    ) -> CocoFile:
        """Returns the target for a folder, with masks as run lengths or polygons.

        Raises:
            OptionError: COCO does not support the mode.
        """
        if mode is not None and mode not in _SEGMENTATIONS:
            raise OptionError("mode", expected=f"one of {', '.join(_SEGMENTATIONS)} for coco", got=mode)
        return cls(root, folder, _SEGMENTATIONS[mode or "mask"], epsilon, merging)

    def begin(self, pictures: Iterable[Path]) -> None:  # noqa: ARG002 - the protocol's
        """Reads the file if it exists.

        Raises:
            LabelError: The file is damaged, or in another format.
        """
        content = content_of(self._path)
        if content is not None:
            self.dataset = CocoDataset.decode(content, path=self._path)

    def has_labels(self, picture: Path) -> bool:
        """Returns whether the file contains a picture."""
        return self._name(picture) in self.dataset.file_names

    def still_has(self, picture: Path, written: Written) -> bool:
        """Returns whether a finished picture has rows that are not written yet, or is in the file."""
        return bool(written.pending) or self.has_labels(picture)

    def write(self, picture: Path, result: Segmentation) -> Written:
        """Creates the rows of a picture, which are written at the end of the run.

        Raises:
            LabelFileSizeError: The file has another size for the picture.
            LabelShapeError: The entries of the picture in the file are invalid.
        """
        name = self._name(picture)
        self.dataset.require_size(name, result.size)
        self.dataset.shapes(name)
        rows, losses = coco_picture(name, result, segmentation=self.segmentation, epsilon=self.epsilon)
        return Written(losses=counted(losses), pending=[rows])

    def finish(self, pictures: Sequence[FinishedPicture]) -> Completed:
        """Adds the rows of all pictures to the current content of the file.

        Raises:
            FolderError: The file can no longer be read.
        """
        completed = Completed(())

        def joined(content: bytes | None) -> bytes:
            nonlocal completed
            dataset = CocoDataset() if content is None else CocoDataset.decode(content, path=self._path)
            completed = self._joined(dataset, pictures)
            return dataset.encode()

        try:
            rewrite(self._path, joined)
        except LabelError as error:
            reason = f"{error} The results are kept: run the same command again to continue"
            raise FolderError(self.folder, doing="writing labels", reason=reason) from error
        return completed

    def _joined(self, dataset: CocoDataset, pictures: Sequence[FinishedPicture]) -> Completed:
        """Adds the waiting rows to a dataset."""
        dataset.add_labels(self.merging.labels)
        finished: list[FinishedPicture] = []
        failures: list[tuple[FinishedPicture, LabelError]] = []
        for picture in pictures:
            written = picture.written
            try:
                for rows in written.pending:
                    added, removed, duplicates = self._join(dataset, rows)
                    written = Written(added, removed, duplicates, written.losses)
            except LabelError as error:
                failures.append((picture, error))
            else:
                finished.append(replace(picture, written=written))
        return Completed(finished, failures)

    def _join(self, dataset: CocoDataset, picture: CocoPicture) -> tuple[int, int, int]:
        """Adds the rows of a picture to a dataset; returns the numbers of added, removed and duplicate shapes."""
        found = CocoDataset()
        found.add_rows(picture)
        name, rows, existing = picture["file_name"], picture["annotations"], self.merging.existing
        dataset.require_size(name, (picture["height"], picture["width"]))
        merged = merge_shapes(
            dataset.shapes(name),
            found.shapes(name),
            labels=self.merging.labels,
            size=(picture["height"], picture["width"]),
            existing=existing,
            duplicate_iou=self.merging.duplicate_iou,
        )
        row_of = [place for place, row in enumerate(rows) for _ in range(_shapes_of(row))]
        kept = sorted({row_of[place] for place in merged.kept})
        removed = dataset.add_rows(
            {**picture, "annotations": [rows[place] for place in kept]},
            replace=self.merging.labels if existing == "replace" else existing == "replace-all",
        )
        return len(kept), removed, len(rows) - len(kept)

    @property
    def _path(self) -> Path:
        return self.folder / COCO_FILE

    def _name(self, picture: Path) -> str:
        return picture.relative_to(self.root).as_posix()


def _shapes_of(row: CocoRow) -> int:
    """Returns the number of shapes of an instance: one, or one for each polygon."""
    return len(row["segmentation"]) if isinstance(row["segmentation"], list) else 1
