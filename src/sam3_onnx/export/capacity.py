"""Checks, before an export begins, that memory and disk are large enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx._support.folders import free_bytes
from sam3_onnx._support.machine_limits import available_memory, memory_left
from sam3_onnx._support.units import in_bytes
from sam3_onnx.errors import ExportDiskError, ExportMemoryError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

__all__ = ["parameters_of", "require_disk", "require_memory"]

_MEMORY_PER_PARAMETER = 14
"""Bytes for each weight of the largest graph beside the loaded model, as measured at full size: the comparison, where
PyTorch and ONNX Runtime both run it, took most."""
_MEMORY_PER_COPY = 4
"""Bytes for each weight of a model that is copied before it is rounded."""
_DISK_PER_PARAMETER = {"float32": 4, "float16": 2}
_SPARE_MEMORY = 500_000_000
_SPARE_DISK = 200_000_000
"""Bytes for what does not grow with the weights."""


def parameters_of(*modules: nn.Module) -> int:
    """How many weights some modules have; those that they share count once."""
    weights = {id(each): each.numel() for module in modules for each in module.parameters()}
    return sum(weights.values())


def require_memory(*models: nn.Module, storage: str) -> None:
    """Refuses an export that memory would not hold, as far as can be told.

    Args:
        *models: What is to be exported; the image encoder, a part of the first, is the largest graph.
        storage: "float32" or "float16".

    Raises:
        ExportMemoryError: The memory that is free, or that a container leaves, is too little.
    """
    largest = max(parameters_of(part) for part in models[0].children())
    copied = parameters_of(*models) if storage == "float16" else 0
    needed = largest * _MEMORY_PER_PARAMETER + copied * _MEMORY_PER_COPY + _SPARE_MEMORY
    free = [bytes_ for bytes_ in (available_memory()[1], memory_left()) if bytes_ is not None]
    if free and min(free) < needed:
        raise ExportMemoryError(needed=in_bytes(needed), free=in_bytes(min(free)))


def require_disk(folder: Path, parameters: int, *, storage: str) -> None:
    """Refuses an export that the disk would not hold.

    Args:
        folder: Where it is to go; it need not be there yet.
        parameters: Of all graphs together.
        storage: "float32" or "float16".

    Raises:
        ExportDiskError: The disk of the folder has too little room.
    """
    needed = parameters * _DISK_PER_PARAMETER[storage] + _SPARE_DISK
    free = free_bytes(folder)
    if free < needed:
        raise ExportDiskError(folder, needed=in_bytes(needed), free=in_bytes(free))
