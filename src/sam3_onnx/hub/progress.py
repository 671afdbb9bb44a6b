"""Progress of a download: a bar on standard error, a function, or silence."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Listener", "ProgressChoice", "meter", "say"]

Listener: TypeAlias = Callable[[str, int, "int | None"], None]
"""Called with a file's name, its bytes so far, and its size in bytes, None if that is not known yet.

The bytes are those on this disk while a file is downloaded. Of a file that is hashed or opened, they are those that are
done with, and the name begins with "verifying " or "opening "."""

ProgressChoice: TypeAlias = "bool | Listener"
"""True for a bar on standard error, shown on a terminal only; False for silence; or a function."""

_LOG = logging.getLogger("sam3_onnx.hub")


def say(line: str, progress: ProgressChoice) -> None:
    """Tells what is about to happen: on standard error if `progress` is True, and to the log `sam3_onnx.hub`."""
    _LOG.info(line)
    if progress is True:
        sys.stderr.write(f"{line}\n")


@contextlib.contextmanager
def meter(name: str, *, total: int | None, progress: ProgressChoice) -> Iterator[Callable[[int, int | None], None]]:
    """Shows how one file grows.

    Args:
        name: Of the file.
        total: Its size in bytes, as far as it is known.
        progress: Who hears it.

    Yields:
        A function to call with the bytes so far and the size.
    """
    if not isinstance(progress, bool):
        yield lambda done, size: progress(name, done, size)
    elif not progress:
        yield lambda _done, _size: None
    else:
        from tqdm import tqdm  # noqa: PLC0415 - opening what is there needs no bar

        # disable=None: no bar where standard error is no terminal
        with tqdm(desc=name, total=total, unit="B", unit_scale=True, file=sys.stderr, disable=None) as bar:

            def show(done: int, size: int | None) -> None:
                bar.total = size
                bar.update(done - bar.n)

            yield show
