"""Is what a server, an entry of one's own or another user can put in the way refused by name?"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import CacheFolderError, DownloadError, ModelFileChangedError, OptionError, Sam3Error
from sam3_onnx.hub import Patience, pull, remove, verify, where
from tests.support import fault_server as play
from tests.support.pulls import assert_the_next_pull_succeeds
from tests.support.refusals import refused

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.hub import PublishedModel
    from tests.support.fault_server import FaultServer

OUTSIDE = (
    "../x.onnx",
    "a/../../x.onnx",
    "..",
    "/x.onnx",
    "..\\x.onnx",
    "\\x.onnx",
    "C:\\x.onnx",
    "C:x.onnx",
    "a\\b.onnx",
)
UNFIT = (
    "",
    ".",
    "a/b.onnx",
    "x\0.onnx",
    "x\n.onnx",
    "x.onnx:stream",
    ".lock",
    "verified.json",
    "x.part",
    "X.PART.JSON",
)
OURS = ("tiny.onnx.data.part", "tiny.onnx.data.part.json", "verified.json", ".lock")


@pytest.mark.parametrize("name", [*OUTSIDE, *UNFIT])
def test_a_file_of_an_entry_that_does_not_lie_in_its_folder_under_its_name(
    hashed: PublishedModel, tmp_path: Path, name: str
) -> None:
    model = replace(hashed, files=(replace(hashed.files[0], name=name),))
    for call in (pull, where, verify, remove):
        text = refused(OptionError, call, model, folder=tmp_path / "model")
        assert text.startswith("PublishedFile.name must be a file name without a folder, unique in tiny")
    assert list(tmp_path.iterdir()) == []


def test_an_entry_that_names_a_file_twice(hashed: PublishedModel, tmp_path: Path) -> None:
    model = replace(hashed, files=(*hashed.files, replace(hashed.files[0], name=hashed.files[0].name.upper())))
    assert "got 'TINY.ONNX.DATA'" in refused(OptionError, pull, model, folder=tmp_path)


@pytest.mark.parametrize("name", [*OUTSIDE, "", "a/b"])
def test_a_model_whose_name_leads_out_of_the_cache_folder(
    hashed: PublishedModel, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAM3_ONNX_CACHE", str(tmp_path))
    for call in (pull, where, remove):
        assert "PublishedModel.name must be" in refused(OptionError, call, replace(hashed, name=name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder"])
def test_what_is_no_plain_file_where_one_of_ours_belongs(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, name: str, kind: str
) -> None:
    folder, precious = tmp_path / "model", tmp_path / "precious"
    folder.mkdir()
    precious.write_text("mine")
    path = folder / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(precious if kind == "link" else tmp_path / "nowhere")
    text = refused(CacheFolderError, pull, hashed, folder=folder, progress=False, patience=quick)
    assert f"the model folder {folder}" in text.lower()
    assert name in text
    assert "it is a link, a pipe or a folder, where a plain file belongs; remove it" in text
    assert precious.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    (path.rmdir if kind == "folder" else path.unlink)()
    assert_the_next_pull_succeeds(server, hashed, quick, folder)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 5000,
        b'{"files":' * 5000,
        b"\xff\xfe",
        b"9" * 5000,
        b"null",
        b'{"files": {"tiny.onnx": {"size": 1, "mtime_ns": 2, "sha256": "x", "verified": ""}}}',
        b" " * (2 << 20),
    ],
    ids=["brackets", "braces", "no text", "a long number", "null", "no hash", "long"],
)
def test_records_that_are_none(hashed: PublishedModel, quick: Patience, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "verified.json").write_bytes(content)
    for call in (pull, where):
        assert "verified.json, which contains the hashes of its files, is damaged" in refused(
            CacheFolderError, call, hashed, folder=tmp_path
        )
    (tmp_path / "verified.json").unlink()
    pull(hashed, folder=tmp_path, progress=False, patience=quick)


@pytest.mark.parametrize(
    "notes", [b"[" * 5000, b"\xff", b"9" * 5000, b"{}", b'{"url": 1, "etag": 2}', b"null", b'"etag"', None]
)
@pytest.mark.parametrize("etag", ["x\r\nEvil: 1", "\u20ac", "", "W/x", 7])
def test_notes_of_a_download_that_are_none_cost_a_start_from_zero(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path, notes: bytes | None, etag: object
) -> None:
    (tmp_path / "tiny.onnx.data.part").write_bytes(b"other bytes")
    told = {"url": f"{server.url}/tiny.onnx.data", "etag": etag}
    (tmp_path / "tiny.onnx.data.part.json").write_bytes(json.dumps(told).encode() if notes is None else notes)
    assert_the_next_pull_succeeds(server, unhashed, quick, tmp_path)


HEADERS = [
    {"Content-Length": "9" * 5000},
    {"Content-Length": "-1"},
    {"Content-Length": "\u0663".encode().decode("latin-1")},
    {"Content-Length": "8192", "Content-Encoding": "x"},
    {"Content-Range": f"bytes 0-1/{'9' * 5000}"},
    {"Location": "http://[::1"},
    {"ETag": '"\x80"'},
    {"Retry-After": "9" * 5000},
    {"Retry-After": "Mon, 99 Xxx 99999 99:99:99 GMT"},
    {"Retry-After": "\xb2"},
]


@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("status", [200, 206, 301, 302, 416, 429, 503])
def test_headers_that_make_no_sense_are_a_fault_with_a_name(
    server: FaultServer, unhashed: PublishedModel, quick: Patience, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    server.get = server.head = lambda handler, _: handler.reply(status, headers)
    with pytest.raises(Sam3Error):
        pull(unhashed, folder=tmp_path, progress=False, patience=replace(quick, longest_wait=1))
    assert not (tmp_path / "tiny.onnx.data").exists()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"ALL_PROXY": "socks5h://127.0.0.1:1"}, "Missing dependencies for SOCKS support. A SOCKS proxy needs another"),
        ({"REQUESTS_CA_BUNDLE": "/no/such.pem"}, "invalid path: /no/such.pem. Check the paths in REQUESTS_CA_BUNDLE, "),
        ({"HTTPS_PROXY": "http://127.0.0.1:1"}, "the proxy did not connect ("),
        ({"HTTPS_PROXY": "http://"}, "the request failed (InvalidProxyURL): "),
    ],
)
def test_what_requests_says_of_proxies_and_certificates(
    hashed: PublishedModel,
    quick: Patience,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: dict[str, str],
    told: str,
) -> None:
    if "ALL_PROXY" in names:
        pytest.importorskip("requests")
        monkeypatch.setitem(__import__("sys").modules, "socks", None)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    files = tuple(
        replace(file, url=str(file.url).replace("http://127.0.0.1", "https://localhost")) for file in hashed.files
    )
    with pytest.raises(DownloadError) as error:
        pull(replace(hashed, files=files), folder=tmp_path, progress=False, patience=replace(quick, connect_timeout=5))
    assert told in str(error.value)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_records_that_others_can_write_do_not_stand_for_a_look(
    hashed: PublishedModel, tmp_path: Path, mode: int
) -> None:
    pull(hashed, folder=tmp_path, progress=False)
    records, file = tmp_path / "verified.json", tmp_path / "tiny.onnx"
    assert records.stat().st_mode & 0o022 == 0
    status = file.stat()
    file.write_bytes(bytes(status.st_size))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert where(hashed, folder=tmp_path).state == "complete"  # all that a look at size and time can tell
    records.chmod(mode)
    assert where(hashed, folder=tmp_path).state == "not verified"
    assert "expected SHA-256" in refused(ModelFileChangedError, pull, hashed, folder=tmp_path, progress=False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to give a file to another user")
def test_records_of_another_user_do_not_stand_for_a_look(
    server: FaultServer, unhashed: PublishedModel, tmp_path: Path
) -> None:
    pull(unhashed, folder=tmp_path, progress=False)
    os.chown(tmp_path / "verified.json", 12345, -1)
    assert where(unhashed, folder=tmp_path).state == "not verified"
    shutil.copyfile(tmp_path / "tiny.onnx.data", tmp_path / "tiny.onnx")
    assert "as recorded on" in refused(ModelFileChangedError, pull, unhashed, folder=tmp_path, progress=False)
    (tmp_path / "tiny.onnx").write_bytes(server.files["/tiny.onnx"])
    pull(unhashed, folder=tmp_path, progress=False)
    assert where(unhashed, folder=tmp_path).state == "complete"
    assert (tmp_path / "verified.json").stat().st_uid == os.geteuid()
    assert play.etag_of(b"") != play.etag_of(b"x")
