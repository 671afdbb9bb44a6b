"""The program that forks at random moments, with a few forks."""

from __future__ import annotations

import subprocess
import sys

from tests.support.forks import forks
from tests.support.places import ROOT


@forks
def test_children_of_random_moments_answer_rightly() -> None:
    command = [sys.executable, str(ROOT / "tools" / "forks.py"), "--count", "4"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)  # noqa: S603 - our own
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "{'right': 4}" in ended.stdout
