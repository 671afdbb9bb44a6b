"""Errors of label files, and the warning about facts that a format does not store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.base import Sam3Error

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "ClassListConflictError",
    "ClassListMissingError",
    "LabelError",
    "LabelFileDamagedError",
    "LabelFileKindError",
    "LabelFilePermissionError",
    "LabelFileSizeError",
    "LabelFileVersionError",
    "LabelFolderMissingError",
    "LabelLossWarning",
    "LabelNameError",
    "LabelShapeError",
]


class LabelError(Sam3Error):
    """A label file cannot be read or written."""


class LabelFileDamagedError(LabelError, ValueError):
    """A label file is not valid for its file extension: not JSON, not text, or cut off."""

    def __init__(self, path: Path, *, expected: str, reason: str) -> None:
        self.path = path
        super().__init__(
            f"The label file {path} cannot be read: expected {expected}, got {reason}. "
            "The file was not changed; repair it, or move it away."
        )


class LabelFileKindError(LabelError, ValueError):
    """A label file is valid, but in another format than the requested one."""

    def __init__(self, path: Path, *, expected: str, got: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path} is in another format: expected {expected}, got {got}. {remedy}")


class LabelFileVersionError(LabelError, ValueError):
    """A label file was written by a newer version of an application than this library supports."""

    def __init__(self, path: Path, *, application: str, known: str, got: str) -> None:
        self.path = path
        major = known.split(".", maxsplit=1)[0]
        super().__init__(
            f"{path} was written by a newer version: expected {application} {major} or older, got {got}. "
            "The file was not changed, because its fields may have another meaning; look for a newer sam3-onnx."
        )


class LabelFileSizeError(LabelError, ValueError):
    """A label file is for a picture of another size."""

    def __init__(self, path: Path, *, expected: tuple[int, int], got: tuple[object, object]) -> None:
        self.path = path
        super().__init__(
            f"{path} is for a picture of another size: expected {expected[1]} x {expected[0]} pixels, "
            f"got {got[1]} x {got[0]} (width x height). The file was not changed; check which picture it belongs to, "
            "or move it away."
        )


class LabelFilePermissionError(LabelError, PermissionError):
    """There is no permission to write a label file."""

    def __init__(self, path: Path, *, reason: str) -> None:
        self.path = path
        super().__init__(
            f"{path} cannot be written: expected write permission for the file and its folder, got {reason}. "
            "The file was not changed; change the permissions, or write to another folder."
        )


class LabelFolderMissingError(LabelError, FileNotFoundError):
    """The folder of a label file that is to be written does not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"The label file {path} cannot be written: expected the folder {path.parent}, which does not exist. "
            "Nothing was written; create the folder, or write to another one."
        )


class LabelShapeError(LabelError, ValueError):
    """A shape has points or other values that no application could read."""

    def __init__(self, *, where: str, expected: str, got: str) -> None:
        super().__init__(f"{where}: expected {expected}, got {got}. Nothing was written; correct it or leave it out.")


class LabelNameError(LabelError, ValueError):
    """A label cannot be written in a format, or is missing from the class list."""

    def __init__(self, label: str, *, expected: str, remedy: str) -> None:
        self.label = label
        super().__init__(f"The label {label!r} cannot be written: expected {expected}. {remedy}")


class ClassListMissingError(LabelError, FileNotFoundError):
    """A label file has class numbers, but no file gives the names of the classes."""

    def __init__(self, path: Path, *, expected: str) -> None:
        self.path = path
        super().__init__(
            f"The class numbers in {path} have no names: expected {expected} in its folder or in a folder above it, "
            f"got none. Nothing was written. Add the list, for example {path.with_name('classes.txt')} with one name "
            "per line; the first line names class 0."
        )


class ClassListConflictError(LabelError, ValueError):
    """Two files of one dataset give different names to one class number."""

    def __init__(self, path: Path, *, expected: str, got: str, remedy: str) -> None:
        self.path = path
        super().__init__(
            f"A class number would have two names: expected {expected}, got {got} in {path}. "
            f"Nothing was written; {remedy}"
        )


class LabelLossWarning(UserWarning):
    """A label format cannot store everything that was to be written."""
