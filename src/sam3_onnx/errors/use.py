"""What can be wrong with options, and with the way that objects of the library are used."""

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
    """An option has a value outside what is allowed."""

    def __init__(self, name: str, *, expected: str, got: object, remedy: str = "") -> None:
        tail = f" {remedy}" if remedy else ""
        super().__init__(f"{name} must be {expected}, got {got!r}.{tail}")


class KeywordError(OptionError, TypeError):
    """A call was given a keyword that it does not take, or more without a name than it takes."""


class InstanceIndexError(Sam3Error, IndexError):
    """A result has no such instance, or is indexed by something else than numbers and booleans."""

    def __init__(self, index: object, *, count: int, reason: str) -> None:
        if not count:
            super().__init__(
                f"This result is empty, so it has nothing at {index!r}: nothing was found. Test `if result:` or "
                "len(result) first, or ask again for lower scores with conf_threshold."
            )
            return
        super().__init__(
            f"A result of {count} cannot be indexed by {index!r}: {reason}. Expected a number below {count}, a slice, "
            f'a list of numbers, or {count} booleans; for a label, take result.filter(label="...").'
        )


class ObjectIterationError(Sam3Error, TypeError):
    """One object that was clicked at was gone through as if it were several."""

    def __init__(self, *, candidates: int) -> None:
        super().__init__(
            f"This is one object (candidates: {candidates}). Candidates are readings of the same object, not of "
            "several objects. Take result.candidates to compare them, result.best for the best one, or "
            "result.segmentation() for the object as `predict` would return it."
        )


class OutputExistsError(Sam3Error, FileExistsError):
    """A file lies where a result would be written."""

    def __init__(self, path: Path, *, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path} is there already and is left as it is. {remedy}")


class ResultAttributeError(Sam3Error, AttributeError):
    """A result has no part of this name."""

    def __init__(self, name: str, *, here: str) -> None:
        remedy = f"It is called {here} here." if here else "dir(result) lists what it has."
        super().__init__(f"A Segmentation has no attribute {name!r}. {remedy}")


class ConfigError(Sam3Error, ValueError):
    """A configuration mapping or file cannot be used."""

    def __init__(self, *, what: str, expected: str, got: str, remedy: str) -> None:
        super().__init__(f"{what}: expected {expected}, got {got}. {remedy}")


class MaskError(Sam3Error, ValueError):
    """An array handed to the geometry functions is not a mask."""

    def __init__(self, *, expected: str, got: str, remedy: str = "") -> None:
        tail = f" {remedy}" if remedy else ""
        super().__init__(f"Not a usable mask: expected {expected}, got {got}.{tail}")


class SessionClosedError(Sam3Error, RuntimeError):
    """A closed session was used."""

    def __init__(self) -> None:
        super().__init__("This session has been closed; its models are unloaded. Create a new Sam3Session.")


class SessionForkedError(Sam3Error, RuntimeError):
    """A session or a camera was used in the child of a fork, where what the parent holds is of no use."""

    def __init__(self, *, reason: str, remedy: str) -> None:
        super().__init__(f"This process is the child of a fork, in which {reason}. {remedy}")


class SessionPickleError(Sam3Error, TypeError):
    """Somebody tried to pickle a session."""

    def __init__(self, *, rebuild: str) -> None:
        super().__init__(
            "A Sam3Session holds native memory and cannot be pickled or sent to another process. "
            f"Send what it is made from and rebuild it there: {rebuild}"
        )


class EmbeddingError(Sam3Error, ValueError):
    """An embedding was made by another model than the one it is given to, or in another precision."""

    def __init__(self, *, expected: str, got: str) -> None:
        super().__init__(
            f"This embedding belongs to another model or precision: expected model {expected}, got {got}. "
            "Encode the picture again with this session."
        )


class EmbeddingFolderError(Sam3Error, OSError):
    """The folder that was named for embeddings cannot be used."""

    def __init__(self, folder: Path, *, reason: str) -> None:
        self.folder = folder
        super().__init__(
            f"The cache folder {folder} cannot be used: {reason}. Expected a folder in which files can be written, or "
            "a place for one. Name another with cache_folder=, mend its permissions, or leave cache_folder out."
        )


class EmbeddingFolderWarning(UserWarning):
    """An embedding could not be kept in the cache folder, or not be read from it; the answer does not suffer."""


class DisplayError(Sam3Error, RuntimeError):
    """There is no screen to show a picture on."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The picture cannot be shown: {reason}. Expected a notebook, or a desktop with a viewer for pictures. "
            'Write it to a file instead: result.save("found.png").'
        )


class CancelledError(Sam3Error, RuntimeError):
    """A call was cancelled through its `cancel` event, or because the program is about to end."""

    def __init__(self, stage: str, *, left: str = "nothing was stored") -> None:
        super().__init__(f"The call was cancelled during {stage}; {left}.")


class MissingExtraError(Sam3Error, ImportError):
    """An optional dependency is needed that is not installed."""

    def __init__(self, *, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}, which is not installed. "
            f'Install it with: pip install "sam3-onnx[{extra}]"'
        )


class OnnxRuntimeError(Sam3Error, ImportError):
    """ONNX Runtime is not installed, or files of it are missing."""

    def __init__(self, *, reason: str, installed: str, mend: str) -> None:
        self.mend = mend
        super().__init__(
            f"ONNX Runtime cannot be used: expected a whole installation, got {installed or 'none that pip knows of'}, "
            f"of which the import fails with: {reason}. {mend}"
        )
