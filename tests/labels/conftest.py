"""The pictures that other programs are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session, load_image
from sam3_onnx.images.writing import write_png
from tests.support.interop import WORDS, Sample, scene

if TYPE_CHECKING:
    from pathlib import Path

SCENES = 10


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory, coins: Path) -> list[Sample]:
    """The photograph and ten generated scenes, in a folder of their own."""
    folder = tmp_path_factory.mktemp("pictures")
    pictures = {"coins.png": (load_image(coins), "coin")}
    for seed in range(SCENES):
        pictures[f"scene-{seed}.png"] = (scene(seed), WORDS)
    made = []
    with Sam3Session.from_pretrained("miniature") as session:
        for name, (picture, words) in pictures.items():
            write_png(folder / name, picture)
            made.append(Sample(folder / name, session.predict(picture, words)))
    assert len(made[0].result) == 24
    assert sum(len(sample.result) for sample in made) > 40
    return made
