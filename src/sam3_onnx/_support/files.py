"""Files written in one step, so that nobody sees half of one, and paths as seen from a folder."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from sam3_onnx.errors import PictureNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

__all__ = [
    "faults_named",
    "home_folder",
    "is_inside",
    "open_plain",
    "require_plain",
    "require_writable",
    "seen_from",
    "write_atomically",
]


def write_atomically(
    path: str | os.PathLike[str],
    content: bytes,
    *,
    is_wanted: Callable[[], bool] | None = None,
    mode: int | None = None,
) -> bool:
    """Puts a file in place in one step, so that readers see the old content or the new.

    A file that is replaced hands its permissions on, and a link goes on leading to the file that it led to.

    Args:
        path: The file to create or replace. Its folder has to exist.
        content: The whole content.
        mode: Permissions of the file; None for those of the file that is replaced, or the usual ones.
        is_wanted: Asked when the content is on the disk and about to take its place; None for what always is.

    Returns:
        Whether the file is in place; False if it was not wanted any more.

    Raises:
        OSError: The folder is missing or not writable, or the disk is full; an older file is as it was, and
            `filename` is this one.
    """
    target = Path(path).resolve()
    draft = target.with_name(f".{secrets.token_hex(8)}.tmp")
    with faults_named(path):
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if mode is not None:
                draft.chmod(mode)
            elif target.exists():
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


@contextlib.contextmanager
def faults_named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Names a file in what the system refuses: of a full disk it names none, of a draft only that.

    Raises:
        OSError: As the block does, with the path as `filename`.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def require_plain(path: Path) -> None:
    """Lets a path pass where a plain file is, or nothing: no link, pipe, device or folder.

    Raises:
        OSError: Something else is there; `filename` is the path.
    """
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(kind):
        raise OSError(
            errno.EINVAL, "it is a link, a pipe or a folder, where a plain file belongs; remove it", str(path)
        )


def open_plain(path: Path, *, fresh: bool) -> BinaryIO:
    """Opens a file of our own for writing, and never what a link of its name leads to.

    Args:
        path: The file; it is made if it is not there.
        fresh: True to begin it anew, False to write on at its end.

    Raises:
        OSError: It is no plain file, or cannot be written.
    """
    require_plain(path)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if fresh else os.O_APPEND)
    # In between somebody may have put a link or a pipe there.
    safe = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags | safe, 0o666), "wb" if fresh else "ab")


def is_inside(name: str) -> bool:
    """Whether a relative path stays inside the folder that it is read from, on every system.

    Args:
        name: With slashes or backslashes; no drive, no `..`, not empty.
    """
    place = PureWindowsPath(name)  # knows both kinds of slashes, and drives
    return bool(place.parts) and not place.anchor and ".." not in place.parts and "\0" not in name


def require_writable(folder: Path) -> None:
    """Lets a folder pass in which a file can be made; one is made, and goes again.

    Raises:
        OSError: It cannot; `filename` is the folder.
    """
    import tempfile  # noqa: PLC0415 - most of those who import this module ask nothing of the kind

    with faults_named(folder), tempfile.TemporaryFile(dir=folder):
        pass


def seen_from(folder: Path, path: Path) -> str:
    """Returns a file's path as seen from a folder, with slashes; the system finds the file by it.

    Args:
        folder: Where the path is read. It need not be there yet.
        path: The file, which may be a link and is then not followed.

    Returns:
        The plain way between the two; where a link among the folders leads it astray, the way between the real
        folders; where there is none, as between drives, the absolute path.

    Raises:
        PictureNameError: It holds bytes that are no Unicode, which no label file can say.
    """
    seen = _way(folder, path)
    try:
        seen.encode()
    except UnicodeEncodeError as error:
        raise PictureNameError(path) from error
    return seen


def _way(folder: Path, path: Path) -> str:
    real = Path(os.path.realpath(path.parent), path.name)
    for start, end in ((folder, path), (os.path.realpath(folder), real)):
        try:
            way = os.path.relpath(end, start)
        except ValueError:
            break
        if os.path.realpath(Path(folder, way).parent) == str(real.parent):
            return Path(way).as_posix()
    return path.absolute().as_posix()


def home_folder() -> Path | None:
    """Returns the user's home folder; None for a user without one, as in some containers."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home raises without one
    return None if home == "~" else Path(home)
