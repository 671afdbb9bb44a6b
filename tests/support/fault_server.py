"""A server on loopback that plays one fault at a time, for tests and for `tools/hub_faults.py`."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = b"<!DOCTYPE html>\n<html><title>Sign in</title></html>\n"


@dataclass
class Request:
    """What was asked for."""

    method: str
    path: str
    headers: dict[str, str]


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands each request to what the server is told to play."""

    server: FaultServer

    def do_GET(self) -> None:
        self._answer(self.server.get)

    def do_HEAD(self) -> None:
        self._answer(self.server.head)

    def _answer(self, play: Play) -> None:
        self.server.requests.append(Request(self.command, self.path, dict(self.headers.items())))
        content = self.server.files.get(self.path)
        if content is None:
            self.reply(404, {"Content-Length": "0"})
        else:
            with contextlib.suppress(ConnectionError):
                play(self, content)

    def reply(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing."""


Play: TypeAlias = Callable[[Handler, bytes], None]


class FaultServer(http.server.ThreadingHTTPServer):
    """Serves `files` by path, as `get` and `head` play."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.get: Play = whole
        self.head: Play = whole
        self.requests: list[Request] = []
        self.released = threading.Event()
        self.sent = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: clients go away in the middle of things here."""

    def gets(self, path: str | None = None) -> list[Request]:
        return [one for one in self.requests if one.method == "GET" and path in {None, one.path}]


@contextlib.contextmanager
def running() -> Iterator[FaultServer]:
    server = FaultServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def etag_of(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def part_asked_for(handler: Handler, content: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body as a server that knows ranges gives them."""
    headers = {"ETag": etag_of(content), "Content-Type": "application/octet-stream"}
    told = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    same = handler.headers.get("If-Range", etag_of(content)) == etag_of(content)
    if told is None or not same:
        return 200, headers | {"Content-Length": str(len(content))}, content
    start = int(told[1])
    if start >= len(content):
        return 416, headers | {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"}, b""
    headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    return 206, headers | {"Content-Length": str(len(content) - start)}, content[start:]


def whole(handler: Handler, content: bytes) -> None:
    handler.reply(*part_asked_for(handler, content))


def closing_after(count: int) -> Play:
    """Every connection brings `count` bytes and is closed."""

    def play(handler: Handler, content: bytes) -> None:
        status, headers, body = part_asked_for(handler, content)
        handler.reply(status, headers, body[:count])

    return play


def ignoring_ranges(play: Play = whole) -> Play:
    def ignore(handler: Handler, content: bytes) -> None:
        for name in ("Range", "If-Range"):
            del handler.headers[name]
        play(handler, content)

    return ignore


def instead(content: bytes) -> Play:
    """Serves other bytes."""
    return lambda handler, _: whole(handler, content)


def answering(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Play:
    told = {"Content-Length": str(len(body)), **(headers or {})}
    return lambda handler, _: handler.reply(status, told, body)


def page(kind: str = "text/html; charset=utf-8") -> Play:
    """A web page in place of the file."""
    return answering(200, {"Content-Type": kind}, PAGE)


def without_length(count: int | None = None) -> Play:
    """Says nothing of the length, and ends the connection after `count` bytes."""
    return lambda handler, content: handler.reply(200, {}, content[:count])


def claiming(length: int) -> Play:
    """Says another length than the file has."""
    return lambda handler, content: handler.reply(200, {"Content-Length": str(length)}, content)


def hanging(count: int = 0) -> Play:
    """Brings `count` bytes, then falls silent."""

    def play(handler: Handler, content: bytes) -> None:
        status, headers, body = part_asked_for(handler, content)
        handler.reply(status, headers, body[:count])
        handler.wfile.flush()
        handler.server.released.wait(120)

    return play


def endless(handler: Handler, _content: bytes) -> None:
    """Sends on and on, and says no length."""
    handler.reply(200, {})
    if handler.command == "GET":
        while True:  # until the other side goes away
            handler.wfile.write(bytes(1 << 16))
            handler.server.sent += 1 << 16


def dripping(handler: Handler, content: bytes) -> None:
    """Brings a byte now and then."""
    status, headers, body = part_asked_for(handler, content)
    handler.reply(status, headers)
    for byte in body if handler.command == "GET" else b"":
        handler.wfile.write(bytes([byte]))
        if handler.server.released.wait(0.02):
            return


def redirecting(to: str) -> Play:
    """Sends one on to the same path elsewhere."""
    return lambda handler, _: handler.reply(302, {"Location": f"{to}{handler.path}", "Content-Length": "0"})


@dataclass
class InTurn:
    """Plays one thing after the other, the last one again and again."""

    plays: tuple[Play, ...]
    played: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, handler: Handler, content: bytes) -> None:
        with self.lock:
            play = self.plays[min(self.played, len(self.plays) - 1)]
            self.played += 1
        play(handler, content)


def in_turn(*plays: Play) -> Play:
    return InTurn(plays)
