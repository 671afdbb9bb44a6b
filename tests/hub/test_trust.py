"""What is taken for whole and genuine: by a published hash, by the one seen first, by a record."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import (
    CacheFolderError,
    DownloadDamagedError,
    ModelFileChangedError,
    ModelFileMissingError,
    OfflineError,
    OptionError,
    WebPageError,
)
from sam3_onnx.hub import pull, remove, store, verify, where
from tests.support import fault_server as play
from tests.support.hub_fixtures import make_read_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sam3_onnx.hub import Patience, PublishedModel
    from tests.support.fault_server import FaultServer


def place(server: FaultServer, folder: Path) -> None:
    """Puts the files there by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in server.files.items():
        (folder / path[1:]).write_bytes(content)


def swap(path: Path, *, keep_time: bool = False) -> None:
    """Another file of the same size."""
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    if keep_time:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def count_hashing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are hashed from now on."""
    hashed: list[str] = []
    really = store.file_sha256

    def counting(path: Path, **told: Callable[..., None]) -> str:
        hashed.append(path.name)
        return really(path, **told)

    monkeypatch.setattr(store, "file_sha256", counting)
    return hashed


def test_files_placed_by_hand_are_hashed_once_and_need_no_network(
    server: FaultServer, hashed: PublishedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(server, tmp_path)
    seen = count_hashing(monkeypatch)
    assert where(hashed, folder=tmp_path).state == "not verified"
    for _ in range(3):
        assert pull(hashed, folder=tmp_path, offline=True, progress=False) == tmp_path
    assert seen == ["tiny.onnx.data", "tiny.onnx"]
    assert where(hashed, folder=tmp_path).state == "complete"
    assert server.requests == []


def test_a_wrong_file_placed_by_hand_is_refused_with_both_hashes(
    server: FaultServer, hashed: PublishedModel, tmp_path: Path
) -> None:
    place(server, tmp_path)
    swap(tmp_path / "tiny.onnx")
    with pytest.raises(ModelFileChangedError, match="as published") as caught:
        pull(hashed, folder=tmp_path, progress=False)
    assert str(hashed.files[1].sha256) in str(caught.value)
    assert hashlib.sha256(bytes(8192)).hexdigest() in str(caught.value)
    assert caught.value.path == tmp_path / "tiny.onnx"
    (tmp_path / "tiny.onnx").unlink()
    assert pull(hashed, folder=tmp_path, progress=False) == tmp_path
    assert [request.path for request in server.gets()] == ["/tiny.onnx"]


def test_a_web_page_saved_in_place_of_a_file_is_said(
    server: FaultServer, unhashed: PublishedModel, tmp_path: Path
) -> None:
    place(server, tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(b"\n<html>" + bytes(1000))
    with pytest.raises(WebPageError, match="got a web page that begins"):
        pull(unhashed, folder=tmp_path, progress=False)


@pytest.mark.parametrize("kind", ["hashed", "unhashed"])
def test_a_changed_file_is_found_when_it_is_opened(
    kind: str, server: FaultServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model: PublishedModel = request.getfixturevalue(kind)
    pull(model, folder=tmp_path, progress=False)
    swap(tmp_path / "tiny.onnx.data")
    asked = len(server.requests)
    with pytest.raises(ModelFileChangedError, match=r"tiny\.onnx\.data is not the expected file"):
        pull(model, folder=tmp_path, progress=False)
    assert len(server.requests) == asked


@pytest.mark.parametrize("kind", ["hashed", "unhashed"])
def test_verify_hashes_whatever_is_recorded(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    model: PublishedModel = request.getfixturevalue(kind)
    pull(model, folder=tmp_path, progress=False)
    assert set(verify(model, folder=tmp_path)) == {"tiny.onnx", "tiny.onnx.data"}
    swap(tmp_path / "tiny.onnx", keep_time=True)
    assert pull(model, folder=tmp_path, progress=False) == tmp_path
    with pytest.raises(ModelFileChangedError, match=r"expected SHA-256 .*, got .*, 8192 bytes"):
        verify(model, folder=tmp_path)


def test_a_touched_file_is_hashed_again_and_recorded_anew(
    hashed: PublishedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(hashed, folder=tmp_path, progress=False)
    os.utime(tmp_path / "tiny.onnx", ns=(1, 1))
    seen = count_hashing(monkeypatch)
    for _ in range(2):
        pull(hashed, folder=tmp_path, progress=False)
    assert seen == ["tiny.onnx"]


def test_the_hash_seen_first_is_enforced_for_a_later_download_too(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path
) -> None:
    pull(unhashed, folder=tmp_path, patience=quick, progress=False)
    (tmp_path / "tiny.onnx").unlink()
    server.get = play.instead(bytes(8192))
    with pytest.raises(DownloadDamagedError, match="expected SHA-256"):
        pull(unhashed, folder=tmp_path, patience=quick, progress=False)
    assert not (tmp_path / "tiny.onnx").exists()
    server.get = play.whole
    assert pull(unhashed, folder=tmp_path, patience=quick, progress=False) == tmp_path


def test_what_is_removed_is_forgotten(server: FaultServer, unhashed: PublishedModel, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    pull(unhashed, folder=folder, progress=False)
    (folder / "tiny.onnx.part").write_bytes(b"half")
    assert {path.name for path in remove(unhashed, folder=folder)} == {
        *("tiny.onnx", "tiny.onnx.data", "tiny.onnx.part", "verified.json")
    }
    assert list(folder.iterdir()) == []
    assert remove(unhashed, folder=folder) == ()
    server.files["/tiny.onnx"] = bytes(500)
    assert pull(unhashed, folder=folder, progress=False) == folder


def test_what_is_not_the_models_is_not_removed(hashed: PublishedModel, tmp_path: Path) -> None:
    pull(hashed, folder=tmp_path, progress=False)
    (tmp_path / "notes.txt").write_text("mine")
    remove(hashed, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_new_published_hash_makes_an_old_file_a_wrong_one(hashed: PublishedModel, tmp_path: Path) -> None:
    pull(hashed, folder=tmp_path, progress=False)
    newer = replace(hashed, files=(hashed.files[0], replace(hashed.files[1], sha256="0" * 64)))
    with pytest.raises(ModelFileChangedError, match=f"expected SHA-256 {'0' * 64}"):
        pull(newer, folder=tmp_path, progress=False)


def test_records_tell_size_time_hash_and_when(hashed: PublishedModel, tmp_path: Path) -> None:
    pull(hashed, folder=tmp_path, progress=False)
    records = json.loads((tmp_path / "verified.json").read_text(encoding="utf-8"))["files"]
    assert {name: record["sha256"] for name, record in records.items()} == {
        file.name: file.sha256 for file in hashed.files
    }
    assert records["tiny.onnx"]["size"] == 8192
    assert records["tiny.onnx"]["mtime_ns"] == (tmp_path / "tiny.onnx").stat().st_mtime_ns
    assert records["tiny.onnx"]["verified"].endswith("+00:00")


@pytest.mark.parametrize("content", ["{", "[]", '{"files": {"tiny.onnx": {}}}', '{"files": {"a": {"size": "1"}}}'])
def test_damaged_records_are_said_and_not_ignored(hashed: PublishedModel, tmp_path: Path, content: str) -> None:
    pull(hashed, folder=tmp_path, progress=False)
    (tmp_path / "verified.json").write_text(content)
    with pytest.raises(CacheFolderError, match=r"verified\.json.* is damaged"):
        pull(hashed, folder=tmp_path, progress=False)


def test_a_read_only_folder_opens_with_a_warning_where_hashes_are_known(
    server: FaultServer, hashed: PublishedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(server, tmp_path)
    make_read_only(monkeypatch)
    with pytest.warns(UserWarning, match="hashed again at every opening"):
        assert pull(hashed, folder=tmp_path, progress=False) == tmp_path
    swap(tmp_path / "tiny.onnx")
    with pytest.warns(UserWarning, match="hashed again at every opening"), pytest.raises(ModelFileChangedError):
        pull(hashed, folder=tmp_path, progress=False)


def test_a_read_only_folder_does_not_open_where_a_hash_is_to_be_recorded_first(
    server: FaultServer, unhashed: PublishedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(server, tmp_path)
    with monkeypatch.context() as patched:
        make_read_only(patched)
        with pytest.raises(CacheFolderError, match="Read-only"):
            pull(unhashed, folder=tmp_path, progress=False)
    pull(unhashed, folder=tmp_path, progress=False)
    make_read_only(monkeypatch)
    assert pull(unhashed, folder=tmp_path, progress=False) == tmp_path


@pytest.mark.parametrize("variable", ["SAM3_ONNX_OFFLINE", "HF_HUB_OFFLINE", None])
def test_offline_nothing_is_asked_and_what_is_missing_is_listed(
    server: FaultServer,
    hashed: PublishedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
) -> None:
    place(server, tmp_path)
    (tmp_path / "tiny.onnx").unlink()
    if variable is not None:
        monkeypatch.setenv(variable, "1")
    with pytest.raises(OfflineError) as caught:
        pull(hashed, folder=tmp_path, offline=None if variable else True, progress=False)
    assert f"tiny.onnx  from {server.url}/tiny.onnx" in str(caught.value)
    assert f"Place these files in {tmp_path} by hand" in str(caught.value)
    assert "onnx.data" not in str(caught.value)
    assert server.requests == []
    assert pull(hashed, folder=tmp_path, offline=False, progress=False) == tmp_path


def test_verify_says_what_is_missing(hashed: PublishedModel, tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissingError, match="sam3-onnx models pull tiny"):
        verify(hashed, folder=tmp_path)


def test_the_cache_folder_has_a_place_for_each_model(
    hashed: PublishedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAM3_ONNX_CACHE", str(tmp_path))
    assert pull(hashed, progress=False) == tmp_path / "models" / "tiny"
    assert where(hashed).folder == tmp_path / "models" / "tiny"


def test_the_bundled_model_is_verified_and_can_be_neither_moved_nor_removed(tmp_path: Path) -> None:
    roles = ("image_encoder", "text_encoder", "geometry_encoder", "fusion", "decoder")
    assert set(verify("miniature")) == {f"{role}.onnx" for role in roles}
    with pytest.raises(OptionError, match="None for miniature, a part of the package"):
        pull("miniature", folder=tmp_path)
    with pytest.raises(OptionError, match="It is part of the package"):
        remove("miniature")
