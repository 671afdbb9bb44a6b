"""Is what came of a file continued where it broke off, and only where that is right?"""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import DownloadError, DownloadNotFoundError
from sam3_onnx.hub import pull, where
from tests.support import fault_server as play
from tests.support.hub_fixtures import LONG, pulling
from tests.support.pulls import assert_the_next_pull_succeeds, until, whole_files

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.hub import Patience, PublishedModel
    from tests.support.fault_server import FaultServer


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


def test_an_answer_without_a_length_that_ends_early_is_continued_where_the_size_was_published(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    sized = replace(hashed, files=(replace(hashed.files[0], size=1 << 20), *hashed.files[1:]))
    server.get = play.without_length(5000)
    with pytest.raises(DownloadError, match="the connection ended after 5000 of 1048576 bytes"):
        pull(sized, folder=tmp_path, patience=quick, progress=False)
    assert_the_next_pull_succeeds(server, sized, quick, tmp_path)
    assert server.gets("/tiny.onnx.data")[-1].headers["Range"] == "bytes=5000-"


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
