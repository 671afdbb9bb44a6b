"""What do 100 instances on a picture of 12 megapixels cost, from logits to outlines, in time and memory?

Against resizing every mask to the picture and tracing it there. Memory is resident memory, by how much
its peak (proc(5), VmHWM) rises over what the process held before, each side in a process of its own.
"""

from __future__ import annotations

import multiprocessing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.memory import memory
from benchmarks.pairing import paired
from benchmarks.peers import full_size_masks, outlines
from benchmarks.scenes import blobs
from sam3_onnx import Instance
from sam3_onnx.geometry.mask_sources import LogitMask
from sam3_onnx.results import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    from benchmarks.pairing import Row
    from sam3_onnx.results import ShapeType

    _Way: TypeAlias = Callable[[NDArray[np.float32], tuple[int, int], ShapeType], object]

__all__ = ["MODES", "measure", "segmentation"]

TARGET = 0.02
TARGET_MB = 50
_PEAK_RESET = Path("/proc/self/clear_refs")
"""Writing 5 makes VmHWM start anew from what is resident now (proc(5))."""
MODES: tuple[ShapeType, ...] = ("polygon", "rectangle", "rotation")


def measure(*, pairs: int = 3, instances: int = 100, size: tuple[int, int] = (3000, 4000)) -> list[Row]:
    """Outlines in all three modes, both ways; memory for polygons, and whether the masks of ten are the same.

    Args:
        pairs: How often each way is run.
        instances: Masks in the picture.
        size: (height, width) of the picture.
    """
    logits = blobs(instances)
    rows = [
        paired(
            mode, partial(_ours, logits, size, mode), partial(_theirs, logits, size, mode), pairs=pairs, target=TARGET
        )
        for mode in MODES
    ]
    extra, theirs = (_in_its_own_process(way, instances, size) for way in (_ours, _theirs))
    rows[0] |= {
        "extra_mb": extra,
        "baseline_extra_mb": theirs,
        "target_mb": TARGET_MB,
        "met_mb": None if extra is None else extra <= TARGET_MB,
        "lowest_iou": _lowest_iou(logits[:10], size),
    }
    return rows


def segmentation(logits: NDArray[np.float32], size: tuple[int, int]) -> Segmentation:
    """A result that holds logits, none of which was resized yet."""
    box = np.zeros(4, np.float32)
    return Segmentation(tuple(Instance("thing", "thing", 0.9, box, LogitMask(plane, size)) for plane in logits), size)


def _ours(logits: NDArray[np.float32], size: tuple[int, int], mode: ShapeType) -> object:
    return segmentation(logits, size).shapes(mode)


def _theirs(logits: NDArray[np.float32], size: tuple[int, int], mode: ShapeType) -> object:
    return outlines(full_size_masks(logits, size), mode)


def _lowest_iou(logits: NDArray[np.float32], size: tuple[int, int]) -> float:
    lowest = 1.0
    for plane in logits:
        mine, theirs = LogitMask(plane, size).window.full(size), full_size_masks([plane], size)[0]
        lowest = min(lowest, float((mine & theirs).sum() / (mine | theirs).sum()))
    return lowest


def _in_its_own_process(way: _Way, instances: int, size: tuple[int, int]) -> float | None:
    """MB of 10^6 bytes that polygons take at most; None where /proc does not tell."""
    if not _PEAK_RESET.exists():
        return None
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_extra_memory, (way, instances, size))


def _extra_memory(way: _Way, instances: int, size: tuple[int, int]) -> float:
    logits = blobs(instances)
    way(logits[:1], (size[0] // 10, size[1] // 10), "polygon")  # loads what is loaded once
    _PEAK_RESET.write_text("5", encoding="ascii")
    before, _ = memory()
    kept = way(logits, size, "polygon")
    _, peak = memory()
    del kept
    return peak - before
