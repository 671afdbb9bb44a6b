"""Whatever a server, a disk or a person does: a named error, nothing under a final name, and the next pull succeeds."""

from __future__ import annotations

import errno
import shutil
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import (
    CacheFolderError,
    DiskFullError,
    DownloadDamagedError,
    DownloadError,
    DownloadNotFoundError,
    DownloadRefusedError,
    Sam3Error,
    WebPageError,
)
from sam3_onnx.hub import pull, where
from tests.support import fault_server as play
from tests.support.hub_fixtures import LONG, make_read_only, published, pulling

if TYPE_CHECKING:
    from collections.abc import Callable

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


def whole_files(folder: Path, model: PublishedModel) -> list[str]:
    return [file.name for file in model.files if (folder / file.name).exists()]


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


def assert_the_next_pull_succeeds(server: FaultServer, model: PublishedModel, quick: Patience, folder: Path) -> None:
    server.get = play.whole
    assert pull(model, folder=folder, patience=quick, progress=False) == folder
    assert {path.name: path.read_bytes() for path in folder.glob("tiny*")} == {
        path[1:]: content for path, content in server.files.items()
    }
    assert where(model, folder=folder).state == "complete"


@pytest.mark.parametrize("sixteenth", range(16))
def test_a_server_that_closes_at_a_sixteenth_is_asked_for_the_rest(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, sixteenth: int
) -> None:
    size = len(server.files["/tiny.onnx.data"])
    cut = size * sixteenth // 16
    server.get = play.in_turn(play.closing_after(cut), play.whole)
    pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert where(hashed, folder=tmp_path).state == "complete"
    asked = [request.headers.get("Range") for request in server.gets("/tiny.onnx.data")]
    assert asked == [None, f"bytes={cut}-" if cut else None]


