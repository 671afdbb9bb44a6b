"""Fingerprints follow all that is in the files of a model, and nothing else."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.models.runtime.graphs.fingerprint import Fingerprint
from tests.support.forks import forks, in_child
from tests.support.onnx_bytes import adding, read, weights

if TYPE_CHECKING:
    from pathlib import Path


def test_the_fingerprint_follows_contents_and_not_places(tmp_path: Path) -> None:
    places = weights("w", location="w.bin", length=8)
    prints = []
    for folder, data in (("one", bytes(3 << 20)), ("two", bytes(3 << 20)), ("three", bytes((3 << 20) - 1) + b"\x01")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "w.bin").write_bytes(data)
        prints.append(str(Fingerprint([read(tmp_path / folder, adding(places))])))
    assert prints[0] == prints[1] != prints[2]
    shutil.copy(tmp_path / "one" / "w.bin", tmp_path / "w.bin")
    with (tmp_path / "w.bin").open("ab") as file:
        file.write(b"\x00")
    assert str(Fingerprint([read(tmp_path, adding(places))])) not in prints


def test_one_byte_in_the_middle_makes_another_model(tmp_path: Path) -> None:
    content = bytearray(5 << 20)
    (tmp_path / "w.bin").write_bytes(content)
    graph = read(tmp_path, adding(weights("w", location="w.bin", length=8)))
    before = str(Fingerprint([graph]))
    content[len(content) // 2] = 1
    (tmp_path / "w.bin").write_bytes(content)
    assert str(Fingerprint([graph])) != before


def test_a_file_whose_time_of_change_was_set_back_is_hashed_anew(tmp_path: Path) -> None:
    data = tmp_path / "w.bin"
    data.write_bytes(bytes(3 << 20))
    os.utime(data, ns=(1, 1))
    graph = read(tmp_path, adding(weights("w", location="w.bin", length=8)))
    before = str(Fingerprint([graph]))
    data.write_bytes(b"\1" + bytes((3 << 20) - 1))
    os.utime(data, ns=(1, 1))
    assert str(Fingerprint([graph])) != before


def test_a_file_that_went_away_meanwhile_is_named(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(8))
    graph = read(tmp_path, adding(weights("w", location="w.bin", length=8)))
    (tmp_path / "w.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"w\.bin"):
        str(Fingerprint([graph]))


@forks
def test_the_child_of_a_fork_hashes_for_itself(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(64 << 20))
    fingerprint = Fingerprint([read(tmp_path, adding(weights("w", location="w.bin", length=8)))])
    assert in_child(lambda: str(fingerprint)) == str(fingerprint)
