"""What can be wrong with a folder whose pictures are to be labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.base import Sam3Error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "AnnotateError",
    "FolderBusyError",
    "FolderError",
    "LabelCollisionError",
    "NoPicturesError",
    "PictureNameError",
    "UnfinishedRunError",
]


class AnnotateError(Sam3Error):
    """A folder of pictures cannot be labelled."""


class FolderError(AnnotateError, OSError):
    """A folder of pictures or labels cannot be used."""

    def __init__(self, path: Path, *, doing: str, reason: str) -> None:
        self.path = path
        super().__init__(
            f"The folder {path} cannot be used for {doing}: {reason}. Check the path, its permissions and the disk."
        )


class NoPicturesError(AnnotateError, LookupError):
    """A folder has no pictures to label."""

    def __init__(self, path: Path, *, suffixes: Sequence[str], remedy: str) -> None:
        self.path, self.remedy = path, remedy
        super().__init__(f"No picture to label in {path}: expected files that end in {', '.join(suffixes)}. {remedy}")


class FolderBusyError(AnnotateError, RuntimeError):
    """Another run is at work in a folder of labels, or in one within or above that writes into it."""

    def __init__(self, path: Path, *, by: str = "") -> None:
        self.path = path
        who = f"Another run ({by})" if by else "Another run"
        super().__init__(
            f"{who} is writing labels in {path}; expected to be the only one, so nothing was done. "
            "Wait for it to end, or write this run's labels to another folder."
        )


class UnfinishedRunError(AnnotateError, ValueError):
    """A run with other settings was interrupted in a folder of labels."""

    def __init__(self, path: Path, *, finished: int, changes: Mapping[str, tuple[str, str]]) -> None:
        self.path = path
        told = "; ".join(f"{name} was {then} and is {now}" for name, (then, now) in changes.items())
        super().__init__(
            f"A run with other settings was interrupted in {path} (pictures done: {finished}): {told}. Run it again as "
            "it was to go on with it, or pass restart=True (--restart) to begin this one; labels that it wrote stay."
        )


class LabelCollisionError(AnnotateError, ValueError):
    """Two pictures would be labelled in one file."""

    def __init__(self, path: Path, *, claimed_by: Sequence[str]) -> None:
        self.path = path
        super().__init__(
            f"{' and '.join(claimed_by)} would both be written to {path}; expected pictures of different names. "
            "Rename one, leave it out (exclude, --exclude), or write COCO, which is one file for all."
        )


class PictureNameError(AnnotateError, ValueError):
    """A label file cannot say a picture's name."""

    def __init__(self, picture: Path) -> None:
        self.picture = picture
        super().__init__(
            f"The name of the picture {str(picture)!a} cannot stand in a label file: expected Unicode, got bytes of "
            "another encoding. Rename the picture."
        )
