"""What is looked at after a pull."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sam3_onnx.hub import pull, where
from tests.support import fault_server as play
from tests.support.hub_fixtures import LONG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sam3_onnx.hub import Patience, PublishedModel
    from tests.support.fault_server import FaultServer


def whole_files(folder: Path, model: PublishedModel) -> list[str]:
    return [file.name for file in model.files if (folder / file.name).exists()]


def assert_the_next_pull_succeeds(server: FaultServer, model: PublishedModel, quick: Patience, folder: Path) -> None:
    server.get = play.whole
    assert pull(model, folder=folder, patience=quick, progress=False) == folder
    assert {path.name: path.read_bytes() for path in folder.glob("tiny*")} == {
        path[1:]: content for path, content in server.files.items()
    }
    assert where(model, folder=folder).state == "complete"


def until(condition: Callable[[], bool]) -> None:
    for _ in range(int(LONG / 0.01)):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")
