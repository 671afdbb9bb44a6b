"""How much is free on a disk, also for folders that are not made yet."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from sam3_onnx._support.folders import free_bytes

if TYPE_CHECKING:
    import pytest


def test_the_nearest_folder_that_is_there_tells_what_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def disk_usage(folder: Path) -> SimpleNamespace:
        asked.append(folder)
        return SimpleNamespace(free=7)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert [free_bytes(tmp_path / name) for name in ("there", "there/a/b", "c")] == [7, 7, 7]
    assert free_bytes(Path("d", "e")) == 7
    assert asked == [tmp_path / "there", tmp_path / "there", tmp_path, tmp_path]
    assert not (tmp_path / "there/a").exists()
