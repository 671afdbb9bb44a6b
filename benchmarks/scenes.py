"""What does a decoder answer about a picture with many things in it? Logits made up for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CELLS", "FULL_FEATURES", "MEGAPIXEL", "blobs", "picture", "size_of"]

CELLS = (288, 288)
"""Height and width of the full model's mask logits."""
FULL_FEATURES = ((1, 256, 288, 288), (1, 256, 144, 144), (1, 256, 72, 72))
"""What the full model's image encoder answers with, finest level first."""
MEGAPIXEL = 1_000_000


def blobs(count: int, *, cells: tuple[int, int] = CELLS) -> NDArray[np.float32]:
    """(N, *cells) logits of as many wavy discs, on a grid over the whole picture.

    As in a street or on a tray, the more there are, the smaller they are; for 100 the radius is
    about 4 % of the picture's side. Inside up to 8, outside down to -8.
    """
    chance = np.random.default_rng(0)
    columns = int(np.ceil(np.sqrt(count)))
    height, width = cells
    y, x = np.mgrid[:height, :width].astype(np.float32) / np.array(cells, np.float32)[:, None, None]
    logits = np.empty((count, *cells), np.float32)
    for index in range(count):
        center_x, center_y = (np.array([index % columns, index // columns]) + 0.5) / columns
        angle = np.arctan2(y - center_y, x - center_x)
        waves, size = chance.integers(3, 9), chance.uniform(0.3, 0.5)
        radius = size / columns * (1 + 0.15 * np.cos(waves * angle))
        logits[index] = np.clip((radius - np.hypot(x - center_x, y - center_y)) * width, -8, 8)
    return logits


def picture(size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of noise."""
    return np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)


def size_of(megapixels: float) -> tuple[int, int]:
    """(height, width) of a picture in the proportions 3 to 4."""
    height = round((megapixels * MEGAPIXEL * 3 / 4) ** 0.5)
    return height, round(height * 4 / 3)
