"""A model's folder is changed by one at a time; the others wait and say so once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from sam3_onnx._support.folders import LOCK_NAME
from sam3_onnx.errors import CacheFolderError
from sam3_onnx.hub import inventory
from sam3_onnx.hub.inventory import held
from sam3_onnx.hub.registry import find_model
from sam3_onnx.hub.stopping import Stop

if TYPE_CHECKING:
    from pathlib import Path


def test_who_finds_a_folder_held_says_so_once_waits_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    waits, entered = threading.Event(), threading.Event()

    def say(line: str, _: object) -> None:
        said.append(line)
        waits.set()

    def wait_and_enter() -> None:
        with held(find_model("sam3"), tmp_path, progress=True, stop=Stop()):
            entered.set()

    monkeypatch.setattr(inventory, "say", say)
    with FileLock(tmp_path / LOCK_NAME):
        thread = threading.Thread(target=wait_and_enter)
        thread.start()
        assert waits.wait(30)
        assert not entered.wait(0.3)
    thread.join(30)
    assert entered.is_set()
    assert said == [f"sam3: another process is using {tmp_path}; waiting until it has finished"]
    assert (tmp_path / LOCK_NAME).is_file()


def test_a_folder_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).mkdir()
    entering = held(find_model("sam3"), tmp_path, progress=False, stop=Stop())
    with pytest.raises(CacheFolderError, match=str(tmp_path)), entering:
        pytest.fail("it was entered")
