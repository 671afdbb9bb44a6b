"""Whatever a server, a disk or a person does: a named error, nothing under a final name, and the next pull succeeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fault_server as play
import pytest

from sam3_onnx.errors import (
    DownloadDamagedError,
    DownloadError,
    DownloadNotFoundError,
    DownloadRefusedError,
    Sam3Error,
    WebPageError,
)
from sam3_onnx.hub import pull, where

if TYPE_CHECKING:
    from pathlib import Path

    from fault_server import FaultServer, Play

    from sam3_onnx.hub import PublishedModel
    from sam3_onnx.hub.transfer import Patience

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
    ("silence", play.hanging(), DownloadError, "silent for 0.5 seconds"),
    ("silence in the middle", play.ignoring_ranges(play.hanging(40000)), DownloadError, "silent for 0.5 seconds"),
    ("no end to breaking off", play.ignoring_ranges(play.closing_after(3000)), DownloadError, "broke off"),
    ("wrong bytes", play.instead(b"\x08\x07" + bytes(8190)), DownloadDamagedError, "expected SHA-256"),
    ("too few bytes", play.instead(b"\x08\x07"), DownloadDamagedError, "in 2 bytes"),
    ("too many bytes", play.instead(b"\x08\x07" * 9000), DownloadDamagedError, "in 18000 bytes"),
    ("a length that is not kept", play.claiming(1 << 21), DownloadError, "broke off"),
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
    with pytest.raises(error) as caught:
        pull(hashed, folder=tmp_path, patience=quick, progress=False)
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
