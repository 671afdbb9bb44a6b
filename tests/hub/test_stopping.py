"""Does a download end when it has to: called off, too slow, too long, or in a program that is over?"""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from sam3_onnx import Sam3Session
from sam3_onnx._support.folders import LOCK_NAME
from sam3_onnx.errors import CancelledError, DownloadDamagedError, DownloadError, OptionError
from sam3_onnx.hub import Patience, pull, verify
from tests.support import fault_server as play
from tests.support.hub_fixtures import LONG, published
from tests.support.places import ROOT
from tests.support.pulls import assert_the_next_pull_succeeds, until

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.hub import PublishedModel
    from tests.support.fault_server import FaultServer

TOLD = "The call was cancelled during the download, verification or opening; the part that was downloaded is kept.\n"
PROGRAM = """
import sys, threading, time
from sam3_onnx.hub import Patience, pull
from sam3_onnx.errors import CancelledError
from tests.support.hub_fixtures import published
def download():
    try:
        pull(published({"/tiny.onnx": b"x" * 5000}, host=sys.argv[1]), folder=sys.argv[2], progress=heard,
             patience=Patience(read_timeout=600))
    except CancelledError as error:
        print(error)
begun = threading.Event()
heard = lambda *_: begun.set()
threading.Thread(target=download, daemon=sys.argv[3] == "daemon").start()
begun.wait(60)
"""


def cancelled(server: FaultServer, model: PublishedModel, folder: Path, *, when: int = 1) -> None:
    """Pulls, and sets the event once the server has been asked so often."""
    cancel, outcome = threading.Event(), []

    def run() -> None:
        with pytest.raises(CancelledError) as error:
            pull(model, folder=folder, progress=False, cancel=cancel, patience=Patience(read_timeout=10 * LONG))
        outcome.append(error.value)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: len(server.requests) >= when)
    cancel.set()
    thread.join(LONG)
    assert outcome


@pytest.mark.parametrize("sent", [0, 1 << 18])
def test_a_silent_server_does_not_keep_from_cancelling(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, sent: int
) -> None:
    server.get = play.hanging(sent)
    cancelled(server, hashed, tmp_path, when=3)
    assert_the_next_pull_succeeds(server, hashed, quick, tmp_path)


def test_a_server_that_does_not_answer_to_head_is_left(
    server: FaultServer, hashed: PublishedModel, tmp_path: Path
) -> None:
    def silent(handler: play.Handler, _: bytes) -> None:
        handler.server.released.wait(LONG)

    server.head = silent
    cancelled(server, hashed, tmp_path)


def test_the_wait_between_two_attempts_is_left(server: FaultServer, hashed: PublishedModel, tmp_path: Path) -> None:
    server.get = play.answering(503)
    patient, cancel = Patience(first_wait=10 * LONG, longest_wait=10 * LONG), threading.Event()
    timer = threading.Timer(0.2, cancel.set)
    timer.start()
    with pytest.raises(CancelledError):
        pull(hashed, folder=tmp_path, progress=False, cancel=cancel, patience=patient)
    timer.join()


def test_the_wait_for_another_process_is_left(hashed: PublishedModel, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with FileLock(tmp_path / LOCK_NAME), pytest.raises(CancelledError):
        pull(hashed, folder=tmp_path, progress=False, cancel=cancel)


def test_a_verification_is_called_off_and_tells_how_far_it_is(hashed: PublishedModel, tmp_path: Path) -> None:
    pull(hashed, folder=tmp_path, progress=False)
    cancel, heard = threading.Event(), []

    def listen(name: str, done: int, size: int | None) -> None:
        heard.append((name, done, size))
        cancel.set()

    with pytest.raises(CancelledError):
        verify(hashed, folder=tmp_path, progress=listen, cancel=cancel)
    assert heard == [("verifying tiny.onnx.data", 1 << 20, 1 << 20)]


def test_opening_is_called_off_and_tells_how_far_it_is() -> None:
    cancel, heard = threading.Event(), []
    cancel.set()
    with pytest.raises(CancelledError):
        Sam3Session.from_pretrained("miniature", cancel=cancel)
    with Sam3Session.from_pretrained(
        "miniature", cancel=threading.Event(), progress=lambda name, done, size: heard.append((name, done == size))
    ):
        roles = ("image_encoder", "decoder", "geometry_encoder", "fusion")
        assert sorted(heard) == sorted((f"opening {role}.onnx", done) for role in roles for done in (False, True))
        assert [done for _, done in heard] == [False, True] * len(roles)
    with pytest.raises(OptionError, match=r"cancel must be a threading\.Event or None"):
        Sam3Session.from_pretrained("miniature", cancel=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["daemon", "thread"])
def test_a_program_can_end_while_a_thread_downloads(server: FaultServer, tmp_path: Path, kind: str) -> None:
    server.files = {"/tiny.onnx": b"x" * 5000}
    server.get = play.hanging(10)
    words = [sys.executable, "-c", PROGRAM, server.url, str(tmp_path), kind]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False)  # noqa: S603 - our own
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == ("" if kind == "daemon" else TOLD)


def test_a_file_that_goes_on_beyond_its_size_is_left_at_once(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    files = tuple(replace(file, size=len(server.files[f"/{file.name}"])) for file in hashed.files)
    server.get = play.endless
    with pytest.raises(DownloadDamagedError, match="expected 1048576 bytes, got at least "):
        pull(replace(hashed, files=files), folder=tmp_path, patience=quick, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]
    assert server.sent < 64 << 20  # what fits into the buffers on the way, not what the disk holds


def test_a_redirection_whose_page_never_ends_is_followed(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    def redirect(handler: play.Handler, content: bytes) -> None:
        if "again" in handler.path:
            play.whole(handler, content)
        else:
            handler.reply(302, {"Location": f"{handler.path}?again"})
            for _ in range(1 << 12 if handler.command == "GET" else 0):
                handler.wfile.write(bytes(1 << 16))
                handler.server.sent += 1 << 16

    server.files |= {f"{path}?again": content for path, content in server.files.items()}
    server.get = redirect
    assert pull(hashed, folder=tmp_path, patience=quick, progress=False) == tmp_path
    assert server.sent < 64 << 20


def test_a_connection_that_is_too_slow_is_given_up(server: FaultServer, tmp_path: Path) -> None:
    server.get = play.dripping
    patience = Patience(attempts=2, first_wait=0.01, least_rate=1e6, rate_seconds=0.2)
    with pytest.raises(DownloadError, match="it was slower than 1e\\+06 bytes per second \\(2 attempts"):
        pull(published(server.files, host=server.url), folder=tmp_path, progress=False, patience=patience)


def test_any_rate_is_taken_if_so_wished(server: FaultServer, tmp_path: Path) -> None:
    server.files = {"/tiny.onnx": b"\x08\x07" * 8}
    server.get = play.dripping
    patience = Patience(least_rate=0, rate_seconds=0.01)
    pull(published(server.files, host=server.url), folder=tmp_path, progress=False, patience=patience)
