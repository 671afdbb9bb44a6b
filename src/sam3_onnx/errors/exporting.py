"""What can be wrong when a model is exported."""

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
    """Base of the errors about exporting a model."""


class CheckpointError(ExportError, ValueError):
    """A checkpoint is not one of SAM 3, or not a whole one."""

    def __init__(self, checkpoint: str, *, expected: str, got: str, remedy: str) -> None:
        super().__init__(f"{checkpoint} cannot be exported: expected {expected}, got {got}. {remedy}")


class TrackerMismatchError(ExportError, ValueError):
    """A tracker has another image encoder than the model that it is to share one with."""

    def __init__(self, *, differs: str) -> None:
        super().__init__(
            f"The tracker's image encoder is not the model's: expected equal weights, {differs} differs. "
            "Both must come from one SAM 3 checkpoint; export them apart otherwise."
        )


class WeightRangeError(ExportError, OverflowError):
    """A weight is beyond what float16 can hold."""

    def __init__(self, name: str, *, largest: float) -> None:
        super().__init__(
            f"{name} cannot be stored as float16: expected values of at most 65504, got {largest:.6g}. "
            'Export with storage="float32".'
        )


class ExportMemoryError(ExportError, MemoryError):
    """There is too little memory for an export."""

    def __init__(self, *, needed: str, free: str) -> None:
        super().__init__(
            f"There is too little memory for this export: expected about {needed} beside the loaded model, got {free}. "
            "Close other programs, or export on a larger machine; the bundle runs on this one all the same."
        )


class ExportDiskError(ExportError, OSError):
    """There is too little room on the disk for an export."""

    def __init__(self, folder: Path, *, needed: str, free: str) -> None:
        super().__init__(
            f"The disk of {folder} is too full for this export: expected about {needed}, got {free}. "
            "Free some space, or name a folder on another disk."
        )


class ExportMismatchError(ExportError, RuntimeError):
    """An export does not answer as the model it was made from."""

    def __init__(self, *, expected: str, got: str) -> None:
        super().__init__(
            f"The export does not answer as the model does: expected {expected}, got {got}. "
            "Do not use it; report the versions of torch, onnxscript and transformers."
        )
