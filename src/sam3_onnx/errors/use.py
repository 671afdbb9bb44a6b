"""Errors of options and of the use of sessions, results and other objects of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.base import Sam3Error

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "CancelledError",
    "ConfigError",
    "DisplayError",
    "EmbeddingError",
    "EmbeddingFolderError",
    "EmbeddingFolderWarning",
    "InstanceIndexError",
    "KeywordError",
    "MaskError",
    "MissingExtraError",
    "ObjectIterationError",
    "OnnxRuntimeError",
    "OptionError",
    "OutputExistsError",
    "ResultAttributeError",
    "SessionClosedError",
    "SessionForkedError",
    "SessionPickleError",
]


class OptionError(Sam3Error, ValueError):
    """An option has a value that is not allowed."""

    def __init__(self, name: str, *, expected: str, got: object, remedy: str = "") -> None:
        tail = f" {remedy}" if remedy else ""
        super().__init__(f"{name} must be {expected}, got {got!r}.{tail}")


class KeywordError(OptionError, TypeError):
    """A call has an unknown keyword argument or too many positional arguments."""


class InstanceIndexError(Sam3Error, IndexError):
    """An index of a result is out of range, or is neither numbers nor booleans."""

    def __init__(self, index: object, *, count: int, reason: str) -> None:
        if not count:
            super().__init__(
                f"This result is empty, so it has nothing at {index!r}: nothing was found. Test `if result:` or "
                "len(result) first, or ask again for lower scores with conf_threshold."
            )
            return
        super().__init__(
            f"A result of {count} instances cannot be indexed by {index!r}: {reason}. Expected a number below {count}, "
            f'a slice, a list of numbers, or {count} booleans; for a label, use result.filter(label="...").'
        )


class ObjectIterationError(Sam3Error, TypeError):
    """The result for one clicked object was iterated like a list of objects."""

    def __init__(self, *, candidates: int) -> None:
        super().__init__(
            f"This result is one object (candidates: {candidates}), not a list of objects. Use "
            "result.candidates to compare them, result.best for the best one, or result.segmentation() for the object "
            "in the form that `predict` returns."
        )


class OutputExistsError(Sam3Error, FileExistsError):
    """An output file already exists."""

    def __init__(self, path: Path, *, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path} already exists and was not changed. {remedy}")


class ResultAttributeError(Sam3Error, AttributeError):
    """A result has no attribute of the given name."""

    def __init__(self, name: str, *, here: str) -> None:
        remedy = f"In this library it is called {here}." if here else "dir(result) lists the attributes."
        super().__init__(f"A Segmentation has no attribute {name!r}. {remedy}")


class ConfigError(Sam3Error, ValueError):
    """A configuration file or mapping is invalid."""

    def __init__(self, *, what: str, expected: str, got: str, remedy: str) -> None:
        super().__init__(f"{what}: expected {expected}, got {got}. {remedy}")


class MaskError(Sam3Error, ValueError):
    """An array is not a valid mask."""

    def __init__(self, *, expected: str, got: str, remedy: str = "") -> None:
        tail = f" {remedy}" if remedy else ""
        super().__init__(f"Not a usable mask: expected {expected}, got {got}.{tail}")


class SessionClosedError(Sam3Error, RuntimeError):
    """A session was used after it was closed."""

    def __init__(self) -> None:
        super().__init__("This session has been closed; its models are unloaded. Create a new Sam3Session.")


class SessionForkedError(Sam3Error, RuntimeError):
    """A session or a camera was used in a forked child process, in which it does not work."""

    def __init__(self, *, reason: str, remedy: str) -> None:
        super().__init__(f"This process was started by fork, and in such a process {reason}. {remedy}")


class SessionPickleError(Sam3Error, TypeError):
    """A session cannot be pickled."""

    def __init__(self, *, rebuild: str) -> None:
        super().__init__(
            "A Sam3Session cannot be pickled or sent to another process, because it holds native memory. "
            f"Create it in the other process instead: {rebuild}"
        )


class EmbeddingError(Sam3Error, ValueError):
    """An embedding was made by another model, or in another precision, than that of the session."""

    def __init__(self, *, expected: str, got: str) -> None:
        super().__init__(
            f"This embedding belongs to another model or precision: expected model {expected}, got {got}. "
            "Encode the picture again with this session."
        )


class EmbeddingFolderError(Sam3Error, OSError):
    """The folder for cached embeddings cannot be used."""

    def __init__(self, folder: Path, *, reason: str) -> None:
        self.folder = folder
        super().__init__(
            f"The cache folder {folder} cannot be used: {reason}. Expected a folder in which files can be written, or "
            "a path where one can be created. Choose another with cache_folder=, change its permissions, or leave out "
            "cache_folder."
        )


class EmbeddingFolderWarning(UserWarning):
    """An embedding could not be written to the cache folder or read from it; the results are still correct."""


class DisplayError(Sam3Error, RuntimeError):
    """A picture cannot be shown on this machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The picture cannot be shown: {reason}. Expected a notebook, or a desktop with a picture viewer. "
            'Write it to a file instead: result.save("found.png").'
        )


class CancelledError(Sam3Error, RuntimeError):
    """A call was cancelled by its `cancel` event, or because the program is ending."""

    def __init__(self, stage: str, *, left: str = "nothing was stored") -> None:
        super().__init__(f"The call was cancelled during {stage}; {left}.")


class MissingExtraError(Sam3Error, ImportError):
    """A feature needs an optional package that is not installed."""

    def __init__(self, *, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}, which is not installed. "
            f'Install it with: pip install "sam3-onnx[{extra}]"'
        )


class OnnxRuntimeError(Sam3Error, ImportError):
    """ONNX Runtime is not installed, or its installation is incomplete."""

    def __init__(self, *, reason: str, installed: str, mend: str) -> None:
        self.mend = mend
        super().__init__(
            f"ONNX Runtime cannot be used: expected a complete installation, got {installed or 'none known to pip'}; "
            f"the import fails with: {reason}. {mend}"
        )
