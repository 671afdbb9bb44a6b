"""The folder of an optimised export, which is created under a hidden name and renamed when it is complete."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sam3_onnx._support.drafts import draft_beside
from sam3_onnx._support.folders import free_bytes
from sam3_onnx._support.units import in_bytes
from sam3_onnx.errors import TargetFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["growing_beside"]

_SPARE = 50_000_000  # bytes that must remain free


@contextmanager
def growing_beside(target: Path, *, needed: int) -> Iterator[Path]:
    """Creates a hidden folder next to the target, and renames it to the target at the end; deletes it after an error.

    Args:
        target: Path of the folder; it must not exist, or be an empty folder.
        needed: Number of bytes that will be written.

    Raises:
        TargetFolderError: The target is not empty, or the disk is too full.
        OSError: The folder cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise TargetFolderError(
            target, expected="a folder that does not exist yet, or an empty one", got="a folder that is not empty"
        )
    free = free_bytes(target)
    if free < needed + _SPARE:
        expected = f"{in_bytes(needed + _SPARE)} of free space"
        raise TargetFolderError(target, expected=expected, got=f"{in_bytes(free)} free")
    with draft_beside(target) as draft:
        yield draft
        if target.exists():
            target.rmdir()
        draft.rename(target)
