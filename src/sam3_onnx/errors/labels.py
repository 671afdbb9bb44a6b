"""What can be wrong with label files, and what they cannot say."""

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
    """A label file is not what its ending says: no JSON, no text, or only a part of it."""

    def __init__(self, path: Path, *, expected: str, reason: str) -> None:
        self.path = path
        super().__init__(
            f"The label file {path} cannot be read: expected {expected}, got {reason}. "
            "It is left as it is; mend it, or move it away."
        )


class LabelFileKindError(LabelError, ValueError):
    """A label file is whole, and of another kind than the one that was asked for."""

    def __init__(self, path: Path, *, expected: str, got: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path} is another kind of file: expected {expected}, got {got}. {remedy}")


class LabelFileVersionError(LabelError, ValueError):
    """A label file was written by a newer application than is known."""

    def __init__(self, path: Path, *, application: str, known: str, got: str) -> None:
        self.path = path
        major = known.split(".", maxsplit=1)[0]
        super().__init__(
            f"{path} was written by a newer version: expected {application} {major} or older, got {got}. "
            "It is left as it is, as its fields may mean something else; look for a newer sam3-onnx."
        )


class LabelFileSizeError(LabelError, ValueError):
    """A label file belongs to a picture of another size."""

    def __init__(self, path: Path, *, expected: tuple[int, int], got: tuple[object, object]) -> None:
        self.path = path
        super().__init__(
            f"{path} belongs to another picture: expected one of {expected[1]} x {expected[0]} pixels, "
            f"got {got[1]} x {got[0]} (width x height). It is left as it is; look for its picture, or move it away."
        )


class LabelFilePermissionError(LabelError, PermissionError):
    """A label file may not be written."""

    def __init__(self, path: Path, *, reason: str) -> None:
        self.path = path
        super().__init__(
            f"{path} cannot be written: expected a file and a folder that you may write to, got {reason}. "
            "It is left as it is; change its permissions, or write elsewhere."
        )


class LabelFolderMissingError(LabelError, FileNotFoundError):
    """The folder that a label file is to be written to is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"The label file {path} cannot be written: expected a folder {path.parent}, got none of that name. "
            "Nothing was written; make the folder, or write elsewhere."
        )


class LabelShapeError(LabelError, ValueError):
    """A shape has points, or other facts, that no application could read."""

    def __init__(self, *, where: str, expected: str, got: str) -> None:
        super().__init__(f"{where}: expected {expected}, got {got}. Nothing was written; mend it or leave it out.")


class LabelNameError(LabelError, ValueError):
    """A label cannot be written in a format, or is not in its list of classes."""

    def __init__(self, label: str, *, expected: str, remedy: str) -> None:
        self.label = label
        super().__init__(f"The label {label!r} cannot be written: expected {expected}. {remedy}")


class ClassListMissingError(LabelError, FileNotFoundError):
    """A label file has numbers of classes, and no file says what they are called."""

    def __init__(self, path: Path, *, expected: str) -> None:
        self.path = path
        super().__init__(
            f"The numbers of classes in {path} have no names: expected {expected} in its folder or above it, "
            f"got none. Nothing was written; put the list there, such as {path.with_name('classes.txt')} with a name "
            "on each line, in the order of the numbers from 0 on."
        )


class ClassListConflictError(LabelError, ValueError):
    """Two files of one dataset give a number of a class two meanings."""

    def __init__(self, path: Path, *, expected: str, got: str, remedy: str) -> None:
        self.path = path
        super().__init__(
            f"A number of a class would have two meanings: expected {expected}, got {got} in {path}. "
            f"Nothing was written; {remedy}"
        )


class LabelLossWarning(UserWarning):
    """A format could not say all that was to be written."""
