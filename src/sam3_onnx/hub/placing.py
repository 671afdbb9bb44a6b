"""Downloads that are moved into place only after their hashes are checked, by means of pooch.

pooch hands a downloader a temporary file in the folder, hashes it, and moves it into place, or
removes it. So that what has come survives an interrupt, our own part file stays beside it, as a
second name of the same bytes, until the move is done.
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
    """Fetches a file, puts it in place if it is what was ordered, and records it.

    Args:
        order: What is ordered.
        fetch: Makes the part file whole, or raises.

    Raises:
        DownloadError: It did not come whole; the part file stays.
        DownloadDamagedError: It is something else. It is removed.
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
    except ValueError as error:  # pooch's word for another hash
        got = f"{file_sha256(part)} in {part.stat().st_size} bytes" if part.exists() else "another one"
        discard(order.path)
        url, expected = shown(order.url), f"SHA-256 {order.sha256}"
        raise DownloadDamagedError(order.name, url=url, expected=expected, got=got) from error
    discard(order.path)
    sha256 = file_sha256(order.path) if order.sha256 is None else order.sha256
    remember(order.path.parent, {order.name: record_of(order.path.stat(), sha256)})


def _hand_over(part: Path, temporary: Path) -> None:
    """Gives the bytes of a part file a second name; where a disk knows no such thing, they lose their first."""
    temporary.unlink()
    try:
        temporary.hardlink_to(part)
    except OSError:
        part.replace(temporary)


@contextmanager
def _silence(logger: logging.Logger) -> Iterator[None]:
    """Keeps pooch's own lines away for a while; the progress of a download is told by us."""
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
