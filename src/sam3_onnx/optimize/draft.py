"""Where does an optimised export grow until it is whole?"""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sam3_onnx._support.folders import free_bytes, parents_made
from sam3_onnx._support.units import in_bytes
from sam3_onnx.errors import TargetFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["bytes_of", "copy_graph", "growing_beside", "remove_graph"]

_SPARE = 50_000_000  # bytes that are to stay free


@contextmanager
def growing_beside(target: Path, *, needed: int) -> Iterator[Path]:
    """A hidden folder beside the target that takes its place at the end, or goes without a trace.

    Args:
        target: Must not be there yet, or be an empty folder.
        needed: Bytes that will be written.

    Raises:
        TargetFolderError: The target holds something, or the disk is too full.
        OSError: The folder cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise TargetFolderError(
            target, expected="a folder that is not there yet, or an empty one", got="something in it"
        )
    with parents_made(target):
        free = free_bytes(target)
        if free < needed + _SPARE:
            expected = f"{in_bytes(needed + _SPARE)} of free space"
            raise TargetFolderError(target, expected=expected, got=f"{in_bytes(free)} free")
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        draft.mkdir()
        try:
            yield draft
            if target.exists():
                target.rmdir()
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def bytes_of(graph: GraphInfo) -> int:
    """Of a graph and its external data."""
    return sum(path.stat().st_size for path in {graph.path, *graph.external_files})


def copy_graph(graph: GraphInfo, place: Path) -> None:
    """Copies a graph and its external data, which keeps its place beside it."""
    for path in (graph.path, *graph.external_files):
        goal = place.parent / path.relative_to(graph.path.parent)
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, goal)


def remove_graph(place: Path) -> None:
    """Removes a graph that `write_graph` wrote."""
    place.unlink()
    place.with_name(f"{place.name}.data").unlink(missing_ok=True)
