"""The download of one address, over a network that breaks.

A file grows as `<name>.part`. A later attempt, also one of another process, asks for the rest only (RFC 9110, section
14: Range, with If-Range so that a file which changed in between comes from its beginning). What may have come whole is
left as the part; to verify it is the caller's.
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
"""How often the space on the disk is looked at while a file of unknown size comes."""
_ETAG = re.compile(r'"[!#-~]*"')
"""A strong validator: RFC 9110, section 8.8.3, of which only ASCII is taken."""


@dataclass(frozen=True)
class Order:
    """What to fetch."""

    name: str
    url: str
    path: Path
    """Where the whole file will lie; it grows beside it, as `<name>.part`."""
    size: int | None
    """In bytes, as published."""
    sha256: str | None
    """As published, or as seen first."""
    token: str | None = None
    """Sent to the host of `url`, and to no other that it redirects to."""


def learn_size(connection: requests.Session, order: Order, patience: Patience, stop: Stop) -> int | None:
    """Asks for a file's size in bytes; None if the server does not tell: the download itself will say why.

    Raises:
        CancelledError: `stop` says so.
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
    """Completes `<name>.part`.

    Args:
        connection: From `new_connection`.
        order: What to fetch.
        patience: How long to keep it up.
        moved: Called with the bytes so far and the size in bytes, None if it is not known.
        tell: Called with a line before each wait: what went wrong, and when the next attempt is.
        stop: Called again and again; raises to end the download.

    Raises:
        CancelledError: `stop` says so. The part is kept.
        DownloadNotFoundError: The server has no such file.
        DownloadRefusedError: The server wants to know who asks.
        DownloadDamagedError: The server's file has another size than the published one. The part is removed.
        WebPageError: A web page came. The part is removed.
        DownloadError: It did not come whole within the patience. The part is kept.
        CacheFolderError: The part cannot be written.
        DiskFullError: There is not enough space.
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
    """One attempt, and what broke it off; None if all is there."""
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
    """Seconds before the next attempt.

    Raises:
        DownloadError: There is none.
    """
    wait = patience.first_wait * 2 ** (failures - 1) if trouble.wait is None else trouble.wait
    attempts = min(patience.attempts, trouble.attempts or patience.attempts)
    if trouble.wait is not None and trouble.wait > patience.longest_wait:
        reason, remedy = trouble.reason, f"The server asks to wait for {trouble.wait:.0f} seconds; pull again then."
    elif failures >= attempts:
        reason = f"{trouble.reason} ({in_words(failures, 'attempt')} without progress)"
        remedy = (
            "Pull again later: what has come so far is kept, and the download continues there. Where this host cannot "
            "be reached, name a mirror (--mirror, SAM3_ONNX_MIRROR), or place the files by hand: "
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
    """A function that returns the next bytes of an answer, b"" at its end; what it is called with may end the wait."""
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
    """Judges an answer, and receives what it brings."""
    if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
        if answer.headers.get("Content-Range") == f"bytes */{offset}":
            return
        discard(order.path)
        raise PassingTroubleError("the server's file is shorter than what had come of it")
    _judge(answer, order)
    start, total = _place(answer, order, offset, validator)
    _require_sense(answer, order, total, lambda: read(stop))
    with named_troubles(order.name, order.url, patience):
        _receive(order, patience, start=start, total=total, moved=moved, read=read, stop=stop)


def _resume_point(order: Order) -> tuple[int, str | None]:
    """Where to go on, and the ETag by which the server knows whether its file is still the same."""
    with named_faults(order.path.parent):
        require_plain(part_of(order.path))
        require_plain(notes_of(order.path))
    offset, validator = _length(part_of(order.path)), None
    try:
        notes = json.loads(notes_of(order.path).read_text(encoding="utf-8"))
        if notes["url"] == shown(order.url) and _ETAG.fullmatch(notes["etag"]):
            validator = str(notes["etag"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        pass  # notes that cannot be read say nothing, and the file comes from its beginning
    trusted = validator is not None or order.sha256 is not None
    fits = order.size is None or offset <= order.size
    return (offset, validator) if trusted and fits else (0, None)


def _judge(answer: requests.Response, order: Order) -> None:
    """Lets an answer pass that brings the file."""
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
        remedy="Look at the address in a browser, or place the file by hand.",
    )


def _place(answer: requests.Response, order: Order, offset: int, validator: str | None) -> tuple[int, int | None]:
    """At which byte an answer begins, and how many the whole file has."""
    if answer.status_code == HTTPStatus.OK:
        with named_faults(order.path.parent):
            _note(order, answer.headers.get("ETag"))
        return 0, _declared(answer)
    told = re.fullmatch(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)", answer.headers.get("Content-Range", ""))
    changed = validator is not None and answer.headers.get("ETag", validator) != validator
    if told is None or int(told[1]) != offset or changed:
        discard(order.path)
        raise PassingTroubleError("the server continued at another place, or with another file, than was asked for")
    return offset, None if told[2] == "*" else int(told[2])


def _require_sense(answer: requests.Response, order: Order, total: int | None, read: Callable[[], bytes]) -> None:
    """Stops before the bytes come if they cannot be what was ordered."""
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
            reason="the server does not say how long the file is, and no hash is published, so that nobody could tell "
            "whether it came whole",
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
    """Holds what comes against the least rate, and asks whether to stop."""

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
            reason = f"it came more slowly than {self._patience.least_rate:g} bytes a second"
            raise PassingTroubleError(reason, slow=True)
        self._since, self._bytes = time.monotonic(), 0


def _note(order: Order, etag: str | None) -> None:
    """Keeps the ETag of what is about to come, for a later attempt. A weak one says nothing about bytes."""
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
    """Seconds that the server asks to wait: RFC 9110, section 10.2.3, a number or a date."""
    told = answer.headers.get("Retry-After", "").strip()
    if not told:
        return None
    if re.fullmatch(r"[0-9]{1,18}", told):
        return float(told)
    try:
        until = parsedate_to_datetime(told)
        return max(0.0, until.timestamp() - time.time())
    except (ValueError, TypeError, IndexError, OverflowError):  # what the parser raises at odd dates
        return None
