"""Does a fingerprint tell models apart by what is in them alone?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from sam3_onnx.models.runtime.graphs.fingerprint import fingerprint
from tests.support.onnx_bytes import adding, read, weights

if TYPE_CHECKING:
    from pathlib import Path


def test_the_fingerprint_follows_contents_and_not_places(tmp_path: Path) -> None:
    places = weights("w", location="w.bin", length=8)
    prints = []
    for folder, data in (("one", bytes(3 << 20)), ("two", bytes(3 << 20)), ("three", bytes((3 << 20) - 1) + b"\x01")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "w.bin").write_bytes(data)
        prints.append(fingerprint([read(tmp_path / folder, adding(places))]))
    assert prints[0] == prints[1] != prints[2]
    shutil.copy(tmp_path / "one" / "w.bin", tmp_path / "w.bin")
    with (tmp_path / "w.bin").open("ab") as file:
        file.write(b"\x00")
    assert fingerprint([read(tmp_path, adding(places))]) not in prints
