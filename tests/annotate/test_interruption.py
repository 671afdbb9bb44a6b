"""Is a run that is killed at any moment, and begun again, as good as one that was left alone?"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

PICTURES = int(os.environ.get("SAM3_ONNX_TEST_PICTURES", "16"))
OPTIONS = os.environ.get("SAM3_ONNX_TEST_OPTIONS", "--append")
KILLS = 3
JOURNAL = ".sam3-onnx-annotate.jsonl"
WORDS = ["circle", "square", "triangle", "star"]


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


def command(folder: Path, *options: str) -> list[str]:
    words = [sys.executable, "-m", "sam3_onnx", "annotate", str(folder), "--text", ", ".join(WORDS), "--conf", "0.3"]
    return [*words, "--provider", "cpu", *options]


def labels_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".png"}


def killed_after(folder: Path, finished: int, *options: str) -> None:
    """Begins a run and kills it some time after so many pictures are finished."""
    journal = folder / JOURNAL
    run = subprocess.Popen(command(folder, *options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own command
    while not (journal.exists() and journal.read_bytes().count(b"\n") > finished):
        assert run.poll() is None, "ended too early to be killed"
        time.sleep(0.002)
    time.sleep(random.random() * 0.05)  # noqa: S311 - any moment will do
    run.kill()
    assert run.wait() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_files_are_those_of_a_run_that_was_left_alone(tmp_path: Path) -> None:
    options = OPTIONS.split()
    paint(tmp_path / "left alone")
    shutil.copytree(tmp_path / "left alone", tmp_path / "killed")
    subprocess.run(command(tmp_path / "left alone", *options), check=True, capture_output=True)  # noqa: S603 - our own command
    for share in range(1, KILLS + 1):
        killed_after(tmp_path / "killed", share * PICTURES // (KILLS + 1), *options)
    last = subprocess.run(command(tmp_path / "killed", *options), check=True, capture_output=True, text=True)  # noqa: S603 - our own command
    assert f"{PICTURES} of {PICTURES} pictures done" in last.stdout
    assert "of them done already when this run began" in last.stdout
    assert labels_of(tmp_path / "killed") == labels_of(tmp_path / "left alone")
    assert (
        sum(content.count(b'"label"') + content.count(b'"bbox"') for content in labels_of(tmp_path / "killed").values())
        > PICTURES
    )
