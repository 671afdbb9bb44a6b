"""Errors of model files and of the outputs of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from sam3_onnx.errors.base import Sam3Error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "AmbiguousFolderError",
    "FidelityError",
    "ManifestError",
    "ModelAnswerError",
    "ModelError",
    "ModelFileDamagedError",
    "ModelFileMissingError",
    "ModelFileReplacedError",
    "ModelFileUnreadableError",
    "TargetFolderError",
    "UnknownFamilyError",
]


class ModelError(Sam3Error):
    """A model file or the output of a model cannot be used."""


class ModelFileMissingError(ModelError, FileNotFoundError):
    """A model file, or its external data file, does not exist."""

    def __init__(self, path: Path, *, role: str, found: str = "", remedy: str = "") -> None:
        self.path = path
        found = found or f"no file at {path}"
        remedy = remedy or "Check the path, or copy the file there."
        super().__init__(f"The {role} is missing: {found}. {remedy}")


class ModelFileUnreadableError(ModelError, OSError):
    """A model file or folder exists, but the operating system refuses to read it."""

    def __init__(self, path: Path, *, role: str, reason: str, remedy: str = "") -> None:
        self.path = path
        remedy = remedy or "Give this user permission to read the file and to open the folders above it."
        super().__init__(f"The {role} {path} cannot be read: {reason}. {remedy}")


class ModelFileReplacedError(ModelError, RuntimeError):
    """A model file was changed between opening the model and loading the file."""

    def __init__(self, path: Path, *, role: str) -> None:
        self.path = path
        super().__init__(
            f"The {role} {path} was changed after the model was opened: expected an unchanged file. Open the "
            "model again, and do not change its files while it is open; load() loads all of them at once."
        )


class ModelFileDamagedError(ModelError, ValueError):
    """A model file is cut off or is not an ONNX graph."""

    def __init__(self, path: Path, *, expected: str, got: str) -> None:
        self.path = path
        super().__init__(
            f"The model file {path} is damaged or not an ONNX model: expected {expected}, got {got}. "
            "Download or copy it again."
        )


class ManifestError(ModelError, ValueError):
    """A metadata entry of a graph has an invalid value."""

    def __init__(self, path: Path, name: str, *, expected: str, got: str) -> None:
        self.path = path
        super().__init__(
            f"The metadata of {path} has an invalid {name}: expected {expected}, got {got[:100]!r}. Export the model "
            "again, or correct this entry in the graph's metadata."
        )


class UnknownFamilyError(ModelError, ValueError):
    """The graphs belong to no supported export family."""

    def __init__(self, what: str, *, graphs: Mapping[str, str], missing: str = "") -> None:
        listing = "\n".join(f"  {name}: {signature}" for name, signature in graphs.items())
        if not graphs:
            listing = "  (no .onnx file)"
            missing = (
                "Put the .onnx files of an export there, with their .data files, or choose another folder. "
                "To download a published model, run: sam3-onnx models pull NAME."
            )
        tail = f"\n{missing}" if missing else ""
        super().__init__(f"{what}. The graphs there have:\n{listing}{tail}")


class AmbiguousFolderError(ModelError, ValueError):
    """A folder contains several exports, several variants of one, or several graphs for one part of it."""

    _CHOOSE: Final = {
        "part": "Keep one graph for each part in the folder, or name the files with Sam3Session.from_files(...).",
        "family": "Choose one with family=..., or keep only one export in the folder.",
        "variant": "Choose one with variant=..., or keep only one in the folder.",
    }

    def __init__(
        self,
        where: Path | str,
        *,
        kind: Literal["part", "family", "variant"],
        choices: Mapping[str, Sequence[str]],
    ) -> None:
        listing = "; ".join(f"{name}: {', '.join(files)}" for name, files in choices.items())
        super().__init__(f"{where} has more than one {kind} to choose from ({listing}). {self._CHOOSE[kind]}")


class ModelAnswerError(ModelError, RuntimeError):
    """The output of a graph is invalid (NaN or another shape), or the graph failed to run."""

    def __init__(self, graph: Path, *, output: str, expected: str, got: str, remedy: str) -> None:
        self.path = graph
        super().__init__(
            f"The model's output {output!r} is invalid: expected {expected}, got {got}. The graph is {graph}. {remedy}"
        )


class FidelityError(ModelError, ValueError):
    """A model in another precision would give results outside the limits."""

    def __init__(self, precision: str, *, reasons: Sequence[str]) -> None:
        listing = "\n".join(f"  {reason}" for reason in reasons)
        super().__init__(
            f"This model cannot be converted to {precision}: expected results within the limits, got\n{listing}\n"
            "Nothing was written. Compare on pictures and words that are typical for the model, or keep its precision."
        )


class TargetFolderError(ModelError, OSError):
    """A model cannot be written to a folder."""

    def __init__(self, folder: Path, *, expected: str, got: str) -> None:
        self.folder = folder
        super().__init__(f"Cannot write a model to {folder}: expected {expected}, got {got}. Choose another folder.")
