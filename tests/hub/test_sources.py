"""Where files come from, and who is told the token."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import DownloadNotFoundError, OptionError
from sam3_onnx.hub import list_models, pull, sources
from sam3_onnx.hub.sources import is_offline, mirrored, shown, token_for
from sam3_onnx.hub.stopping import Stop
from sam3_onnx.hub.transfer import Order, fetch, new_connection
from tests.support import fault_server as play
from tests.support.fault_server import running
from tests.support.hub_fixtures import published

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.hub import Patience, PublishedModel
    from tests.support.fault_server import FaultServer


def test_a_mirror_takes_the_place_of_scheme_and_host(
    server: FaultServer, quick: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = published(server.files, host="https://publisher.example")
    pull(model, folder=tmp_path / "by argument", mirror=server.url, patience=quick, progress=False)
    server.files = {f"/under{path}": content for path, content in server.files.items()}
    monkeypatch.setenv("SAM3_ONNX_MIRROR", f"{server.url}/under/")
    pull(model, folder=tmp_path / "by variable", patience=quick, progress=False)
    assert {request.path for request in server.gets()} >= set(server.files)


@given(st.lists(st.text("abcdef", min_size=1), min_size=1, max_size=4), st.sampled_from(["", "/hf", "/a/b/"]))
@settings(max_examples=25, deadline=None)
def test_the_path_of_an_address_stays_as_it_is(parts: list[str], prefix: str) -> None:
    path = "/" + "/".join(parts)
    assert mirrored(f"https://host.example{path}?x=1", f"http://mirror:8080{prefix}", {}) == (
        f"http://mirror:8080{prefix.rstrip('/')}{path}?x=1"
    )


@pytest.mark.parametrize("mirror", ["mirror.example", "ftp://me:secret@mirror.example", "https://", "https://m/?q=1"])
def test_a_mirror_that_is_no_address_is_refused(mirror: str, hashed: PublishedModel, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="mirror must be an address such as https://mirror") as caught:
        pull(hashed, folder=tmp_path, mirror=mirror, progress=False)
    assert "secret" not in str(caught.value)


def test_user_and_password_of_a_mirror_are_used_and_never_shown(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = server.url.replace("http://", "http://me:secret@")
    server.get = play.answering(404)
    with pytest.raises(DownloadNotFoundError) as caught:
        pull(hashed, folder=tmp_path, mirror=mirror, patience=quick)
    assert "secret" not in str(caught.value) + capsys.readouterr().err
    assert all(request.headers["Authorization"].startswith("Basic ") for request in server.requests)


def test_the_token_goes_to_hugging_face_over_https_only() -> None:
    tokens = {"HF_TOKEN": "hf_secret"}
    assert token_for("https://huggingface.co/some/file", tokens) == "hf_secret"
    assert token_for("https://huggingface.co/some/file", {}) is None
    for url in (
        "http://huggingface.co/f",
        "https://huggingface.co.example/f",
        "https://mirror.example/huggingface.co/f",
        "https://huggingface.co@mirror.example/f",
    ):
        assert token_for(url, tokens) is None, url


def test_the_token_reaches_its_host_and_no_mirror(
    server: FaultServer, hashed: PublishedModel, quick: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pull(hashed, folder=tmp_path, patience=quick, progress=False)
    assert not any("Authorization" in request.headers for request in server.requests)


def test_a_redirect_to_another_host_is_followed_without_the_token(
    server: FaultServer, quick: Patience, tmp_path: Path
) -> None:
    content = server.files["/tiny.onnx"]
    with running() as elsewhere, new_connection() as connection:
        elsewhere.files = server.files
        server.get = play.redirecting(elsewhere.url.replace("127.0.0.1", "localhost"))
        order = Order("tiny.onnx", f"{server.url}/tiny.onnx", tmp_path / "tiny.onnx", None, "0" * 64, "hf_secret")
        fetch(connection, order, quick, lambda _done, _size: None, tell=lambda _line: None, stop=Stop())
        assert (tmp_path / "tiny.onnx.part").read_bytes() == content
        assert [request.headers.get("Authorization") for request in server.gets()] == ["Bearer hf_secret"]
        assert [request.headers.get("Authorization") for request in elsewhere.gets()] == [None]


def test_a_redirected_download_is_continued(server: FaultServer, quick: Patience, tmp_path: Path) -> None:
    with running() as elsewhere:
        elsewhere.files = server.files
        elsewhere.get = play.closing_after(1 << 18)
        server.get = play.redirecting(elsewhere.url)
        pull(published(server.files, host=server.url), folder=tmp_path, patience=quick, progress=False)
        ranges = [request.headers.get("Range") for request in elsewhere.gets("/tiny.onnx.data")]
        assert ranges == [None, "bytes=262144-", "bytes=524288-", "bytes=786432-"]


def test_an_entry_without_an_address_is_refused(hashed: PublishedModel, tmp_path: Path) -> None:
    lost = replace(hashed, files=(replace(hashed.files[0], url=None),))
    with pytest.raises(OptionError, match=r"url must be an address of tiny\.onnx"):
        pull(lost, folder=tmp_path, progress=False)


@pytest.mark.parametrize(("value", "offline"), [("1", True), ("TRUE", True), (" on ", True), ("0", False), ("", False)])
def test_the_environment_says_whether_the_network_is_used_unless_the_caller_does(value: str, *, offline: bool) -> None:
    for variable in sources.OFFLINE_VARIABLES:
        assert is_offline(asked=None, environ={variable: value}) is offline
        assert is_offline(asked=False, environ={variable: value}) is False
        assert is_offline(asked=True, environ={variable: value}) is True


@given(st.text("abc/:@?#[]", max_size=12))
@settings(max_examples=100, deadline=None)
def test_no_secret_is_shown_whatever_an_address_looks_like(path: str) -> None:
    assert "secret" not in shown(f"https://me:secret@host.example/{path.replace('[', '').replace(']', '')}?key=secret")


def test_every_published_address_is_https_and_names_its_file() -> None:
    for model in list_models():
        for file in model.files:
            if model.bundled:
                assert file.url is None
            else:
                assert file.url is not None
                assert file.url.startswith("https://")
                assert file.url.endswith(f"/{file.name}")
