"""Is a run that is killed at any moment, and begun again, as good as one that was left alone?"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.support.kills import SELF_KILLING

if TYPE_CHECKING:
    from pathlib import Path

PICTURES = int(os.environ.get("SAM3_ONNX_TEST_PICTURES", "8"))
OPTIONS = os.environ.get("SAM3_ONNX_TEST_OPTIONS", "--append")
KILLS = int(os.environ.get("SAM3_ONNX_TEST_KILLS", "3"))
WORDS = ["circle", "square"]
RUN = f"""{SELF_KILLING}
from sam3_onnx.cli import main

status = main(sys.argv[3:])
print(steps, "steps")
sys.exit(status)
"""
"""The command, which kills itself at one of its steps."""


def paint(folder: Path) -> None:
    """Scenes of shapes that the miniature knows, no two alike."""
    folder.mkdir()
    rng = np.random.default_rng(7)
    for index in range(PICTURES):
        scene = np.full((224, 224, 3), rng.integers(0, 60, 3), np.uint8)
        for _ in range(4):
            x, y, half = (int(value) for value in rng.integers((40, 40, 14), (184, 184, 34)))
            colour = tuple(int(value) for value in rng.integers(120, 255, 3))
            if rng.random() < 0.5:
                cv2.circle(scene, (x, y), half, colour, -1, cv2.LINE_AA)
            else:
                cv2.rectangle(scene, (x - half, y - half), (x + half, y + half), colour, -1)
        cv2.imwrite(str(folder / f"{index:04}.png"), scene)


def run(folder: Path, killed_at: int = 0) -> subprocess.CompletedProcess[str]:
    """Labels a folder, or begins to. Each process opens the model anew: that is most of what this test takes."""
    words = [sys.executable, "-c", RUN, str(folder), str(killed_at)]
    asked = ["annotate", str(folder), "--text", ", ".join(WORDS), "--conf", "0.3", "--provider", "cpu"]
    asked += ["--model", "miniature"]
    return subprocess.run([*words, *asked, *OPTIONS.split()], check=False, capture_output=True, text=True)  # noqa: S603 - our own command


def labels_of(folder: Path) -> dict[str, bytes]:
    """What the folder holds beside pictures; but for a hidden draft, which stays where it never came into place."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix not in {".png", ".tmp"}}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_files_are_those_of_a_run_that_was_left_alone(tmp_path: Path) -> None:
    paint(tmp_path / "left alone")
    shutil.copytree(tmp_path / "left alone", tmp_path / "killed")
    whole = run(tmp_path / "left alone")
    assert whole.returncode == 0, whole.stderr
    steps = int(whole.stdout.split()[-2])
    for kill in range(KILLS):  # each a step further on in its round, so that kinds of steps change
        assert run(tmp_path / "killed", steps // KILLS + kill).returncode == -signal.SIGKILL
    last = run(tmp_path / "killed")
    assert last.returncode == 0, last.stderr
    assert f"{PICTURES} of {PICTURES} pictures done" in last.stdout
    assert "of them before the interruption" in last.stdout
    assert labels_of(tmp_path / "killed") == labels_of(tmp_path / "left alone")
    assert (
        sum(content.count(b'"label"') + content.count(b'"bbox"') for content in labels_of(tmp_path / "killed").values())
        > PICTURES
    )
