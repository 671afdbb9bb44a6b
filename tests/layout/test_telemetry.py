"""Does nothing that is done here get reported to anybody?"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FIND_COINS = """
import sys
from sam3_onnx import Sam3Session
assert len(Sam3Session.from_pretrained("miniature", provider="cpu").predict(sys.argv[1], "coin")) == 24
"""
TELL = "import os, sam3_onnx; print(os.environ['ORT_DISABLE_TELEMETRY'])"


def run(home: Path, code: str, *arguments: str, **changes: str) -> str:
    """What a fresh interpreter prints whose home is an empty folder."""
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment = {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), **changes}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()  # noqa: S603 - our own interpreter and text


@pytest.mark.skipif(sys.platform == "win32", reason="another home")
def test_finding_coins_leaves_no_identifier_of_this_machine_behind(tmp_path: Path, coins: Path) -> None:
    run(tmp_path, FIND_COINS, str(coins))
    assert [path.name for path in tmp_path.rglob("*") if "microsoft" in str(path.relative_to(tmp_path)).lower()] == []


def test_the_telemetry_of_onnx_runtime_is_off_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert run(tmp_path, TELL) == "1"
    assert run(tmp_path, TELL, ORT_DISABLE_TELEMETRY="0") == "0"
