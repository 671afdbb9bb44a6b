"""Folders that grow beside the place that they are for, so that nobody sees half of one."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["draft_beside", "parents_made"]


@contextlib.contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """Makes a hidden folder beside a target, which the block fills and moves, or what is in it, into place.

    What the block leaves of it is removed. If the block raises, the folders above the target that were made for it go
    too.

    Args:
        target: An absolute path; it need not be there, nor the folders above it.

    Yields:
        The draft, on the disk of the target, so that moving it is one step.

    Raises:
        OSError: The folder cannot be made.
    """
    with parents_made(target):
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        draft.mkdir()
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def parents_made(path: Path) -> Iterator[None]:
    """Makes the folders above a path; those that were not there go again if the block raises.

    Raises:
        OSError: They cannot be made.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # somebody else has put something there
            for folder in missing:
                folder.rmdir()
        raise
