"""What does reading a picture file cost, its structure looked through and decoded by Pillow, against OpenCV alone?

Both sides make RGB of the same bytes. The picture is like a photograph: smooth, with edges and noise.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmarks.pairing import paired
from sam3_onnx.images import load_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.pairing import Row

__all__ = ["measure"]

TARGETS = {"JPEG": 2.0, "PNG": 1.4}
_OPTIONS = {"JPEG": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 92]), "PNG": (".png", [])}
_NOISE = 3.0
"""Standard deviation of the noise, in levels."""


def measure(*, pairs: int = 15, size: tuple[int, int] = (3000, 4000)) -> list[Row]:
    """A file of each format, both ways, its bytes and the largest difference between the two.

    Args:
        pairs: How often each way is run.
        size: (height, width) of the picture.
    """
    rows = []
    for name, (ending, options) in _OPTIONS.items():
        data = cv2.imencode(ending, _photograph(size), options)[1]
        ours, theirs = partial(load_image, data.tobytes()), partial(_by_opencv, data)
        row = paired(name, ours, theirs, pairs=pairs, target=TARGETS[name])
        apart = int(np.abs(ours().astype(np.int16) - theirs()).max())
        rows.append(row | {"mb": len(data) / 1e6, "largest_difference": apart})
    return rows


def _by_opencv(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise ValueError("OpenCV does not decode what it has encoded")
    return np.asarray(decoded, np.uint8)


def _photograph(size: tuple[int, int]) -> NDArray[np.uint8]:
    """Smooth patches of many sizes, a few hard edges, and noise: (H, W, 3) uint8."""
    chance = np.random.default_rng(0)
    height, width = size
    small = chance.integers(0, 256, (47, 63, 3), dtype=np.uint8)
    picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    for x, y, radius in chance.random((30, 3)):
        centre = (int(x * width), int(y * height))
        cv2.circle(picture, centre, max(1, int(radius * height / 8)), chance.integers(0, 256, 3).tolist(), -1)
    noise = chance.normal(0, _NOISE, picture.shape)
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)
