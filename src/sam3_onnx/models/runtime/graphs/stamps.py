"""Sizes and times of change of a model's files, which tell whether they are still those that were looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors import ModelFileMissingError, ModelFileReplacedError, ModelFileUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["require_unchanged", "stamps_of"]


def stamps_of(paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Returns size in bytes and time of change in nanoseconds since 1970 of some files.

    Raises:
        OSError: One is not there.
    """
    found = {}
    for path in paths:
        status = path.stat()
        found[path] = (status.st_size, status.st_mtime_ns)
    return found


def require_unchanged(stamps: Mapping[Path, tuple[int, int]], *, role: str) -> None:
    """Lets files pass that are as they were.

    Args:
        stamps: How they were.
        role: What the graph is for, in messages.

    Raises:
        ModelFileMissingError: One is not there any more.
        ModelFileReplacedError: One was changed.
        ModelFileUnreadableError: One cannot be looked at any more.
    """
    for path, stamp in stamps.items():
        try:
            now = stamps_of((path,))[path]
        except FileNotFoundError as error:
            found = f"{path} was removed after the model was opened"
            remedy = "Put it back, or open the model anew; load() loads all graphs at once."
            raise ModelFileMissingError(path, role=role, found=found, remedy=remedy) from error
        except OSError as error:
            raise ModelFileUnreadableError(path, role=role, reason=error.strerror or str(error)) from error
        if now != stamp:
            raise ModelFileReplacedError(path, role=role)
