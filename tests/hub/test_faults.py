"""Whatever a server does: a named error, nothing under a final name, and the next pull succeeds."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import (
    DownloadDamagedError,
    DownloadError,
    DownloadNotFoundError,
    DownloadRefusedError,
    Sam3Error,
    WebPageError,
)
from sam3_onnx.hub import pull
from tests.support import fault_server as play
from tests.support.hub_fixtures import published
from tests.support.pulls import assert_the_next_pull_succeeds, whole_files

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.hub import Patience, PublishedModel
    from tests.support.fault_server import FaultServer, Play

SILENCE = "0.5 seconds (3 attempts without progress)"
"""Silence before the first byte and after it are told in other words; which it is depends on how fast a server is."""

FATAL: list[tuple[str, Play, type[Sam3Error], str]] = [
    ("a file that is not there", play.answering(404), DownloadNotFoundError, "no such file (HTTP 404)"),
    ("a file that is gone", play.answering(410), DownloadNotFoundError, "HTTP 410"),
    ("access refused", play.answering(403), DownloadRefusedError, "HF_TOKEN"),
    ("not logged in", play.answering(401), DownloadRefusedError, "HTTP 401"),
    ("an answer of no use", play.answering(418), DownloadError, "HTTP 418"),
    ("too many requests", play.answering(429), DownloadError, "HTTP 429 (3 attempts without progress)"),
    (
        "too many requests for an hour",
        play.answering(429, {"Retry-After": "3600"}),
        DownloadError,
        "wait for 3600 seconds",
    ),
    ("a broken server", play.answering(500), DownloadError, "HTTP 500"),
    ("a busy server", play.answering(503), DownloadError, "HTTP 503"),
    ("silence", play.hanging(), DownloadError, SILENCE),
    ("silence in the middle", play.ignoring_ranges(play.hanging(40000)), DownloadError, SILENCE),
    ("no end to breaking off", play.ignoring_ranges(play.closing_after(3000)), DownloadError, "3 attempts"),
    ("wrong bytes", play.instead(b"\x08\x07" + bytes(8190)), DownloadDamagedError, "expected SHA-256"),
    ("too few bytes", play.instead(b"\x08\x07"), DownloadDamagedError, "in 2 bytes"),
    ("too many bytes", play.instead(b"\x08\x07" * 9000), DownloadDamagedError, "in 18000 bytes"),
    ("a length that is not kept", play.claiming(1 << 21), DownloadError, "3 attempts"),
    ("cut off without a length", play.without_length(5000), DownloadDamagedError, "in 5000 bytes"),
    ("a web page", play.page(), WebPageError, "'<!DOCTYPE html>"),
    ("a web page said to be a file", play.page("application/octet-stream"), WebPageError, "<!DOCTYPE html>"),
    (
        "redirects without end",
        lambda handler, _: handler.reply(302, {"Location": handler.path}),
        DownloadError,
        "TooMany",
    ),
]


@pytest.mark.parametrize(("fault", "error", "words"), [case[1:] for case in FATAL], ids=[case[0] for case in FATAL])
def test_a_fault_is_named_leaves_no_final_file_and_the_next_pull_succeeds(
    server: FaultServer,
    hashed: PublishedModel,
    quick: Patience,
    tmp_path: Path,
    fault: Play,
    error: type[Sam3Error],
    words: str,
) -> None:
    server.get = fault
    patience = replace(quick, read_timeout=0.5) if words == SILENCE else quick
    with pytest.raises(error) as caught:
        pull(hashed, folder=tmp_path, patience=patience, progress=False)
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert f"{server.url}/tiny.onnx.data" in str(caught.value)
    assert whole_files(tmp_path, hashed) == []
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


def test_a_size_that_was_published_is_held_against_the_servers_before_the_bytes_come(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    sized = replace(hashed, files=(replace(hashed.files[0], size=1 << 20), *hashed.files[1:]))
    server.get = play.claiming(77)
    with pytest.raises(DownloadDamagedError, match="expected 1048576 bytes, got 77 bytes"):
        pull(sized, folder=tmp_path, patience=quick, progress=False)
    assert_the_next_pull_succeeds(server, sized, quick, tmp_path)
    assert not any(request.method == "HEAD" and "data" in request.path for request in server.requests)


def test_more_bytes_than_were_published_are_refused_without_waiting_for_the_hash(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    sized = replace(hashed, files=(replace(hashed.files[0], size=5000), *hashed.files[1:]))
    server.get = play.without_length()
    with pytest.raises(DownloadDamagedError, match=r"expected 5000 bytes, got at least [0-9]+ bytes"):
        pull(sized, folder=tmp_path, patience=quick, progress=False)
    assert list(tmp_path.glob("tiny*")) == []


def test_without_hash_and_length_nobody_can_tell_whether_a_file_is_whole(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    server.get = play.without_length(5000)
    with pytest.raises(DownloadError, match="nothing shows whether the download is complete"):
        pull(unhashed, folder=tmp_path, patience=quick, progress=False)
    assert_the_next_pull_succeeds(server, unhashed, quick, tmp_path)


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream"])
def test_a_web_page_is_recognised_where_no_hash_is_published(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path, kind: str
) -> None:
    server.get = server.head = play.page(kind)
    with pytest.raises(WebPageError, match="<!DOCTYPE html>"):
        pull(unhashed, folder=tmp_path, patience=quick, progress=False)
    assert whole_files(tmp_path, unhashed) == []
    server.head = play.whole
    assert_the_next_pull_succeeds(server, unhashed, quick, tmp_path)


def test_weights_that_begin_with_the_sign_of_a_page_are_no_page(
    server: FaultServer, quick: Patience, tmp_path: Path
) -> None:
    server.files["/tiny.onnx.data"] = b"<\x00\x01\x02" * 1000
    assert_the_next_pull_succeeds(server, published(server.files, host=server.url), quick, tmp_path)


def test_a_size_that_the_server_does_not_tell_beforehand_is_no_fault(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    server.head = play.answering(405)
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


def test_waits_double_and_a_server_that_names_one_is_obeyed(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    waits: list[float] = []
    soon = format_datetime(datetime.now(timezone.utc) - timedelta(seconds=5), usegmt=True)
    server.get = play.in_turn(
        play.answering(500),
        play.answering(500),
        play.answering(429, {"Retry-After": "7"}),
        play.answering(503, {"Retry-After": soon}),
        play.answering(503, {"Retry-After": "soon"}),
        play.whole,
    )
    patience = replace(quick, attempts=6, first_wait=1, longest_wait=10, sleep=waits.append)
    pull(hashed, folder=tmp_path, patience=patience, progress=False)
    assert waits == [1, 2, 7, 0, 10]


def test_nobody_at_the_address_is_said(
    hashed: PublishedModel, quick: Patience, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = r"the connection was refused \(3 attempts without progress\)\. Pull again later.*models where NAME"
    with pytest.raises(DownloadError, match=expected):
        pull(hashed, folder=tmp_path, mirror="http://127.0.0.1:9", patience=quick)
    told = capsys.readouterr().err
    assert ": the connection was refused; attempt 2 of 3 in 1 s\n" in told
    assert ": the connection was refused; attempt 3 of 3 in 2 s\n" in told
    assert whole_files(tmp_path, hashed) == []


def test_a_name_that_cannot_be_resolved_is_tried_twice(
    unhashed: PublishedModel,
    quick: Patience,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    expected = r"the name mirror\.invalid could not be resolved \(2 attempts without progress\)"
    with pytest.raises(DownloadError, match=expected):
        pull(unhashed, folder=tmp_path, mirror="http://mirror.invalid", patience=quick)
    assert "at least 0 bytes" not in capsys.readouterr().err
