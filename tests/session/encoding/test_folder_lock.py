"""Who writes into a folder of embeddings holds its lock, against other threads and other processes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from filelock import FileLock

from sam3_onnx._support.folders import LOCK_NAME
from sam3_onnx.session.encoding import folder as folders
from sam3_onnx.session.encoding.folder import EntryFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

NAME = "0" * 40
HOLD = """
import sys, time
from filelock import FileLock
FileLock(sys.argv[1]).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_that_another_thread_keeps_is_told_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_PATIENCE", 0.2)
    entries = EntryFolder(tmp_path, 1000)
    seen: list[OSError] = []

    def write() -> None:
        try:
            entries.write(NAME, [b"x"])
        except OSError as error:
            seen.append(error)

    with FileLock(tmp_path / LOCK_NAME):
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(30)
    (error,) = seen
    assert isinstance(error, TimeoutError)
    assert f"has held the lock {tmp_path / LOCK_NAME} for more than 0.2 seconds" in str(error)
    assert entries.entries() == (0, 0)


class Slow(list[bytes]):
    """Pieces that take their time, and count who goes through any of them at once."""

    inside = most = 0

    def __iter__(self) -> Iterator[bytes]:
        Slow.inside += 1
        Slow.most = max(Slow.most, Slow.inside)
        threading.Event().wait(0.05)
        yield from super().__iter__()
        Slow.inside -= 1


def test_two_writers_of_one_process_take_turns(tmp_path: Path) -> None:
    entries = EntryFolder(tmp_path, 1000)
    threads = [threading.Thread(target=entries.write, args=(f"{number:040x}", Slow([b"x"]))) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (Slow.most, entries.entries()) == (1, (4, 4))


def test_the_lock_ends_with_a_process_that_is_killed_and_the_file_stays(tmp_path: Path) -> None:
    entries = EntryFolder(tmp_path, 1000)
    command = [sys.executable, "-c", HOLD, str(tmp_path / LOCK_NAME)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:  # noqa: S603 - our own interpreter and text
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    entries.write(NAME, [b"x"])
    assert entries.entries() == (1, 1)
    assert (tmp_path / LOCK_NAME).read_bytes() == b""


def test_a_folder_that_is_gone_is_not_made_again_by_tidying(tmp_path: Path) -> None:
    entries = EntryFolder(tmp_path / "cache", 1000)
    shutil.rmtree(entries.path)
    entries.tidy()
    assert not entries.path.exists()
