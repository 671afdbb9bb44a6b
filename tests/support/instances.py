"""Masks of many forms, and instances of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx import Instance
from sam3_onnx.geometry.mask_sources import PackedMask

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = (60, 90)


def blob(x: float, y: float, radius: float, hole: float = 0.0) -> NDArray[np.bool_]:
    rows, columns = np.indices(SIZE)
    distance = np.hypot((columns - x) / 1.5, rows - y)
    return np.asarray((distance <= radius) & (distance >= hole))


def instance(
    mask: NDArray[np.bool_], label: str = "coin", score: float = 0.75, box: tuple[float, ...] = (1, 2, 30, 40)
) -> Instance:
    return Instance(label, f"a {label}", score, np.array(box, np.float32), PackedMask.pack(mask))


NOTHING = np.zeros(SIZE, np.bool_)
DISC = blob(60, 25, 12)
RING = blob(40, 30, 20, hole=8)
CORNER = blob(0, 0, 15)
PARTS = blob(15, 15, 9) | blob(70, 40, 14, hole=5) | blob(80, 5, 2)
BAR = np.zeros(SIZE, np.bool_)
BAR[10:50, 20:30] = True
SLANTED = np.abs(np.indices(SIZE)[0] - 0.5 * np.indices(SIZE)[1] - 10) < 6
SLANTED[:, :12] = SLANTED[:, 70:] = False
MASKS = {"disc": DISC, "ring": RING, "corner": CORNER, "parts": PARTS, "bar": BAR, "slanted": SLANTED}
