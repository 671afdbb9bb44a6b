"""`Target`: protocol of the places to which the labels of a folder can be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sam3_onnx.annotate.finished import Completed, FinishedPicture, Written
    from sam3_onnx.annotate.merging import Existing
    from sam3_onnx.results.segmentation import Segmentation

__all__ = ["Merging", "Target"]


@dataclass(frozen=True)
class Merging:
    """Options for merging new labels with existing ones, see `merge_shapes`."""

    labels: Sequence[str]
    existing: Existing
    duplicate_iou: float | None


class Target(Protocol):
    """A place to which the labels of the pictures in a folder are written."""

    @property
    def folder(self) -> Path:
        """Folder of the labels."""
        ...

    @property
    def merging(self) -> Merging:
        """Options for merging new labels with existing ones."""
        ...

    def begin(self, pictures: Iterable[Path]) -> None:
        """Prepares the target for the labels of some pictures."""
        ...

    def has_labels(self, picture: Path) -> bool:
        """Returns whether a picture already has labels."""
        ...

    def still_has(self, picture: Path, written: Written) -> bool:
        """Returns whether the labels of a finished picture still exist, or are waiting to be written."""
        ...

    def write(self, picture: Path, result: Segmentation) -> Written:
        """Merges a result with the existing labels of a picture, and writes them.

        Raises:
            LabelError: The existing labels cannot be used.
        """
        ...

    def finish(self, pictures: Sequence[FinishedPicture]) -> Completed:
        """Completes the labels after the last picture.

        Raises:
            FolderError: The existing labels cannot be used.
        """
        ...
