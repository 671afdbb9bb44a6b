"""Labels of a folder in one COCO file.

It is written at the end of a run, from what the journal noted of each picture, in the order of the pictures: an
interruption leaves no trace in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sam3_onnx.annotate.finished import Written, counted
from sam3_onnx.annotate.merging import merge_shapes
from sam3_onnx.errors import OptionError
from sam3_onnx.labels.coco.dataset import CocoDataset
from sam3_onnx.labels.coco.rows import coco_picture
from sam3_onnx.labels.writing import put

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
    """One COCO file for the labels of all pictures, which it names by their paths seen from their folder."""

    root: Path
    """The folder of pictures."""
    folder: Path
    segmentation: CocoSegmentation
    epsilon: float | None
    merging: Merging
    dataset: CocoDataset = field(default_factory=CocoDataset)
    """What the file holds."""

    @classmethod
    def of_mode(
        cls, mode: ShapeType | None, *, root: Path, folder: Path, epsilon: float | None, merging: Merging
    ) -> CocoFile:
        """Returns the file of a folder, with masks as run lengths or as polygons.

        Raises:
            OptionError: It has no such mode.
        """
        if mode is not None and mode not in _SEGMENTATIONS:
            raise OptionError("mode", expected=f"one of {', '.join(_SEGMENTATIONS)} for coco", got=mode)
        return cls(root, folder, _SEGMENTATIONS[mode or "mask"], epsilon, merging)

    def begin(self, pictures: Iterable[Path]) -> None:  # noqa: ARG002 - the protocol's
        """Reads the file if it is there.

        Raises:
            LabelError: It is damaged, or another kind of file.
        """
        path = self.folder / COCO_FILE
        if path.exists():
            self.dataset = CocoDataset.read(path)

    def has_labels(self, picture: Path) -> bool:
        """Returns whether the file knows a picture."""
        return self._name(picture) in self.dataset.file_names

    def still_has(self, picture: Path) -> bool:  # noqa: ARG002 - the protocol's
        """Returns True: what the journal noted of a finished picture is written at the end."""
        return True

    def write(self, picture: Path, result: Segmentation) -> Written:
        """Makes the rows of a picture, to be written at the end.

        Raises:
            LabelFileSizeError: The file knows the picture in another size.
        """
        name = self._name(picture)
        self.dataset.require_size(name, result.size)
        rows, losses = coco_picture(name, result, segmentation=self.segmentation, epsilon=self.epsilon)
        return Written(losses=counted(losses), pending=[rows])

    def finish(self, pictures: Sequence[FinishedPicture]) -> Written:
        """Writes the file."""
        self.dataset.add_labels(self.merging.labels)
        joined = [self._join(rows) for picture in pictures for rows in picture.written.pending]
        put(self.folder / COCO_FILE, self.dataset.encode())
        return Written(*(sum(counts) for counts in zip(*joined, strict=True)))

    def _join(self, picture: CocoPicture) -> tuple[int, int, int]:
        """Puts a picture's rows into the file's; returns how many were added, removed, and there already."""
        found = CocoDataset()
        found.add_rows(picture)
        name, rows, existing = picture["file_name"], picture["annotations"], self.merging.existing
        merged = merge_shapes(
            self.dataset.shapes(name),
            found.shapes(name),
            labels=self.merging.labels,
            size=(picture["height"], picture["width"]),
            existing=existing,
            duplicate_iou=self.merging.duplicate_iou,
        )
        row_of = [place for place, row in enumerate(rows) for _ in range(_shapes_of(row))]
        kept = sorted({row_of[place] for place in merged.kept})
        removed = self.dataset.add_rows(
            {**picture, "annotations": [rows[place] for place in kept]},
            replace=self.merging.labels if existing == "replace" else existing == "replace-all",
        )
        return len(kept), removed, len(rows) - len(kept)

    def _name(self, picture: Path) -> str:
        return picture.relative_to(self.root).as_posix()


def _shapes_of(row: CocoRow) -> int:
    """Returns how many shapes an instance is read as: one, or one for each polygon."""
    return len(row["segmentation"]) if isinstance(row["segmentation"], list) else 1
