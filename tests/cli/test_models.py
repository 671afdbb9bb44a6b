"""`sam3-onnx models`, run as a person runs it, and what a person hears meanwhile."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.cli import main
from sam3_onnx.hub import list_models, pull, registry, where
from tests.support import fault_server as play
from tests.support.hub_fixtures import published

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.hub import Patience, PublishedModel
    from tests.support.fault_server import FaultServer


@pytest.fixture
def cache(registered: PublishedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, beside which "tiny" is known."""
    assert registered.name == "tiny"
    monkeypatch.setenv("SAM3_ONNX_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("cache")
def test_list_shows_every_model_with_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", "tiny", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "size", "family", "prompts", "precision", "licence", "state"]
    rows = {line.split()[0]: line for line in lines[2:]}
    assert list(rows) == [model.name for model in registry.list_models()]
    assert rows["miniature"].endswith("bundled")
    assert rows["sam3"].split()[1:4] == ["about", "3.5", "GB"]
    assert rows["sam3-text-int4"].split()[1:4] == ["not", "known", "yet"]
    assert rows["sam3"].split()[-3:] == ["SAM", "License", "absent"]
    assert rows["sam3-text-int8"].split()[1:3] == ["879.9", "MB"]
    assert rows["tiny"].split()[1:3] == ["1.1", "MB"]
    assert rows["tiny"].endswith("complete")


def test_list_for_programs_has_all_that_is_known(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert set(entries) == {model.name for model in registry.list_models()}
    assert entries["tiny"]["state"] == "absent"
    assert entries["tiny"]["folder"] == str(cache / "models" / "tiny")
    assert entries["tiny"]["licence"] == {"name": "Tiny Licence", "url": "https://licence.example/terms"}
    assert [file["state"] for file in entries["tiny"]["files"]] == ["missing", "missing"]


def test_pull_names_amount_source_folder_and_licence(
    server: FaultServer, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "pull", "tiny"]) == 0
    printed = capsys.readouterr()
    folder = cache / "models" / "tiny"
    assert printed.out == f"tiny is complete in {folder}\n"
    assert printed.err.splitlines() == [
        f"tiny: 2 of 2 files, 1.1 MB, from 127.0.0.1:{server.server_port} into {folder}",
        "tiny: licence of the weights: Tiny Licence, terms at https://licence.example/terms",
    ]
    assert main(["models", "pull", "tiny"]) == 0
    assert capsys.readouterr().err == ""


def test_pull_from_a_mirror_into_a_folder(server: FaultServer, cache: Path) -> None:
    server.files = {f"/hf{path}": content for path, content in server.files.items()}
    words = ["--mirror", f"{server.url}/hf", "--folder", str(cache / "mine"), "--quiet"]
    assert main(["models", "pull", "tiny", *words]) == 0
    assert (cache / "mine" / "tiny.onnx").read_bytes() == server.files["/hf/tiny.onnx"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pull", "tiny", "--offline"], "Missing:\n  tiny.onnx.data  from http://127.0.0.1"),
        (["verify", "tiny"], "The file tiny.onnx.data is missing"),
        (["pull", "tinny"], "Did you mean 'tiny'?"),
        (["where", "tinny"], "Did you mean 'tiny'?"),
        (["pull", "tiny", "--mirror", "nowhere"], "mirror must be an address"),
        (["remove", "miniature"], "It is part of the package"),
    ],
)
def test_what_goes_wrong_is_one_message_and_exit_code_one(
    cache: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["models", *words]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("sam3-onnx: ")
    assert message in printed.err
    assert not list(cache.rglob("tiny*.onnx*"))


@pytest.mark.parametrize("name", ["tiny", "miniature"])
def test_verify_prints_each_hash_and_what_it_was_held_against(
    cache: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    main(["models", "pull", name])
    capsys.readouterr()
    assert main(["models", "verify", name]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    model = registry.find_model(name)
    assert [row.split()[:2] for row in rows] == [[file.name, file.sha256] for file in model.files]
    assert all(row.endswith("as published") for row in rows)
    if name == "tiny":
        (cache / "models" / "tiny" / "tiny.onnx").write_bytes(bytes(8192))
        assert main(["models", "verify", name]) == 1
        assert "tiny.onnx is not the expected file" in capsys.readouterr().err


def test_where_prints_the_folder_and_the_expected_files(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "where", "sam3"]) == 0
    printed = capsys.readouterr().out
    assert f"folder: {cache / 'models' / 'sam3'} (absent)" in printed
    assert "licence: SAM License, https://github.com/facebookresearch/sam3/blob/main/LICENSE" in printed
    assert "note: " in printed
    for file in registry.find_model("sam3").files:
        assert f"{file.name} " in printed
        assert str(file.url) in printed


def test_remove_asks_first(cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    main(["models", "pull", "tiny", "--quiet"])
    folder = cache / "models" / "tiny"
    for answer in ("n\n", "\n", ""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        assert main(["models", "remove", "tiny"]) == 1
        assert "pass --yes" in capsys.readouterr().err
        assert len(list(folder.glob("tiny*"))) == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["models", "remove", "tiny"]) == 0
    assert not folder.exists()


def test_remove_does_not_ask_when_told_so(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["models", "pull", "tiny", "--quiet"])
    capsys.readouterr()
    assert main(["models", "remove", "tiny", "--yes"]) == 0
    assert f"deleted {cache / 'models' / 'tiny' / 'tiny.onnx'}" in capsys.readouterr().out
    assert main(["models", "remove", "tiny"]) == 0
    assert capsys.readouterr().out.startswith("nothing to delete: no file of tiny is in ")


def test_a_function_hears_how_each_file_grows_and_nothing_is_printed(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[tuple[str, int, int | None]] = []
    server.get = play.in_turn(play.closing_after(1 << 19), play.whole)
    pull(hashed, folder=tmp_path, patience=quick, progress=lambda *told: heard.append(told))
    assert capsys.readouterr() == ("", "")
    steps = [done for name, done, _ in heard if name == "tiny.onnx.data"]
    assert steps == sorted(steps)
    assert [steps[0], steps[-1]] == [0, 1 << 20]
    assert heard[-1] == ("tiny.onnx", 8192, 8192)
    assert {size for _, _, size in heard} == {1 << 20, 8192}


def test_a_terminal_shows_a_bar_for_each_file(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    server.get = play.ignoring_ranges(play.in_turn(play.closing_after(1 << 19), play.whole))
    pull(hashed, folder=tmp_path, patience=quick)
    assert "tiny.onnx.data: 100%" in screen.getvalue()
    assert "tiny.onnx: 100%" in screen.getvalue()


def test_what_cannot_be_known_is_not_promised(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.head = play.in_turn(play.whole, play.answering(405))
    pull(unhashed, folder=tmp_path, patience=quick)
    said = capsys.readouterr().err
    assert "2 of 2 files, at least 1.0 MB" in said
    assert "no hashes are published; the hashes of this download are recorded and checked later" in said


def test_a_session_of_a_published_model_downloads_verifies_and_opens_it(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    miniature = list_models()[0]
    folder = where("miniature").folder
    server.files = {f"/{file.name}": (folder / file.name).read_bytes() for file in miniature.files}
    entry = replace(published(server.files), name="served")
    monkeypatch.setattr(registry, "list_models", lambda: (entry,))
    with Sam3Session.from_pretrained("served", folder=tmp_path, mirror=server.url, progress=False) as session:
        assert session.capabilities.family == "native"
    asked = len(server.requests)
    with Sam3Session.from_pretrained("served", folder=tmp_path, offline=True):
        assert len(server.requests) == asked
