"""The protocol of the places where the labels of a folder may go."""

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
    """How new labels join those that are there; see `merge_shapes`."""

    labels: Sequence[str]
    existing: Existing
    duplicate_iou: float | None


class Target(Protocol):
    """Where the labels of a folder's pictures go."""

    @property
    def folder(self) -> Path:
        """The folder in which the labels lie."""
        ...

    @property
    def merging(self) -> Merging:
        """How new labels join those that are there."""
        ...

    def begin(self, pictures: Iterable[Path]) -> None:
        """Prepares for the labels of some pictures."""
        ...

    def has_labels(self, picture: Path) -> bool:
        """Returns whether labels of a picture are there."""
        ...

    def still_has(self, picture: Path, written: Written) -> bool:
        """Returns whether what was written of a finished picture is still there, or still to be written."""
        ...

    def write(self, picture: Path, result: Segmentation) -> Written:
        """Joins what was found to what is there.

        Raises:
            LabelError: What is there cannot be gone on with.
        """
        ...

    def finish(self, pictures: Sequence[FinishedPicture]) -> Completed:
        """Completes the labels after the last picture, given all that are finished.

        Raises:
            FolderError: What is there cannot be gone on with.
        """
        ...
