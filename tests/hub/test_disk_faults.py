"""Whatever a disk or another process does: a named error, and the next pull succeeds."""

from __future__ import annotations

import errno
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import CacheFolderError, DiskFullError, DownloadDamagedError
from sam3_onnx.hub import pull, transfer, where
from tests.support import fault_server as play
from tests.support.hub_fixtures import LONG, full_device, make_read_only, pulling
from tests.support.pulls import assert_the_next_pull_succeeds, until, whole_files

if TYPE_CHECKING:
    from sam3_onnx.hub import Patience, PublishedModel
    from tests.support.fault_server import FaultServer


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
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "open_plain", full_device)
        with pytest.raises(DiskFullError, match="needed more than is free"):
            pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert whole_files(tmp_path, hashed) == []
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
            assert "another process is using" in second.stderr.readline()
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
