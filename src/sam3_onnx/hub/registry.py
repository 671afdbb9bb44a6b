"""The published models with their files, hashes and licences. The data is `registry.json` beside this module."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, TypedDict

from sam3_onnx.errors import UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import NotRequired

__all__ = ["KNOWN_MODELS", "Licence", "PublishedFile", "PublishedModel", "find_model", "list_models", "read_registry"]


@dataclass(frozen=True)
class Licence:
    """The terms of a model's weights."""

    name: str
    url: str | None
    """Where the terms are; None for this project's own licence."""


@dataclass(frozen=True)
class PublishedFile:
    """One file of a published model."""

    name: str
    """Under which it lies in the model's folder; graphs find their external data by it."""
    url: str | None
    """Where the publisher keeps it; None if it ships in the package."""
    size: int | None
    """In bytes; None if it was not published. The server is asked then."""
    sha256: str | None
    """Hexadecimal; None if it was not published. What is seen first is enforced then."""


@dataclass(frozen=True)
class PublishedModel:
    """What can be had by one name."""

    name: str
    description: str
    source: str | None
    """The publisher's page; None if it ships in the package."""
    licence: Licence
    family: str
    """Which contract its graphs keep: "native", "six-file", "osam", "raw-heads", "batched-geometry", "batched",
    "text-only" or "tracker"."""
    precision: str
    """Of its weights: "float32", "int8" or "int4"."""
    prompts: tuple[str, ...]
    """What it takes: some of "text", "one box", "boxes" and "points"."""
    bundled: bool
    """Whether it ships in the package."""
    note: str | None
    """What is worth knowing before one relies on this entry."""
    files: tuple[PublishedFile, ...]
    approximate_size: int | None = None
    """Of all files in bytes, to two digits, where the publisher names no size; None if nobody has said."""

    @property
    def size(self) -> int | None:
        """Of all files in bytes; None if the size of one was not published."""
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
    """Every model that can be had by name, the bundled one first."""
    return read_registry((files("sam3_onnx.hub") / "registry.json").read_text(encoding="utf-8"))


def find_model(name: str, models: Iterable[PublishedModel] | None = None) -> PublishedModel:
    """The model of a name.

    Args:
        name: As in `list_models`.
        models: Where to look; None for `list_models()`.

    Raises:
        UnknownModelError: No model has this name; the message offers near ones.
    """
    known = {model.name: model for model in (list_models() if models is None else models)}
    if name not in known:
        raise UnknownModelError(name, known=known, near=difflib.get_close_matches(name, known))
    return known[name]


KNOWN_MODELS = tuple(model.name for model in list_models())
"""Names that `model_folder` takes."""
