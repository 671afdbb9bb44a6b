"""Does a run on a full disk name the file, keep what it has, and go on when there is room?"""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.annotate import annotate_folder
from sam3_onnx.errors import FolderError
from sam3_onnx.labels import CocoDataset, LabelFile, picture_format, write_label_file
from sam3_onnx.testing import fake_session
from tests.support.picture_folders import ANSWERS, content_of, paint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("a.png", "b.png", "c.png")
PLENTY = 10_000
FILE_LIMIT = """
import resource, sys
from sam3_onnx.cli import main

limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""
"""The command, where no file may grow beyond a limit: what is written last is cut off, as on a full disk."""


class FullDisk:
    """A disk that is full when the n-th file is to be kept."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.room = 0
        self._really = os.fsync
        patch.setattr(os, "fsync", self)

    def __call__(self, descriptor: int) -> None:
        self.room -= 1
        if self.room == -1:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._really(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FullDisk]:
    with monkeypatch.context() as patch:
        yield FullDisk(patch)


@pytest.mark.parametrize("label_format", ["xanylabeling", "yolo-detect", "coco"])
def test_the_file_is_named_and_the_run_goes_on_when_there_is_room(
    tmp_path: Path, disk: FullDisk, label_format: str
) -> None:
    session = fake_session(ANSWERS)

    def run(name: str, room: int) -> dict[str, bytes]:
        disk.room = room
        folder = paint(tmp_path / name, *NAMES) if not (tmp_path / name).exists() else tmp_path / name
        annotate_folder(session, folder, "coin", label_format=label_format, preview=tmp_path / f"{name}.png")
        return content_of(folder)

    whole = run("whole", PLENTY)
    named: list[str] = []
    for room in range(PLENTY - disk.room):
        with pytest.raises(FolderError) as caught:
            run(str(room), room)
        match = re.search(r"No space left on device: '([^']+)'\. Check", str(caught.value))
        named += re.findall(r"[^/]+$", match[1]) if match else ["none"]
        assert set(content_of(tmp_path / str(room))) <= {*whole, ".sam3-onnx-annotate.jsonl"}, "no draft, note or lock"
        assert run(str(room), PLENTY) == whole
    files = {re.sub("[0-9a-f]{8}", "NOTE", name) for name in named}
    labels = set(whole) - set(NAMES)
    preview = {name for name in named if name.endswith(".png")}
    assert len(preview) == 1
    assert files == {".sam3-onnx-annotate.jsonl", ".sam3-onnx-annotate.NOTE.run", *preview, *labels}


def test_writers_of_label_files_name_the_file(tmp_path: Path, disk: FullDisk) -> None:
    for name in ("xanylabeling", "labelme", "yolo-obb"):
        path = tmp_path / f"{name}.file"
        path.write_bytes(b"older")
        disk.room = 0
        with pytest.raises(OSError, match=re.escape(f"No space left on device: {str(path)!r}")) as caught:
            write_label_file(path, LabelFile((), "a.png", (60, 80)), picture_format(name))
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
        assert path.read_bytes() == b"older"
    disk.room = 0
    with pytest.raises(OSError, match=r"No space left on device: '.*coco\.json'"):
        CocoDataset().write(tmp_path / "coco.json")
    assert sorted(content_of(tmp_path)) == ["labelme.file", "xanylabeling.file", "yolo-obb.file"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files")
def test_what_was_cut_off_is_not_taken_for_whole(tmp_path: Path, coins: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(coins.read_bytes())
    command = ["annotate", str(folder), "--text", "coin", "--output-mode", "rectangle", "--provider", "cpu"]
    command += ["--model", "miniature"]

    def run(limit: int) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", FILE_LIMIT, str(limit), *command]
        return subprocess.run(words, check=False, capture_output=True, text=True)  # noqa: S603 - our own command

    labels = run(4000)
    assert labels.returncode == 1
    assert f"File too large: '{folder / 'a.json'}'" in labels.stderr
    assert "Traceback" not in labels.stderr
    assert set(content_of(folder)) == {*NAMES, ".sam3-onnx-annotate.jsonl"}
    size = (folder / ".sam3-onnx-annotate.jsonl").stat().st_size
    assert size < 4000
    last = run(1_000_000)
    assert (last.returncode, last.stderr) == (0, "")
    assert set(content_of(folder)) == {*NAMES, "a.json", "b.json", "c.json"}