def test_a_server_that_closes_at_every_sixteenth_is_asked_sixteen_times(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    server.get = play.closing_after(1 << 16)
    pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert len(server.gets("/tiny.onnx.data")) == 16
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


def test_a_file_that_changed_on_the_server_comes_from_its_beginning(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    server.get = play.in_turn(play.closing_after(1 << 17), play.answering(404))
    with pytest.raises(DownloadNotFoundError):
        pull(unhashed, folder=tmp_path, patience=quick, progress=False)
    server.files["/tiny.onnx.data"] = b"new" * 100_000
    assert (tmp_path / "tiny.onnx.data.part").stat().st_size == 1 << 17
    assert_the_next_pull_succeeds(server, unhashed, quick, tmp_path)
    assert server.gets("/tiny.onnx.data")[-1].headers["Range"] == "bytes=131072-"


def test_ranges_that_are_ignored_cost_a_start_from_zero_and_no_wrong_byte(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    server.get = play.in_turn(play.closing_after(1 << 18), play.ignoring_ranges())
    pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


def test_a_server_that_continues_with_another_file_is_not_believed(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    def other(handler: play.Handler, content: bytes) -> None:
        del handler.headers["If-Range"]
        play.whole(handler, bytes(len(content)))

    server.get = play.in_turn(play.closing_after(1 << 18), other, play.whole)
    pull(unhashed, folder=tmp_path, patience=quick, progress=False)
    assert_the_next_pull_succeeds(server, unhashed, quick, tmp_path)


def test_a_server_that_continues_at_another_place_is_not_believed(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    def elsewhere(handler: play.Handler, content: bytes) -> None:
        end = len(content) - 1
        handler.reply(206, {"Content-Range": f"bytes 7-{end}/{end + 1}", "Content-Length": str(end - 6)}, content[7:])

    server.get = play.in_turn(play.closing_after(1 << 18), elsewhere, play.whole)
    pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


@pytest.mark.parametrize("surplus", [0, 10])
def test_a_part_that_is_as_long_as_the_file_or_longer_does_not_trouble(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, surplus: int
) -> None:
    (tmp_path / "tiny.onnx.part").write_bytes(server.files["/tiny.onnx"] + bytes(surplus))
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


def test_a_part_of_unknown_origin_is_not_continued_where_no_hash_is_published(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    (tmp_path / "tiny.onnx.part").write_bytes(b"whatever this is")
    assert_the_next_pull_succeeds(server, unhashed, quick, tmp_path)


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
    with pytest.raises(DownloadDamagedError, match="expected 5000 bytes, got 1048576 bytes"):
        pull(sized, folder=tmp_path, patience=quick, progress=False)
    assert list(tmp_path.glob("tiny*")) == []


def test_an_answer_without_a_length_that_ends_early_is_continued_where_the_size_was_published(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    sized = replace(hashed, files=(replace(hashed.files[0], size=1 << 20), *hashed.files[1:]))
    server.get = play.without_length(5000)
    with pytest.raises(DownloadError, match="the connection ended after 5000 of 1048576 bytes"):
        pull(sized, folder=tmp_path, patience=quick, progress=False)
    assert_the_next_pull_succeeds(server, sized, quick, tmp_path)
    assert server.gets("/tiny.onnx.data")[-1].headers["Range"] == "bytes=5000-"


def test_without_hash_and_length_nobody_can_tell_whether_a_file_is_whole(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    server.get = play.without_length(5000)
    with pytest.raises(DownloadError, match="nobody could tell whether it came whole"):
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


def test_a_full_disk_is_said_before_the_first_byte(
    server: FaultServer,
    hashed: PublishedModel,
    quick: Patience,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=67 << 20))
        pull(hashed, folder=tmp_path / "fits", patience=quick, progress=False)
        patched.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=64 << 20))
        before = len(server.gets())
        with pytest.raises(DiskFullError, match=r"needed 1\.1 MB and 67\.1 MB spare, free 67\.1 MB"):
            pull(hashed, folder=tmp_path, patience=quick, progress=False)
        assert len(server.gets()) == before
        server.head = play.answering(405)
        with pytest.raises(DiskFullError, match=r"needed 1\.0 MB"):
            pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert whole_files(tmp_path, hashed) == []
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_on_the_way_is_said(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    (tmp_path / "tiny.onnx.data.part").symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match="needed more than there is"):
        pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert whole_files(tmp_path, hashed) == []
    (tmp_path / "tiny.onnx.data.part").unlink()
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


def test_a_file_where_the_folder_belongs_is_said(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    (tmp_path / "models").write_text("a file, not a folder")
    for folder in (tmp_path / "models", tmp_path / "models" / "tiny"):
        with pytest.raises(CacheFolderError, match="cannot be used") as caught:
            pull(hashed, folder=folder, patience=quick, progress=False)
        assert caught.value.folder == folder
    (tmp_path / "models").unlink()
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path / "models" / "tiny")


def test_a_read_only_folder_is_said(
    server: FaultServer,
    hashed: PublishedModel,
    quick: Patience,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        make_read_only(patched)
        with pytest.raises(CacheFolderError, match="Read-only file system") as caught:
            pull(hashed, folder=tmp_path, patience=quick, progress=False)
        assert "SAM3_ONNX_CACHE" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


def test_an_interrupt_leaves_a_part_that_is_continued(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    server.get = play.hanging(1 << 17)
    part = tmp_path / "tiny.onnx.data.part"
    with pulling(hashed, tmp_path) as process:
        until(lambda: part.is_file() and part.stat().st_size == 1 << 17)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert said.endswith("sam3-onnx: interrupted\n")
    assert whole_files(tmp_path, hashed) == []
    assert part.stat().st_size == 1 << 17
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)
    assert server.gets("/tiny.onnx.data")[-1].headers["Range"] == "bytes=131072-"


def test_two_processes_at_once_download_once(server: FaultServer, hashed: PublishedModel, tmp_path: Path) -> None:
    both_there = threading.Event()

    def after_both(handler: play.Handler, content: bytes) -> None:
        both_there.wait(LONG)
        play.whole(handler, content)

    server.get = after_both
    with pulling(hashed, tmp_path) as first:
        until(lambda: bool(server.gets()))
        with pulling(hashed, tmp_path) as second:
            assert second.stderr is not None
            assert "another process is at work" in second.stderr.readline()
            both_there.set()
            assert [first.wait(LONG), second.wait(LONG)] == [0, 0]
    assert sorted(request.path for request in server.gets()) == sorted(server.files)
    assert where(hashed, folder=tmp_path).state == "complete"


def test_threads_at_once_download_once(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(pull, hashed, folder=tmp_path, patience=quick, progress=False) for _ in range(4)]
        assert {task.result() for task in tasks} == {tmp_path}
    assert len(server.gets()) == 2


def until(condition: Callable[[], bool]) -> None:
    for _ in range(int(LONG / 0.01)):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def test_an_interrupt_while_hashing_loses_nothing(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pooch.core.hash_matches", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert whole_files(tmp_path, hashed) == []
    before = len(server.gets())
    pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert whole_files(tmp_path, hashed) == [file.name for file in hashed.files]
    asked = server.gets()[before]
    assert asked.headers["Range"] == f"bytes={len(server.files[asked.path])}-", "the first file had come whole"


@pytest.mark.parametrize("wrong", [False, True])
def test_a_disk_without_hard_links_will_do(
    server: FaultServer,
    hashed: PublishedModel,
    quick: Patience,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: bool,  # noqa: FBT001 - parametrized
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    if wrong:
        server.get = play.instead(b"\x08\x07" + bytes(8190))
        with pytest.raises(DownloadDamagedError, match="expected SHA-256"):
            pull(hashed, folder=tmp_path, patience=quick, progress=False)
        assert whole_files(tmp_path, hashed) == []
        server.get = play.whole
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)
