"""Hashes of model files are taken once, and remembered only for files that are still the same."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sam3_onnx
from sam3_onnx.models.runtime.graphs.hashes import known_hashes, sha256_of_files

ENCODER = Path(sam3_onnx.__file__).parent / "data" / "miniature" / "image_encoder.onnx"
"""A file that was not changed within the last seconds."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAM3_ONNX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def in_new_process(work: str) -> str:
    start = (
        f"import pathlib; from sam3_onnx.models.runtime.graphs.hashes import *; path = pathlib.Path({str(ENCODER)!r})"
    )
    return subprocess.check_output([sys.executable, "-c", f"{start}; print({work})"], text=True).strip()  # noqa: S603 - our own


def test_it_is_the_sha256_of_all_bytes(tmp_path: Path) -> None:
    content = os.urandom((3 << 20) + 7)
    (tmp_path / "one").write_bytes(content)
    (tmp_path / "empty").touch()
    expected = [hashlib.sha256(data).hexdigest() for data in (content, b"")]
    assert sha256_of_files([tmp_path / "one", tmp_path / "empty"]) == expected


def test_another_process_reads_nothing_again(cache: Path) -> None:
    assert in_new_process("known_hashes([path])") == "None"
    hashed = in_new_process("sha256_of_files([path])")
    assert in_new_process("known_hashes([path])") == hashed
    assert (cache / "hashes.json").stat().st_mode & 0o077 == 0 or os.name == "nt"


def test_a_file_that_was_changed_just_now_is_not_remembered(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "new").write_bytes(b"weights")
    sha256_of_files([tmp_path / "new"])
    assert known_hashes([tmp_path / "new"]) is None
    assert not cache.exists()


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_notes_that_others_may_write_do_not_count(cache: Path) -> None:
    in_new_process("sha256_of_files([path])")
    (cache / "hashes.json").chmod(0o666)
    assert in_new_process("known_hashes([path])") == "None"


@pytest.mark.parametrize("content", ["[" * 5000, "[]", "{}", "no", '{"a": 1}', "\xff"])
def test_damaged_notes_are_no_notes(cache: Path, content: str) -> None:
    cache.mkdir()
    (cache / "hashes.json").write_text(content, encoding="latin-1")
    (cache / "hashes.json").chmod(0o600)
    hashed = in_new_process("sha256_of_files([path])")
    assert hashed == str([hashlib.sha256(ENCODER.read_bytes()).hexdigest()])
    assert len(json.loads((cache / "hashes.json").read_text(encoding="utf-8"))) >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_any_name_of_a_file_is_remembered_and_forgotten_with_the_file(cache: Path) -> None:
    folder = cache.parent / os.fsdecode(b"odd \xff \xe5\n")
    folder.mkdir()
    (folder / "w").write_bytes(b"weights")
    start = "import os, pathlib, time; from sam3_onnx.models.runtime.graphs import hashes as h; h._SETTLED_NS = -1"
    command = [sys.executable, "-c", f"{start}; h.sha256_of_files([pathlib.Path(os.fsdecode(os.environb[b'WHICH']))])"]
    notes = cache / "hashes.json"
    subprocess.run(command, env={**os.environ, "WHICH": str(folder / "w")}, check=True)  # noqa: S603 - our own
    assert len(json.loads(notes.read_bytes())) == 1
    (folder / "w").unlink()
    subprocess.run(command, env={**os.environ, "WHICH": str(ENCODER)}, check=True)  # noqa: S603 - our own
    (identity,) = json.loads(notes.read_bytes())
    assert "image_encoder" in identity
