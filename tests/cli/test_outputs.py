"""Is it said before a model is opened that results cannot be written?"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model can be loaded."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a model was loaded")

    monkeypatch.setattr(Sam3Session, "from_pretrained", refuse)


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which no file can be made, whoever runs the tests."""
    folder = tmp_path / "read only"
    folder.mkdir()
    really = os.open

    def refuse(path: str, *arguments: int, **options: int) -> int:
        if str(path).startswith(str(folder)):
            raise OSError(errno.EROFS, "Read-only file system", path)
        return really(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    return folder


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("within", [".", "not/yet"])
def test_a_folder_that_cannot_be_written_to(
    coins: Path, read_only: Path, capsys: pytest.CaptureFixture[str], within: str
) -> None:
    assert main(["segment", str(coins), "--text", "coin", "-o", str(read_only / within)]) == 1
    said = capsys.readouterr().err
    assert f"-o must be a folder that can be written to, got {str(read_only)!r}" in said
    assert "The system says: Read-only file system. Change its permissions, or name another place." in said


@pytest.mark.usefixtures("no_model")
def test_a_link_that_leads_nowhere_is_no_folder(
    coins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    assert main(["segment", str(coins), "--text", "coin", "-o", str(tmp_path / "out")]) == 1
    assert "That is a link that leads nowhere: name another place." in capsys.readouterr().err


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize("name", ["coins.json", "coins.png"])
def test_a_folder_or_a_link_that_leads_nowhere_under_the_name_of_a_result(
    coins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, overwrite: list[str]
) -> None:
    command = ["segment", str(coins), "--text", "coin", "-o", str(tmp_path), *overwrite]
    (tmp_path / name).mkdir()
    assert main(command) == 1
    assert f"{tmp_path / name} already exists" in (said := capsys.readouterr().err)
    assert "It is a folder: name another folder with -o." in said
    (tmp_path / name).rmdir()
    (tmp_path / name).symlink_to(tmp_path / "nowhere" / "file")
    assert main(command) == 1
    assert "It is a link that leads nowhere" in capsys.readouterr().err


@pytest.mark.usefixtures("no_model")
def test_a_result_that_is_a_link_into_a_folder_that_cannot_be_written_to(
    coins: Path, tmp_path: Path, read_only: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stored").write_text("older")
    (tmp_path / "stored").rename(read_only / "stored")
    (tmp_path / "coins.json").symlink_to(read_only / "stored")
    assert main(["segment", str(coins), "--text", "coin", "-o", str(tmp_path), "--overwrite"]) == 1
    assert f"got {str(read_only)!r}" in capsys.readouterr().err


@pytest.mark.usefixtures("no_model")
def test_a_write_protected_result(
    coins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "coins.json").write_text("mine")
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert main(["segment", str(coins), "--text", "coin", "-o", str(tmp_path), "--overwrite"]) == 1
    assert "It is write-protected: change its permissions" in capsys.readouterr().err


@pytest.mark.usefixtures("no_model")
def test_places_of_a_run(coins: Path, tmp_path: Path, read_only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.png").write_bytes(coins.read_bytes())
    (tmp_path / "folder.png").mkdir()
    for words, told in (
        (["--out", str(read_only)], "-o must be a folder that can be written to"),
        (["--out", str(folder / "a.png")], "-o must be a folder, got"),
        (["--preview", str(tmp_path / "preview.jpg")], "preview must be a file that ends with .png"),
        (["--preview", str(tmp_path / "folder.png")], "preview must be a file, got"),
        (["--preview", str(read_only / "preview.png")], "preview must be a file in a folder with write permission"),
    ):
        assert main(["annotate", str(folder), "--text", "coin", "--model", "miniature", *words]) == 1
        assert told in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["coins.json", "coins.png"])
def test_a_disk_that_fills_up_names_the_file(
    coins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    room, really = ["coins.json", "coins.png"].index(name), os.fsync

    def full(descriptor: int) -> None:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        really(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    out = tmp_path / "out"
    assert main(["segment", str(coins), "--text", "coin", "-o", str(out)]) == 1
    assert f"No space left on device: {str(out / name)!r}" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ([] if name == "coins.json" else ["coins.json"])
