"""What can be wrong with model files, their providers and their answers."""

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
    "TargetFolderError",
    "UnknownFamilyError",
]


class ModelError(Sam3Error):
    """Something about the model files or their answers is wrong."""


class ModelFileMissingError(ModelError, FileNotFoundError):
    """A model file, or the external data of one, is not there."""

    def __init__(self, path: Path, *, role: str, found: str = "", remedy: str = "") -> None:
        self.path = path
        found = found or f"no file at {path}"
        remedy = remedy or "Check the path, or copy the file there."
        super().__init__(f"The {role} is missing: {found}. {remedy}")


class ModelFileDamagedError(ModelError, ValueError):
    """A model file is cut off or is not an ONNX graph."""

    def __init__(self, path: Path, *, expected: str, got: str) -> None:
        self.path = path
        super().__init__(
            f"The model file {path} is damaged or not an ONNX model: expected {expected}, got {got}. "
            "Download or copy it again."
        )


class ManifestError(ModelError, ValueError):
    """An entry in a graph's metadata, which the library goes by, has no value of its kind."""

    def __init__(self, path: Path, name: str, *, expected: str, got: str) -> None:
        self.path = path
        super().__init__(
            f"The manifest of {path} has {got[:100]!r} as {name}: expected {expected}. Export the model anew, or "
            "correct the entry in the graph's metadata."
        )


class UnknownFamilyError(ModelError, ValueError):
    """The graphs belong to no export family that can be run."""

    def __init__(self, what: str, *, graphs: Mapping[str, str], missing: str = "") -> None:
        listing = "\n".join(f"  {name}: {signature}" for name, signature in graphs.items())
        listing = listing or "  (no .onnx file)"
        tail = f"\n{missing}" if missing else ""
        super().__init__(f"{what}. The graphs there have:\n{listing}{tail}")


class AmbiguousFolderError(ModelError, ValueError):
    """A folder holds several exports, several variants of one, or several graphs for one part of it."""

    _CHOOSE: Final = {
        "part": "Keep one of each in the folder, or name the files with Sam3Session.from_files(...).",
        "family": "Choose one with family=..., or keep one export in a folder.",
        "variant": "Choose one with variant=..., or keep one in a folder.",
    }

    def __init__(
        self,
        where: Path | str,
        *,
        kind: Literal["part", "family", "variant"],
        choices: Mapping[str, Sequence[str]],
    ) -> None:
        listing = "; ".join(f"{name}: {', '.join(files)}" for name, files in choices.items())
        super().__init__(f"{where} holds more than one {kind} to choose from ({listing}). {self._CHOOSE[kind]}")


class ModelAnswerError(ModelError, RuntimeError):
    """A graph answered with something that cannot be right: NaN, another shape, or no answer at all."""

    def __init__(self, graph: Path, *, output: str, expected: str, got: str, remedy: str) -> None:
        self.path = graph
        super().__init__(
            f"The model's output {output!r} holds {got}, expected {expected}. The graph is {graph}. {remedy}"
        )


class FidelityError(ModelError, ValueError):
    """A model in another precision would not answer as it did."""

    def __init__(self, precision: str, *, reasons: Sequence[str]) -> None:
        listing = "\n".join(f"  {reason}" for reason in reasons)
        super().__init__(
            f"This model cannot be had in {precision}: expected answers within the limits, got\n{listing}\n"
            "Nothing was written. Compare on pictures and words of the kind that the model is for, or keep it as it is."
        )


class TargetFolderError(ModelError, OSError):
    """A folder that a model was to be written to cannot take it."""

    def __init__(self, folder: Path, *, expected: str, got: str) -> None:
        self.folder = folder
        super().__init__(f"Cannot write a model to {folder}: expected {expected}, got {got}. Name another folder.")
