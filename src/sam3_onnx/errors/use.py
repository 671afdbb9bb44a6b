"""What can be wrong with options, and with the way that objects of the library are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.base import Sam3Error

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "CancelledError",
    "ConfigError",
    "EmbeddingError",
    "EmbeddingFolderError",
    "EmbeddingFolderWarning",
    "KeywordError",
    "MaskError",
    "MissingExtraError",
    "OnnxRuntimeError",
    "OptionError",
    "OutputExistsError",
    "SessionClosedError",
    "SessionPickleError",
]


class OptionError(Sam3Error, ValueError):
    """An option has a value outside what is allowed."""

    def __init__(self, name: str, *, expected: str, got: object, remedy: str = "") -> None:
        tail = f" {remedy}" if remedy else ""
        super().__init__(f"{name} must be {expected}, got {got!r}.{tail}")


class KeywordError(OptionError, TypeError):
    """A call was given a keyword that it does not take, or more without a name than it takes."""


class OutputExistsError(Sam3Error, FileExistsError):
    """A file lies where a result would be written."""

    def __init__(self, path: Path, *, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path} is there already and is left as it is; nothing was run. {remedy}")


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


class SessionPickleError(Sam3Error, TypeError):
    """Somebody tried to pickle a session."""

    def __init__(self, *, rebuild: str) -> None:
        super().__init__(
            "A Sam3Session holds native memory and cannot be pickled or sent to another process. "
            f"Send what it is made from and rebuild it there: {rebuild}"
        )


class EmbeddingError(Sam3Error, ValueError):
    """An embedding was made by another model than the one it is given to."""

    def __init__(self, *, expected: str, got: str) -> None:
        super().__init__(
            f"This embedding belongs to another model: expected model {expected}, got {got}. "
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


class CancelledError(Sam3Error, RuntimeError):
    """A call was cancelled through its `cancel` event."""

    def __init__(self, stage: str) -> None:
        super().__init__(f"The call was cancelled during {stage}; nothing was stored.")


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
