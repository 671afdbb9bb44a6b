"""Do folders open with whatever systems and people leave in them, and is the true reason told where they do not?"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import (
    ModelFileMissingError,
    ModelFileReplacedError,
    ModelFileUnreadableError,
    OptionError,
    UnknownFamilyError,
)
from tests.support.places import NATIVE
from tests.support.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMAGE = np.zeros((50, 60, 3), np.uint8)
ROLES = ("image_encoder", "text_encoder", "decoder")
SIDECAR = bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(4072)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundle that may be spoiled."""
    model = tmp_path / "model"
    model.mkdir()
    for role in ROLES:
        shutil.copyfile(NATIVE / f"{role}.onnx", model / f"{role}.onnx")
    return model


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter; pytest keeps them out of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def sidecars(folder: Path) -> None:
    for role in ROLES:
        (folder / f"._{role}.onnx").write_bytes(SIDECAR)
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._decoder.onnx").write_bytes(SIDECAR)
    (folder / "__MACOSX" / "decoder.onnx").write_bytes(SIDECAR)


def hidden(folder: Path) -> None:
    shutil.copytree(folder, folder / ".snapshot")
    (folder / ".decoder.onnx").write_bytes((folder / "decoder.onnx").read_bytes())


def half_downloads(folder: Path) -> None:
    whole = (folder / "decoder.onnx").read_bytes()
    for name in ("decoder.onnx.part", "decoder.onnx.crdownload", "decoder (1).onnx", "Unconfirmed.onnx"):
        (folder / name).write_bytes(whole[: len(whole) // 2])
    (folder / "decoder_fp16.onnx").write_bytes(b"")


def strangers(folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "old" / "notes.onnx").write_bytes(b"hello world")
    (folder / "page.onnx").write_bytes(b"<!DOCTYPE html><html></html>")


def no_files(folder: Path) -> None:
    (folder / "cache.onnx").mkdir()
    (folder / "cache.onnx" / "x.onnx").write_bytes(b"hello world")
    (folder / "zzz.onnx").symlink_to("/nonexistent/zzz.onnx")
    (folder / "loop.onnx").symlink_to("loop.onnx")
    os.mkfifo(folder / "pipe.onnx")


JUNK = (sidecars, hidden, half_downloads, strangers, no_files)


@pytest.mark.parametrize("junk", JUNK)
def test_what_is_no_model_does_not_matter_beside_a_whole_one(
    folder: Path, junk: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    junk(folder)
    with (
        caplog.at_level(logging.WARNING, "sam3_onnx.models"),
        Sam3Session.from_folder(folder, provider="cpu") as opened,
    ):
        assert opened.capabilities.family == "native"
        opened.predict(IMAGE, "coin")
    assert ("Passed over" in caplog.text) is (junk not in {sidecars, hidden})


def test_where_nothing_can_be_opened_each_is_named_with_its_reason(folder: Path) -> None:
    for junk in JUNK[2:]:
        junk(folder)
    (folder / "decoder.onnx").unlink()
    text = refused(UnknownFamilyError, Sam3Session.from_folder, folder)
    lines = {line.partition(":")[0].strip(): line for line in text.splitlines()}
    for name, reason in {
        "image_encoder.onnx": "(image uint8[3, 112, 168])",
        "old/notes.onnx": "cannot be read to their end",
        "page.onnx": "a web page",
        "cache.onnx": "is a folder",
        "zzz.onnx": "is a link to /nonexistent/zzz.onnx, where nothing is",
        "loop.onnx": "loop.onnx",
        "decoder (1).onnx": "cannot be read to their end",
        "decoder_fp16.onnx": "an empty file",
    }.items():
        assert reason in lines[name]
    assert text.endswith("Nearest is the native family: no graph there is its decoder.")


def test_a_variant_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "decoder_fp16.onnx").write_bytes(b"")
    text = refused(OptionError, Sam3Session.from_folder, folder, variant="fp16")
    assert text.endswith("Passed over there: decoder_fp16.onnx.")


UNREADABLE = """
import os, sys
from sam3_onnx import Sam3Session
from sam3_onnx.errors import ModelFileUnreadableError
if os.geteuid() == 0:
    os.seteuid(12345)
try:
    Sam3Session.from_folder(sys.argv[1], provider="cpu")
except ModelFileUnreadableError as error:
    print(error.path, isinstance(error, OSError), "Permission denied" in str(error))
"""


@pytest.mark.peers
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
@pytest.mark.parametrize("name", ["sam3_decoder.onnx", "sam3_language_encoder.onnx.data", "", ".."])
def test_what_may_not_be_read_is_said(peer_fixtures: Path, open_folder: Path, name: str) -> None:
    model = open_folder / "top" / "model"
    shutil.copytree(peer_fixtures / "A_six_file", model)
    for path in (model, model.parent, open_folder):
        path.chmod(0o755)
    for path in model.iterdir():
        path.chmod(0o644)
    target = (model / name).resolve()
    before = target.stat().st_mode & 0o777
    target.chmod(0o700 if target.is_dir() and os.geteuid() == 0 else 0)
    try:
        words = [sys.executable, "-c", UNREADABLE, str(model)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    finally:
        target.chmod(before)
    named = model if target.is_dir() else target
    assert done.stdout.split() == [str(named), "True", "True"]


def said_at_opening(folder: Path) -> str | None:
    """What is said of a folder that cannot be read where it is; None if it opens."""
    try:
        Sam3Session.from_folder(folder, provider="cpu").close()
    except ModelFileUnreadableError as error:
        return str(error)
    return None


@pytest.mark.peers
def test_external_data_behind_a_link_that_leads_elsewhere(peer_fixtures: Path, tmp_path: Path) -> None:
    for path in (peer_fixtures / "A_six_file").glob("*.onnx*"):
        if path.suffix == ".data":
            (tmp_path / path.name).symlink_to(path)
        else:
            shutil.copyfile(path, tmp_path / path.name)
    data = tmp_path / "sam3_image_encoder.onnx.data"
    said = said_at_opening(tmp_path)
    # Older versions of ONNX Runtime follow the link.
    assert said is None or said.startswith(f"The external data {data} cannot be read: it leads to {data.resolve()}, ")


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_a_graph_that_changes_after_opening(folder: Path, change: str) -> None:
    path = folder / "text_encoder.onnx"
    with Sam3Session.from_folder(folder, provider="cpu") as session:
        if change == "replaced":
            shutil.copyfile(folder / "decoder.onnx", path)
            text = refused(ModelFileReplacedError, session.predict, IMAGE, "coin")
            assert text.startswith(f"The text encoder {path} was changed after the model was opened: ")
        else:
            path.unlink()
            text = refused(ModelFileMissingError, session.predict, IMAGE, "coin")
            assert text.startswith(f"The text encoder is missing: {path} was removed after the model was opened. ")
    with Sam3Session.from_folder(NATIVE, provider="cpu") as session:
        session.predict(IMAGE, "coin")


@pytest.mark.usefixtures("names_of_any_letters")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_utf_8(folder: Path) -> None:
    odd = folder.with_name(os.fsdecode(b"m\xff"))
    folder.rename(odd)
    said = said_at_opening(odd)
    assert said is None or "its path holds bytes that are no UTF-8, which onnxruntime cannot open. Rename it." in said


def test_a_tilde_stands_for_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    Sam3Session.from_folder("~/model", provider="cpu").close()
    Sam3Session.from_files(
        image_encoder="~/model/image_encoder.onnx",
        text_encoder="~/model/text_encoder.onnx",
        decoder="~/model/decoder.onnx",
        provider="cpu",
        cache_folder="~/cache",
    ).close()
    assert (folder.parent / "cache").is_dir()
    monkeypatch.chdir(folder.parent)
    (folder.parent / "~no such user").mkdir()
    assert "~no such user holds no known" in refused(UnknownFamilyError, Sam3Session.from_folder, "~no such user")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "the path of a file or folder, which is not empty"),
        ("  ", "the path of a file or folder, which is not empty"),
        ("a\0b", "a path that files can have"),
    ],
)
def test_a_path_that_is_none(path: str, says: str) -> None:
    for call, options in (
        (Sam3Session.from_folder, {"folder": path}),
        (Sam3Session.from_files, {"image_encoder": path, "decoder": "x.onnx"}),
        (Sam3Session.from_config, {"config": path}),
        (Sam3Session.from_pretrained, {"name": "sam3", "folder": path}),
    ):
        assert says in refused(OptionError, call, **options)


def test_a_file_in_place_of_a_folder_and_the_other_way_round(folder: Path) -> None:
    assert "is a file" in refused(ModelFileMissingError, Sam3Session.from_folder, folder / "decoder.onnx")
    text = refused(ModelFileMissingError, Sam3Session.from_files, image_encoder=folder, decoder=folder)
    assert f"{folder} is a folder" in text
