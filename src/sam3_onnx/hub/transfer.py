"""Download of one file over an unreliable network.

A file is downloaded to `<name>.part`. A later attempt, also by another process, requests only the rest (RFC 9110,
section 14: Range, with If-Range, so that a file that has changed is downloaded from its beginning). The complete
download remains at the path of the part; the caller verifies it.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from sam3_onnx._support.files import open_plain, require_plain
from sam3_onnx._support.units import in_words
from sam3_onnx.errors import (
    DownloadDamagedError,
    DownloadError,
    DownloadNotFoundError,
    DownloadRefusedError,
    WebPageError,
)
from sam3_onnx.hub.connection import PassingTroubleError, ask, named_troubles, new_connection
from sam3_onnx.hub.patience import Patience
from sam3_onnx.hub.sources import shown
from sam3_onnx.hub.stopping import Background
from sam3_onnx.hub.store import discard, looks_like_page, named_faults, notes_of, part_of, require_space

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

    from sam3_onnx.hub.stopping import Stop


__all__ = ["Order", "Patience", "fetch", "learn_size", "new_connection"]

_CHUNK_BYTES = 1 << 15
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_SHOWN_BYTES = 40
_TRIED_SPACE_BYTES = 64 << 20
"""Bytes between two checks of the free disk space, for a file of unknown size."""
_ETAG = re.compile(r'"[!#-~]*"')
"""Pattern of a strong validator (RFC 9110, section 8.8.3), ASCII only."""


@dataclass(frozen=True)
class Order:
    """A file to download."""

    name: str
    url: str
    path: Path
    """Final path of the file; during the download it is `<name>.part` in the same folder."""
    size: int | None
    """Published size in bytes; None if not published."""
    sha256: str | None
    """Published hash, or the one that was recorded first; None if there is none."""
    token: str | None = None
    """Token that is sent to the host of `url` only, not to hosts of redirections."""


def learn_size(connection: requests.Session, order: Order, patience: Patience, stop: Stop) -> int | None:
    """Asks the server for the size of a file in bytes; None if it does not answer, as the download will report why.

    Raises:
        CancelledError: `stop` raised it.
    """

    def head() -> int | None:
        with ask(connection, "HEAD", order.url, token=order.token, headers={}, patience=patience) as answer:
            return _declared(answer) if answer.status_code == HTTPStatus.OK else None

    try:
        with Background() as background, named_troubles(order.name, order.url, patience):
            return background.call(head, stop)
    except (DownloadError, PassingTroubleError):
        return None


def fetch(
    connection: requests.Session,
    order: Order,
    patience: Patience,
    moved: Callable[[int, int | None], None],
    *,
    tell: Callable[[str], None],
    stop: Stop,
) -> None:
    """Downloads a file to `<name>.part`, and continues an earlier download.

    Args:
        connection: Session of `new_connection`.
        order: The file to download.
        patience: Attempts, time-outs and minimum rate.
        moved: Function that is called with the bytes so far and the size in bytes (None if not known).
        tell: Function that is called before each wait with a line: the problem, and the time of the next attempt.
        stop: Function that is called repeatedly, and raises an error to end the download.

    Raises:
        CancelledError: `stop` raised it. The part is kept.
        DownloadNotFoundError: The server has no such file.
        DownloadRefusedError: The server requires a login.
        DownloadDamagedError: The server's file has another size than the published one. The part is removed.
        WebPageError: The server sent a web page. The part is removed.
        DownloadError: The download is incomplete after all attempts. The part is kept.
        CacheFolderError: The part cannot be written.
        DiskFullError: The disk has too little free space.
    """
    failures, furthest = 0, _length(part_of(order.path))
    while (trouble := _troubled(connection, order, patience, moved, stop)) is not None:
        reached = _length(part_of(order.path))
        failures = 1 if reached > furthest and not trouble.slow else failures + 1
        furthest = max(furthest, reached)
        wait = _wait_after(order, patience, failures, trouble, tell)
        (stop.wait if patience.sleep is None else patience.sleep)(wait)
        stop()


def _troubled(
    connection: requests.Session,
    order: Order,
    patience: Patience,
    moved: Callable[[int, int | None], None],
    stop: Stop,
) -> PassingTroubleError | None:
    """Makes one attempt; returns the problem that interrupted it, or None if the file is complete."""
    try:
        _attempt(connection, order, patience, moved, stop)
    except PassingTroubleError as trouble:
        return trouble
    except (WebPageError, DownloadDamagedError):
        discard(order.path)
        raise
    return None


def _wait_after(
    order: Order, patience: Patience, failures: int, trouble: PassingTroubleError, tell: Callable[[str], None]
) -> float:
    """Returns the seconds to wait before the next attempt.

    Raises:
        DownloadError: There is no further attempt.
    """
    wait = patience.first_wait * 2 ** (failures - 1) if trouble.wait is None else trouble.wait
    attempts = min(patience.attempts, trouble.attempts or patience.attempts)
    if trouble.wait is not None and trouble.wait > patience.longest_wait:
        reason, remedy = (
            trouble.reason,
            f"The server asks to wait for {trouble.wait:.0f} seconds; pull again then.",
        )
    elif failures >= attempts:
        reason = f"{trouble.reason} ({in_words(failures, 'attempt')} without progress)"
        remedy = (
            "Pull again later: the part that was downloaded is kept, and the download continues from there. If this "
            "host cannot be reached, choose a mirror (--mirror, SAM3_ONNX_MIRROR), or place the files by hand: "
            "`sam3-onnx models where NAME` shows each address and the folder."
        )
    else:
        wait = min(wait, patience.longest_wait)
        tell(f"{order.name}: {trouble.reason}; attempt {failures + 1} of {attempts} in {wait:g} s")
        return wait
    raise DownloadError(order.name, url=shown(order.url), reason=reason, remedy=remedy) from trouble


def _attempt(
    connection: requests.Session,
    order: Order,
    patience: Patience,
    moved: Callable[[int, int | None], None],
    stop: Stop,
) -> None:
    offset, validator = _resume_point(order)
    if offset and offset == order.size:
        return
    headers = {}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    if offset and validator:
        headers["If-Range"] = validator
    with Background() as background:
        with named_troubles(order.name, order.url, patience):
            answer = background.call(
                lambda: ask(connection, "GET", order.url, token=order.token, headers=headers, patience=patience), stop
            )
        try:
            _take(answer, order, patience, offset, validator, moved=moved, read=_reader(answer, background), stop=stop)
        finally:
            background.leave(answer.close)


def _reader(answer: requests.Response, background: Background) -> Callable[[Callable[[], None]], bytes]:
    """Returns a function that reads the next bytes of a response (b"" at its end); its argument may end the wait."""
    chunks = answer.iter_content(_CHUNK_BYTES)
    return lambda stop: background.call(lambda: next(chunks, b""), stop)


def _take(
    answer: requests.Response,
    order: Order,
    patience: Patience,
    offset: int,
    validator: str | None,
    *,
    moved: Callable[[int, int | None], None],
    read: Callable[[Callable[[], None]], bytes],
    stop: Stop,
) -> None:
    """Checks a response, and receives its bytes."""
    if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
        if answer.headers.get("Content-Range") == f"bytes */{offset}":
            return
        discard(order.path)
        raise PassingTroubleError("the server's file is shorter than the part that was downloaded")
    _judge(answer, order)
    start, total = _place(answer, order, offset, validator)
    _require_sense(answer, order, total, lambda: read(stop))
    with named_troubles(order.name, order.url, patience):
        _receive(order, patience, start=start, total=total, moved=moved, read=read, stop=stop)


def _resume_point(order: Order) -> tuple[int, str | None]:
    """Returns the position at which to continue, and the ETag with which the server recognises an unchanged file."""
    with named_faults(order.path.parent):
        require_plain(part_of(order.path))
        require_plain(notes_of(order.path))
    offset, validator = _length(part_of(order.path)), None
    try:
        notes = json.loads(notes_of(order.path).read_text(encoding="utf-8"))
        if notes["url"] == shown(order.url) and _ETAG.fullmatch(notes["etag"]):
            validator = str(notes["etag"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        pass  # without the stored ETag, the file is downloaded from its beginning
    trusted = validator is not None or order.sha256 is not None
    fits = order.size is None or offset <= order.size
    return (offset, validator) if trusted and fits else (0, None)


def _judge(answer: requests.Response, order: Order) -> None:
    """Checks that a response contains the file."""
    status = answer.status_code
    if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return
    if status in _GONE:
        raise DownloadNotFoundError(order.name, url=shown(order.url), status=status)
    if status in _REFUSED:
        raise DownloadRefusedError(order.name, url=shown(order.url), status=status)
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PassingTroubleError(f"the server answered HTTP {status}", wait=_retry_after(answer))
    raise DownloadError(
        order.name,
        url=shown(order.url),
        reason=f"the server answered HTTP {status}",
        remedy="Open the address in a browser, or place the file by hand.",
    )


def _place(answer: requests.Response, order: Order, offset: int, validator: str | None) -> tuple[int, int | None]:
    """Returns the position of the first byte of a response, and the size of the complete file."""
    if answer.status_code == HTTPStatus.OK:
        with named_faults(order.path.parent):
            _note(order, answer.headers.get("ETag"))
        return 0, _declared(answer)
    told = re.fullmatch(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)", answer.headers.get("Content-Range", ""))
    changed = validator is not None and answer.headers.get("ETag", validator) != validator
    if told is None or int(told[1]) != offset or changed:
        discard(order.path)
        raise PassingTroubleError("the server continued at another position, or with another file, than requested")
    return offset, None if told[2] == "*" else int(told[2])


def _require_sense(answer: requests.Response, order: Order, total: int | None, read: Callable[[], bytes]) -> None:
    """Checks, before bytes are received, that a response can be the ordered file."""
    kind = answer.headers.get("Content-Type", "")
    if order.sha256 is None and kind.lower().startswith("text/html"):
        begins = read()[:_SHOWN_BYTES].decode("latin-1")
        raise WebPageError(order.name, url=shown(order.url), begins=begins)
    if order.size is not None and total not in {None, order.size}:
        raise DownloadDamagedError(
            order.name, url=shown(order.url), expected=f"{order.size} bytes", got=f"{total} bytes"
        )
    if order.sha256 is None and order.size is None and total is None:
        raise DownloadError(
            order.name,
            url=shown(order.url),
            reason="the server does not state the size of the file, and no hash is published, so nothing shows whether "
            "the download is complete",
            remedy="Use another mirror, or place the file by hand.",
        )


def _receive(
    order: Order,
    patience: Patience,
    *,
    start: int,
    total: int | None,
    moved: Callable[[int, int | None], None],
    read: Callable[[Callable[[], None]], bytes],
    stop: Stop,
) -> None:
    folder, done = order.path.parent, start
    expected = order.size if total is None else total
    pace = _Pace(patience, stop)
    with named_faults(folder):
        part = open_plain(part_of(order.path), fresh=not start)
    with part:
        require_space(folder, 0 if expected is None else expected - start)
        moved(done, expected)
        while chunk := read(pace.check):
            if not done and looks_like_page(chunk):
                begins = chunk[:_SHOWN_BYTES].decode("latin-1")
                raise WebPageError(order.name, url=shown(order.url), begins=begins)
            if expected is not None and done + len(chunk) > expected:
                got = f"at least {done + len(chunk)} bytes"
                raise DownloadDamagedError(order.name, url=shown(order.url), expected=f"{expected} bytes", got=got)
            if expected is None and done // _TRIED_SPACE_BYTES < (done + len(chunk)) // _TRIED_SPACE_BYTES:
                require_space(folder, 0)
            with named_faults(folder):
                part.write(chunk)
                part.flush()
            done += len(chunk)
            pace.came(len(chunk))
            moved(done, expected)
    if expected is not None and done < expected:
        raise PassingTroubleError(f"the connection ended after {done} of {expected} bytes")


class _Pace:
    """Compares the rate of a download with the minimum rate, and checks whether to stop."""

    def __init__(self, patience: Patience, stop: Stop) -> None:
        self._patience, self._stop = patience, stop
        self._since, self._bytes = time.monotonic(), 0

    def came(self, count: int) -> None:
        self._bytes += count

    def check(self) -> None:
        self._stop()
        seconds = time.monotonic() - self._since
        if seconds < self._patience.rate_seconds:
            return
        if self._bytes < self._patience.least_rate * seconds:
            reason = f"it was slower than {self._patience.least_rate:g} bytes per second"
            raise PassingTroubleError(reason, slow=True)
        self._since, self._bytes = time.monotonic(), 0


def _note(order: Order, etag: str | None) -> None:
    """Stores the ETag of a download for a later attempt, unless it is weak and so does not identify bytes."""
    if etag is None or not _ETAG.fullmatch(etag):
        notes_of(order.path).unlink(missing_ok=True)
        return
    with open_plain(notes_of(order.path), fresh=True) as notes:
        notes.write(json.dumps({"url": shown(order.url), "etag": etag}).encode())


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _declared(answer: requests.Response) -> int | None:
    length = answer.headers.get("Content-Length", "")
    plain = answer.headers.get("Content-Encoding", "identity") == "identity"
    return int(length) if re.fullmatch(r"[0-9]{1,18}", length) and plain else None


def _retry_after(answer: requests.Response) -> float | None:
    """Returns the seconds that the server asks to wait (RFC 9110, section 10.2.3: a number or a date)."""
    told = answer.headers.get("Retry-After", "").strip()
    if not told:
        return None
    if re.fullmatch(r"[0-9]{1,18}", told):
        return float(told)
    try:
        until = parsedate_to_datetime(told)
        return max(0.0, until.timestamp() - time.time())
    except (ValueError, TypeError, IndexError, OverflowError):  # errors of the parser for invalid dates
        return None
