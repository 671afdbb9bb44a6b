"""Errors of labelling a folder of pictures."""

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
    """Another run is writing to a label folder, or to a folder inside or above it."""

    def __init__(self, path: Path, *, by: str = "") -> None:
        self.path = path
        who = f"Another run ({by})" if by else "Another run"
        super().__init__(
            f"{who} is writing labels in {path}: expected only one run for this folder. Nothing was written. "
            "Wait until that run has ended, or write the labels of this run to another folder."
        )


class UnfinishedRunError(AnnotateError, ValueError):
    """A label folder has an interrupted run with other settings."""

    def __init__(self, path: Path, *, finished: int, changes: Mapping[str, tuple[str, str]]) -> None:
        self.path = path
        changed = "; ".join(f"{name} was {then} and is now {now}" for name, (then, now) in changes.items())
        super().__init__(
            f"A run with other settings was interrupted in {path} (pictures done: {finished}): {changed}. "
            "Run it again with the earlier settings to continue it, or pass restart=True (--restart) to start over "
            "with the new settings; the labels that it wrote are kept."
        )


class LabelCollisionError(AnnotateError, ValueError):
    """Several pictures would have the same label file."""

    def __init__(self, path: Path, *, claimed_by: Sequence[str]) -> None:
        self.path = path
        super().__init__(
            f"The labels of {' and '.join(claimed_by)} would all be written to {path}: expected pictures with "
            "different names. Rename one, leave it out (exclude, --exclude), or write COCO, which has one file for "
            "all pictures."
        )


class PictureNameError(AnnotateError, ValueError):
    """The name of a picture cannot be written to a label file."""

    def __init__(self, picture: Path) -> None:
        self.picture = picture
        super().__init__(
            f"The picture name {str(picture)!a} cannot be written to a label file: expected a name in Unicode, got "
            "bytes in another encoding. Rename the picture."
        )
