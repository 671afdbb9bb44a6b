"""The graphs in a folder as it is, with whatever else lies in it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx.errors import ModelError, ModelFileUnreadableError
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["PLAIN", "Listing", "list_graphs", "stand_in"]

PLAIN = "plain"
"""The variant of files whose names say nothing of one."""
_PRECISION = re.compile(r"[-_.](fp32|fp16|f16|bf16|half|int8|uint8|int4|q8|q4f16|q4|bnb4|quantized)$", re.IGNORECASE)
_LAYOUT = "onnx"
"""Subfolder that Hugging Face repositories keep their graphs in; it makes no variant."""
_ARCHIVE = "__MACOSX"
"""Folder in which archives made on a Mac keep a sidecar for each file."""
_LOG = logging.getLogger("sam3_onnx.models")


@dataclass(frozen=True)
class Listing:
    """What a folder holds."""

    groups: Mapping[str, list[GraphInfo]]
    """Its graphs by variant, the plain ones first."""
    passed_over: Mapping[str, ModelError]
    """What is named as a graph and is none, by its name in the folder, with the reason."""

    def tell(self) -> None:
        """Logs what was passed over beside a whole export: `sam3_onnx.models`."""
        for error in self.passed_over.values():
            _LOG.warning("Passed over beside the export: %s", error)


def list_graphs(folder: Path) -> Listing:
    """Reads the outside of each graph in a folder and in the folders directly in it.

    Hidden files and folders, among them the sidecars of a Mac (`._decoder.onnx`), are not looked at.

    Args:
        folder: Holds `.onnx` files and their external data.

    Raises:
        ModelFileUnreadableError: The folder cannot be listed.
    """
    groups: dict[str, list[GraphInfo]] = {}
    passed_over: dict[str, ModelError] = {}
    for path in _entries(folder):
        if path.is_dir() and path.suffix != ".onnx":
            try:
                inner = [each for each in _entries(path) if each.suffix == ".onnx"]
            except ModelFileUnreadableError as error:
                passed_over[path.name] = error
                continue
        else:
            inner = [path] if path.suffix == ".onnx" else []
        for each in inner:
            graph = _read_or_reason(each)
            if isinstance(graph, ModelError):
                passed_over[each.relative_to(folder).as_posix()] = graph
            else:
                groups.setdefault(_variant(folder, each), []).append(graph)
    return Listing(dict(sorted(groups.items(), key=lambda group: group[0] != PLAIN)), passed_over)


def stand_in(variant: str) -> str:
    """The variant whose files stand in for what a precision lacks: the same folder's without one."""
    below, _, precision = variant.rpartition("/")
    return (below or PLAIN) if _PRECISION.fullmatch(f"_{precision}") else ""


def _entries(folder: Path) -> list[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise ModelFileUnreadableError(folder, role="model folder", reason=error.strerror or str(error)) from error
    return [path for path in found if not path.name.startswith(".") and path.name != _ARCHIVE]


def _read_or_reason(path: Path) -> GraphInfo | ModelError:
    try:
        return read_graph(path)
    except ModelError as error:
        return error


def _variant(folder: Path, path: Path) -> str:
    below = path.parent.relative_to(folder).as_posix()
    precision = _PRECISION.search(path.stem)
    parts = [below] if below not in {".", _LAYOUT} else []
    parts += [precision[1].lower()] if precision else []
    return "/".join(parts) or PLAIN
