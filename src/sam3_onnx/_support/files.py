"""Files written in one step, so that nobody sees half of one, and paths as seen from a folder."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["seen_from", "write_atomically"]


def write_atomically(
    path: str | os.PathLike[str], content: bytes, *, is_wanted: Callable[[], bool] | None = None
) -> bool:
    """Puts a file in place in one step, so that readers see the old content or the new.

    A file that is replaced hands its permissions on, and a link goes on leading to the file that it led to.

    Args:
        path: The file to create or replace. Its folder has to exist.
        content: The whole content.
        is_wanted: Asked when the content is on the disk and about to take its place; None for what always is.

    Returns:
        Whether the file is in place; False if it was not wanted any more.

    Raises:
        OSError: The folder is missing or not writable, or the disk is full; an older file is as it was.
    """
    target = Path(path).resolve()
    draft = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, draft)
        wanted = is_wanted is None or is_wanted()
        if wanted:
            draft.replace(target)
        else:
            draft.unlink()
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return wanted


def seen_from(folder: Path, path: Path) -> str:
    """Returns a file's path as seen from a folder, with slashes; the system finds the file by it.

    Args:
        folder: Where the path is read. It need not be there yet.
        path: The file, which may be a link and is then not followed.

    Returns:
        The plain way between the two; where a link among the folders leads it astray, the way between the real
        folders; where there is none, as between drives, the absolute path.
    """
    real = Path(os.path.realpath(path.parent), path.name)
    for start, end in ((folder, path), (os.path.realpath(folder), real)):
        try:
            way = os.path.relpath(end, start)
        except ValueError:
            break
        if os.path.realpath(Path(folder, way).parent) == str(real.parent):
            return Path(way).as_posix()
    return path.absolute().as_posix()
