"""Moving of a download to its final path, with pooch, after its hash was checked.

pooch passes a temporary file in the folder to a downloader, hashes it, and moves it to its final path
or removes it. Until the move is done, the library's own part file is kept as a second name (hard link)
of the same bytes, so that the download survives an interruption.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pooch

from sam3_onnx.errors import DownloadDamagedError, Sam3Error
from sam3_onnx.hub.records import record_of
from sam3_onnx.hub.sources import shown
from sam3_onnx.hub.store import discard, file_sha256, part_of, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sam3_onnx.hub.transfer import Order

__all__ = ["place"]


def place(order: Order, fetch: Callable[[], None]) -> None:
    """Downloads a file, checks its hash, moves it to its final path and records it.

    Args:
        order: The file to download.
        fetch: Completes the part file, or raises an error.

    Raises:
        DownloadError: The download is incomplete; the part file is kept.
        DownloadDamagedError: The file is not the expected one; it is removed.
    """
    part = part_of(order.path)

    def download(url: str, temporary: str, store: pooch.Pooch) -> None:  # noqa: ARG001 - pooch's own form
        fetch()
        with part.open("rb+") as content:
            os.fsync(content.fileno())
        _hand_over(part, Path(temporary))

    shelf = pooch.create(
        path=order.path.parent,
        base_url="",
        registry={order.name: order.sha256 and f"sha256:{order.sha256}"},
        urls={order.name: order.url},
    )
    try:
        with _silence(pooch.get_logger()):
            shelf.fetch(order.name, downloader=download)
    except Sam3Error:
        raise
    except ValueError as error:  # raised by pooch if the hash differs
        got = f"{file_sha256(part)} in {part.stat().st_size} bytes" if part.exists() else "another hash"
        discard(order.path)
        url, expected = shown(order.url), f"SHA-256 {order.sha256}"
        raise DownloadDamagedError(order.name, url=url, expected=expected, got=got) from error
    discard(order.path)
    sha256 = file_sha256(order.path) if order.sha256 is None else order.sha256
    remember(order.path.parent, {order.name: record_of(order.path.stat(), sha256)})


def _hand_over(part: Path, temporary: Path) -> None:
    """Creates a hard link to a part file; moves the file instead if the file system has no hard links."""
    temporary.unlink()
    try:
        temporary.hardlink_to(part)
    except OSError:
        part.replace(temporary)


@contextmanager
def _silence(logger: logging.Logger) -> Iterator[None]:
    """Suppresses the log lines of pooch, because the library reports the progress itself."""
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
