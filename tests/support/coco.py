"""Results of small masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx import Instance
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.results import Segmentation

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = (40, 60)
SQUARE = np.array([(10, 10), (30, 10), (30, 30), (10, 30)], np.float64)


def result(*masks: NDArray[np.bool_], label: str = "coin") -> Segmentation:
    box = np.array([0, 0, 1, 1], np.float32)
    return Segmentation(tuple(Instance(label, label, 0.5, box, PackedMask.pack(mask)) for mask in masks), SIZE)


def block(left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE, np.bool_)
    mask[top:bottom, left:right] = True
    return mask


RING = block(5, 5, 25, 25) & ~block(10, 10, 20, 20)
TORN = block(5, 5, 15, 15) | block(30, 20, 50, 35)
