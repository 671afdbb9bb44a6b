"""Registry of the published models with their files, hashes and licences; the data is in `registry.json`."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, TypedDict

from sam3_onnx.errors import OptionError, UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import NotRequired

__all__ = ["KNOWN_MODELS", "Licence", "PublishedFile", "PublishedModel", "find_model", "list_models", "read_registry"]


@dataclass(frozen=True)
class Licence:
    """Licence of the weights of a model."""

    name: str
    url: str | None
    """Address of the terms; None for the licence of this project."""


@dataclass(frozen=True)
class PublishedFile:
    """A file of a published model."""

    name: str
    """File name in the folder of the model; graphs refer to their external data by this name."""
    url: str | None
    """Address at the publisher; None if the file is part of the package."""
    size: int | None
    """Size in bytes; None if not published, in which case the server is asked."""
    sha256: str | None
    """Hash in hexadecimal; None if not published, in which case the first hash is recorded and checked later."""


@dataclass(frozen=True)
class PublishedModel:
    """A published model, available by name."""

    name: str
    description: str
    source: str | None
    """Page of the publisher; None if the model is part of the package."""
    licence: Licence
    family: str
    """Export family of its graphs: "native", "six-file", "osam", "raw-heads", "batched-geometry", "batched",
    "text-only" or "tracker"."""
    precision: str
    """Precision of its weights: "float32", "int8" or "int4"."""
    prompts: tuple[str, ...]
    """Supported prompts: some of "text", "one box", "boxes" and "points"."""
    bundled: bool
    """Whether the model is part of the package."""
    note: str | None
    """Remark about this entry for users; None if there is none."""
    files: tuple[PublishedFile, ...]
    approximate_size: int | None = None
    """Approximate size of all files in bytes, if the publisher does not state sizes; None if not known."""

    @property
    def size(self) -> int | None:
        """Size of all files in bytes; None if the size of a file is not published."""
        sizes = [file.size for file in self.files if file.size is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None


class _FileEntry(TypedDict):
    name: str
    url: str | None
    size: int | None
    sha256: str | None


class _LicenceEntry(TypedDict):
    name: str
    url: str | None


class _ModelEntry(TypedDict):
    name: str
    description: str
    source: str | None
    licence: _LicenceEntry
    family: str
    precision: str
    prompts: list[str]
    bundled: bool
    note: str | None
    files: list[_FileEntry]
    approximate_size: NotRequired[int | None]


class _Registry(TypedDict):
    models: list[_ModelEntry]


def read_registry(text: str) -> tuple[PublishedModel, ...]:
    """Reads a registry in the form of `registry.json`.

    Args:
        text: JSON; each model has the fields of `PublishedModel`.
    """
    registry: _Registry = json.loads(text)
    return tuple(_model(entry) for entry in registry["models"])


def _model(entry: _ModelEntry) -> PublishedModel:
    return PublishedModel(
        name=entry["name"],
        description=entry["description"],
        source=entry["source"],
        licence=Licence(**entry["licence"]),
        family=entry["family"],
        precision=entry["precision"],
        prompts=tuple(entry["prompts"]),
        bundled=entry["bundled"],
        note=entry["note"],
        files=tuple(PublishedFile(**file) for file in entry["files"]),
        approximate_size=entry.get("approximate_size"),
    )


@cache
def list_models() -> tuple[PublishedModel, ...]:
    """Returns all published models, with the bundled one first."""
    return read_registry((files("sam3_onnx.hub") / "registry.json").read_text(encoding="utf-8"))


def find_model(name: object, models: Iterable[PublishedModel] | None = None) -> PublishedModel:
    """Returns the published model with a given name.

    Args:
        name: A name of `list_models`.
        models: Models to search; None for `list_models()`.

    Raises:
        UnknownModelError: No model has this name; the message suggests similar names.
        OptionError: `name` is not a string.
    """
    known = {model.name: model for model in (list_models() if models is None else models)}
    if not isinstance(name, str):
        raise OptionError("name", expected=f"the name of a model, one of {', '.join(known)}", got=name)
    if name not in known:
        raise UnknownModelError(name, known=known, near=difflib.get_close_matches(name, known))
    return known[name]


KNOWN_MODELS = tuple(model.name for model in list_models())
"""Names of the published models, for `model_folder`."""
