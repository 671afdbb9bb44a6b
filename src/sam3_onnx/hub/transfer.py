"""The download of one address, over a network that breaks.

A file grows as `<name>.part`. A later attempt, also one of another process, asks for the rest only (RFC 9110, section
14: Range, with If-Range so that a file which changed in between comes from its beginning). What may have come whole is
left as the part; to verify it is the caller's.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from sam3_onnx.errors import (
    DownloadDamagedError,
    DownloadError,
    DownloadNotFoundError,
    DownloadRefusedError,
    WebPageError,
)
from sam3_onnx.hub.patience import Patience
from sam3_onnx.hub.sources import shown
from sam3_onnx.hub.store import discard, looks_like_page, named_faults, notes_of, part_of, require_space

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


__all__ = ["Order", "Patience", "fetch", "learn_size", "new_connection"]

_CHUNK_BYTES = 1 << 15
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_SHOWN_BYTES = 40
_ATTEMPTS_AT_A_NAME = 2  # a name that cannot be resolved is as a rule no network at all


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


class _PassingTroubleError(Exception):
    """What another attempt may mend."""

    def __init__(self, reason: str, *, wait: float | None = None, attempts: int | None = None) -> None:
        self.reason = reason
        self.attempts = attempts
        self.wait = wait
        super().__init__(reason)


def new_connection() -> requests.Session:
    """A session of requests that asks for bytes as they are: a compressed answer could not be continued."""
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    return session


def learn_size(connection: requests.Session, order: Order, patience: Patience) -> int | None:
    """Asks for a file's size in bytes; None if the server does not tell: the download itself will say why."""
    try:
        answer = connection.head(order.url, headers=_headers(order), allow_redirects=True, timeout=_timeouts(patience))
    except requests.RequestException:
        return None
    return _declared(answer) if answer.status_code == HTTPStatus.OK else None


def fetch(
    connection: requests.Session,
    order: Order,
    patience: Patience,
    moved: Callable[[int, int | None], None],
    *,
    tell: Callable[[str], None],
) -> None:
    """Completes `<name>.part`.

    Args:
        connection: From `new_connection`.
        order: What to fetch.
        patience: How long to keep it up.
        moved: Called with the bytes so far and the size in bytes, None if it is not known.
        tell: Called with a line before each wait: what went wrong, and when the next attempt is.

    Raises:
        DownloadNotFoundError: The server has no such file.
        DownloadRefusedError: The server wants to know who asks.
        DownloadDamagedError: The server's file has another size than the published one. The part is removed.
        WebPageError: A web page came. The part is removed.
        DownloadError: It did not come whole within the patience. The part is kept.
        CacheFolderError: The part cannot be written.
        DiskFullError: There is not enough space.
    """
    failures, furthest = 0, _length(part_of(order.path))
    while (trouble := _troubled(connection, order, patience, moved)) is not None:
        reached = _length(part_of(order.path))
        failures = 1 if reached > furthest else failures + 1
        furthest = max(furthest, reached)
        _rest(order, patience, failures, trouble, tell)


def _troubled(
    connection: requests.Session, order: Order, patience: Patience, moved: Callable[[int, int | None], None]
) -> _PassingTroubleError | None:
    """One attempt, and what broke it off; None if all is there."""
    try:
        _attempt(connection, order, patience, moved)
    except _PassingTroubleError as trouble:
        return trouble
    except (WebPageError, DownloadDamagedError):
        discard(order.path)
        raise
    return None


def _rest(
    order: Order, patience: Patience, failures: int, trouble: _PassingTroubleError, tell: Callable[[str], None]
) -> None:
    wait = patience.first_wait * 2 ** (failures - 1) if trouble.wait is None else trouble.wait
    attempts = min(patience.attempts, trouble.attempts or patience.attempts)
    if trouble.wait is not None and trouble.wait > patience.longest_wait:
        reason, remedy = trouble.reason, f"The server asks to wait for {trouble.wait:.0f} seconds; pull again then."
    elif failures >= attempts:
        reason = f"{trouble.reason} ({failures} attempts without progress)"
        remedy = (
            "Pull again later: what has come so far is kept, and the download continues there. Where this host cannot "
            "be reached, name a mirror (--mirror, SAM3_ONNX_MIRROR), or place the files by hand: "
            "`sam3-onnx models where NAME` shows each address and the folder."
        )
    else:
        wait = min(wait, patience.longest_wait)
        tell(f"{order.name}: {trouble.reason}; attempt {failures + 1} of {attempts} in {wait:g} s")
        patience.sleep(wait)
        return
    raise DownloadError(order.name, url=shown(order.url), reason=reason, remedy=remedy) from trouble


def _attempt(
    connection: requests.Session, order: Order, patience: Patience, moved: Callable[[int, int | None], None]
) -> None:
    offset, validator = _resume_point(order)
    if offset and offset == order.size:
        return
    headers = _headers(order)
    if offset:
        headers["Range"] = f"bytes={offset}-"
    if offset and validator:
        headers["If-Range"] = validator
    with _named_troubles(order, patience):
        answer = connection.get(order.url, headers=headers, stream=True, timeout=_timeouts(patience))
    with answer:
        if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
            if answer.headers.get("Content-Range") == f"bytes */{offset}":
                return
            discard(order.path)
            raise _PassingTroubleError("the server's file is shorter than what had come of it")
        _judge(answer, order)
        start, total = _place(answer, order, offset, validator)
        _require_sense(answer, order, total)
        _receive(answer, order, patience, start=start, total=total, moved=moved)


