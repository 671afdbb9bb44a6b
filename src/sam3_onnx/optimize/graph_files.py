"""The files of a graph: the ONNX file and its external data files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["bytes_of", "copy_graph", "remove_graph"]


def bytes_of(graph: GraphInfo) -> int:
    """Returns the size of a graph and its external data in bytes."""
    return sum(path.stat().st_size for path in {graph.path, *graph.external_files})


def copy_graph(graph: GraphInfo, place: Path) -> None:
    """Copies a graph and its external data, which keeps its path relative to the graph."""
    for path in (graph.path, *graph.external_files):
        goal = place.parent / path.relative_to(graph.path.parent)
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, goal)


def remove_graph(place: Path) -> None:
    """Removes a graph that `write_graph` wrote."""
    place.unlink()
    place.with_name(f"{place.name}.data").unlink(missing_ok=True)
