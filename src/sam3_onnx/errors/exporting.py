"""Errors of exporting a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.base import Sam3Error

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "CheckpointError",
    "ExportDiskError",
    "ExportError",
    "ExportMemoryError",
    "ExportMismatchError",
    "TrackerMismatchError",
    "WeightRangeError",
]


class ExportError(Sam3Error):
    """A model cannot be exported."""


class CheckpointError(ExportError, ValueError):
    """A checkpoint is not a SAM 3 checkpoint, or is incomplete."""

    def __init__(self, checkpoint: str, *, expected: str, got: str, remedy: str) -> None:
        super().__init__(f"{checkpoint} cannot be exported: expected {expected}, got {got}. {remedy}")


class TrackerMismatchError(ExportError, ValueError):
    """A tracker and a model that should share one image encoder have different image encoders."""

    def __init__(self, *, differs: str) -> None:
        super().__init__(
            f"The tracker and the model have different image encoders: expected equal weights, but {differs} differs. "
            "Take both from one SAM 3 checkpoint, or export them separately."
        )


class WeightRangeError(ExportError, OverflowError):
    """A weight is outside the range of float16."""

    def __init__(self, name: str, *, largest: float) -> None:
        super().__init__(
            f"{name} cannot be stored as float16: expected values of at most 65504, got {largest:.6g}. "
            'Export with storage="float32".'
        )


class ExportMemoryError(ExportError, MemoryError):
    """The machine has too little free memory for an export."""

    def __init__(self, *, needed: str, free: str) -> None:
        super().__init__(
            f"There is too little memory for this export: expected about {needed} in addition to the loaded model, "
            f"got {free}. Close other programs, or export on a machine with more memory; the exported bundle can still "
            "run on this one."
        )


class ExportDiskError(ExportError, OSError):
    """The disk has too little free space for an export."""

    def __init__(self, folder: Path, *, needed: str, free: str) -> None:
        super().__init__(
            f"The disk of {folder} is too full for this export: expected about {needed}, got {free}. "
            "Free some space, or choose a folder on another disk."
        )


class ExportMismatchError(ExportError, RuntimeError):
    """An exported model gives other results than the original model."""

    def __init__(self, *, expected: str, got: str) -> None:
        super().__init__(
            f"The exported model gives other results than the original model: expected {expected}, got {got}. "
            "Do not use it; report the versions of torch, onnxscript and transformers."
        )