def _resume_point(order: Order) -> tuple[int, str | None]:
    """Where to go on, and the ETag by which the server knows whether its file is still the same."""
    offset = _length(part_of(order.path))
    try:
        notes = json.loads(notes_of(order.path).read_text(encoding="utf-8"))
        validator = str(notes["etag"]) if notes["url"] == shown(order.url) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        validator = None
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
        raise _PassingTroubleError(f"the server answered HTTP {status}", wait=_retry_after(answer))
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
    told = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    changed = validator is not None and answer.headers.get("ETag", validator) != validator
    if told is None or int(told[1]) != offset or changed:
        discard(order.path)
        raise _PassingTroubleError("the server continued at another place, or with another file, than was asked for")
    return offset, None if told[2] == "*" else int(told[2])


def _require_sense(answer: requests.Response, order: Order, total: int | None) -> None:
    """Stops before the bytes come if they cannot be what was ordered."""
    kind = answer.headers.get("Content-Type", "")
    if order.sha256 is None and kind.lower().startswith("text/html"):
        begins = answer.raw.read(_SHOWN_BYTES).decode("latin-1")
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
    answer: requests.Response,
    order: Order,
    patience: Patience,
    *,
    start: int,
    total: int | None,
    moved: Callable[[int, int | None], None],
) -> None:
    folder, done = order.path.parent, start
    expected = order.size if total is None else total
    with named_faults(folder):
        part = part_of(order.path).open("ab" if start else "wb")
    with part:
        if expected is not None:
            require_space(folder, expected - start)
        moved(done, expected)
        with _named_troubles(order, patience):
            for chunk in answer.iter_content(_CHUNK_BYTES):
                if not done and looks_like_page(chunk):
                    begins = chunk[:_SHOWN_BYTES].decode("latin-1")
                    raise WebPageError(order.name, url=shown(order.url), begins=begins)
                with named_faults(folder):
                    part.write(chunk)
                    part.flush()
                done += len(chunk)
                moved(done, expected)
    if expected is not None and done < expected:
        raise _PassingTroubleError(f"the connection ended after {done} of {expected} bytes")
    if expected is not None and done > expected:
        raise DownloadDamagedError(order.name, url=shown(order.url), expected=f"{expected} bytes", got=f"{done} bytes")


@contextlib.contextmanager
def _named_troubles(order: Order, patience: Patience) -> Iterator[None]:
    """Sorts what requests raises into what may pass and what will not."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise DownloadError(
            order.name,
            url=shown(order.url),
            reason="the server's certificate was not accepted",
            remedy="Check the clock and the network; a proxy that inspects traffic needs its certificate in "
            "REQUESTS_CA_BUNDLE.",
        ) from error
    except requests.Timeout as error:
        raise _PassingTroubleError(f"no answer within {patience.read_timeout:g} seconds") from error
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        raise _unconnected(error, order, patience) from error
    except requests.RequestException as error:
        raise DownloadError(
            order.name,
            url=shown(order.url),
            reason=f"the request failed ({type(error).__name__})",
            remedy="Check the mirror and the proxy settings.",
        ) from error


def _unconnected(error: BaseException, order: Order, patience: Patience) -> _PassingTroubleError:
    kinds = {type(cause) for cause in _causes(error)}
    if socket.gaierror in kinds:
        host = urlsplit(order.url).hostname
        return _PassingTroubleError(f"the name {host} could not be resolved", attempts=_ATTEMPTS_AT_A_NAME)
    if ConnectionRefusedError in kinds:
        return _PassingTroubleError("the connection was refused")
    reason = f"no connection, or it broke off or was silent for {patience.read_timeout:g} seconds"
    return _PassingTroubleError(reason)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that led to it; requests and urllib3 hand theirs on as arguments, too."""
    yield error
    for cause in (error.__cause__, *error.args, getattr(error, "reason", None)):
        if isinstance(cause, BaseException):
            yield from _causes(cause)


def _note(order: Order, etag: str | None) -> None:
    """Keeps the ETag of what is about to come, for a later attempt. A weak one says nothing about bytes."""
    if etag is None or etag.startswith("W/"):
        notes_of(order.path).unlink(missing_ok=True)
    else:
        notes_of(order.path).write_text(json.dumps({"url": shown(order.url), "etag": etag}), encoding="utf-8")


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _headers(order: Order) -> dict[str, str]:
    return {"Authorization": f"Bearer {order.token}"} if order.token else {}


def _timeouts(patience: Patience) -> tuple[float, float]:
    return patience.connect_timeout, patience.read_timeout


def _declared(answer: requests.Response) -> int | None:
    length = answer.headers.get("Content-Length", "")
    plain = answer.headers.get("Content-Encoding", "identity") == "identity"
    return int(length) if length.isdecimal() and plain else None


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds that the server asks to wait: RFC 9110, section 10.2.3, a number or a date."""
    told = answer.headers.get("Retry-After", "").strip()
    if not told:
        return None
    if told.isdecimal():
        return float(told)
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    return max(0.0, until.timestamp() - time.time())
