"""Progress of a download: a bar on standard error, a function of the caller, or nothing."""

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
"""Function that is called with the name of a file, its bytes so far, and its size in bytes (None if not known yet).

During a download, these are the bytes on this disk. While a file is hashed or opened, these are the bytes that have
been processed, and the name starts with "verifying " or "opening "."""

ProgressChoice: TypeAlias = "bool | Listener"
"""True for a bar on standard error, in a terminal only; False for no output; or a function."""

_LOG = logging.getLogger("sam3_onnx.hub")


def say(line: str, progress: ProgressChoice) -> None:
    """Prints a line on standard error if `progress` is True, and writes it to the log `sam3_onnx.hub`."""
    _LOG.info(line)
    if progress is True:
        sys.stderr.write(f"{line}\n")


@contextlib.contextmanager
def meter(name: str, *, total: int | None, progress: ProgressChoice) -> Iterator[Callable[[int, int | None], None]]:
    """Shows the progress of one file.

    Args:
        name: Name of the file.
        total: Its size in bytes; None if not known.
        progress: How to show it.

    Yields:
        A function that takes the bytes so far and the size.
    """
    if not isinstance(progress, bool):
        yield lambda done, size: progress(name, done, size)
    elif not progress:
        yield lambda _done, _size: None
    else:
        from tqdm import tqdm  # noqa: PLC0415 - opening what is there needs no bar

        # disable=None: no bar if standard error is not a terminal
        with tqdm(desc=name, total=total, unit="B", unit_scale=True, file=sys.stderr, disable=None) as bar:

            def show(done: int, size: int | None) -> None:
                bar.total = size
                bar.update(done - bar.n)

            yield show
