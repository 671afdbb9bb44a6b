"""What does it save to read the next picture and to write the last one while the model runs?

Against a loop that reads, asks and writes one picture after the other. The cost of writing is the same on both sides;
the ratio says how much of reading and writing disappears behind the model.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmarks.pairing import paired
from benchmarks.scenes import size_of
from sam3_onnx import Sam3Session, load_image
from sam3_onnx.annotate import annotate_folder, find_pictures
from sam3_onnx.labels import write_xanylabeling

if TYPE_CHECKING:
    from benchmarks.pairing import Row

__all__ = ["measure"]

_COINS = Path(__file__).parent.parent / "examples" / "pictures" / "coins.png"
_WORD = "coin"


def measure(*, pairs: int = 5, pictures: int = 12, megapixels: tuple[float, ...] = (0.3, 3, 12)) -> list[Row]:
    """Labels a folder of JPEGs of the coins with the miniature, both ways.

    Args:
        pairs: How often each way is run.
        pictures: In the folder.
        megapixels: Sizes of the pictures, a folder for each.
    """
    session = Sam3Session.from_pretrained("miniature", provider="cpu", cache_bytes=0)
    rows = []
    for size in megapixels:
        folder = Path(tempfile.mkdtemp())
        try:
            _paint(folder, pictures, size_of(size))
            ours, baseline = (partial(way, session, folder) for way in (_ours, _one_by_one))
            rows.append(paired(f"{pictures} pictures of {size:g} megapixels", ours, baseline, pairs=pairs))
        finally:
            shutil.rmtree(folder)
    return rows


def _paint(folder: Path, count: int, size: tuple[int, int]) -> None:
    coins = cv2.resize(load_image(_COINS), size[::-1], interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0)
    for index in range(count):
        coins[:8, :8] = noise.integers(0, 256, (8, 8, 3))
        cv2.imwrite(str(folder / f"{index}.jpg"), coins)


def _ours(session: Sam3Session, folder: Path) -> None:
    annotate_folder(session, folder, _WORD, existing="replace-all")


def _one_by_one(session: Sam3Session, folder: Path) -> None:
    for picture in find_pictures(folder):
        result = session.predict(picture, _WORD)
        shapes = result.shapes("polygon", parts="all")
        write_xanylabeling(picture.with_suffix(".json"), shapes, image_path=picture.name, image_size=result.size)
