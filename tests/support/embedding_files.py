"""Sessions of a fake that keep embeddings in a folder."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx import CacheInfo, Sam3Session
from sam3_onnx.testing import FakeFamily, FakeInstance

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ANSWERS = {"coin": [FakeInstance((0.1, 0.1, 0.5, 0.5))]}
ENTRY = 1536
"""Bytes of a file with the embedding of a fake, or a few more."""


def grey(value: int) -> NDArray[np.uint8]:
    return np.full((12, 16, 3), value, np.uint8)


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own interpreter and text


def encode(folder: Path, *values: int, model: str = "fake", budget: int = 1 << 20) -> tuple[int, CacheInfo]:
    """Runs of the image encoder in a new session that is asked for some pictures, and how the folder did."""
    family = FakeFamily(ANSWERS)
    with Sam3Session(family, model=model, cache_folder=folder, cache_folder_bytes=budget) as session:
        for value in values:
            features = session.encode(grey(value)).arrays()["features"]
            assert features.tolist() == [value] * 256
        return family.calls["encode_image"], session.cache.info("disk")


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.embedding"))
