"""Is there memory and disk enough for an export, before it begins?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from sam3_onnx.errors import ExportDiskError, ExportMemoryError
from sam3_onnx.limits import available_memory, memory_limit

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

__all__ = ["parameters_of", "require_room"]

_MEMORY_PER_PARAMETER = 8
"""Bytes beside the loaded model: float32 weights once in the ONNX message, once in ONNX Runtime."""
_DISK_PER_PARAMETER = {"float32": 4, "float16": 2}
_SPARE = 200_000_000
"""Bytes for what does not grow with the weights, of memory and of disk."""
_GIGABYTE = 1e9


def parameters_of(*modules: nn.Module) -> int:
    """How many weights some modules have; those that they share count once."""
    weights = {id(each): each.numel() for module in modules for each in module.parameters()}
    return sum(weights.values())


def require_room(folder: Path, parameters: int, *, storage: str) -> None:
    """Refuses an export that would not fit, as far as can be told.

    Args:
        folder: Where it is to go; it need not be there yet.
        parameters: Of all graphs together.
        storage: "float32" or "float16".

    Raises:
        ExportMemoryError: The memory that is free, or that a container leaves, is too little.
        ExportDiskError: The disk of the folder has too little room.
    """
    memory = parameters * _MEMORY_PER_PARAMETER + _SPARE
    free = [bytes_ for bytes_ in (available_memory()[1], memory_limit()) if bytes_ is not None]
    if free and min(free) < memory:
        raise ExportMemoryError(needed=_told(memory), free=_told(min(free)))
    disk = parameters * _DISK_PER_PARAMETER[storage] + _SPARE
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if shutil.disk_usage(there).free < disk:
        raise ExportDiskError(folder, needed=_told(disk), free=_told(shutil.disk_usage(there).free))


def _told(size: int) -> str:
    return f"{size / _GIGABYTE:.1f} GB"
