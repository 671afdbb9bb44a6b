"""Errors of evaluating a model on labelled pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.base import Sam3Error

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EvaluateError", "NoLabelsError"]


class EvaluateError(Sam3Error):
    """A model cannot be evaluated."""


class NoLabelsError(EvaluateError, LookupError):
    """No picture of a folder has labels."""

    def __init__(self, labels: Path, *, pictures: Path, checked: int) -> None:
        super().__init__(
            f"No labels for the pictures of {pictures} in {labels}: expected label files with the names of the "
            f"pictures, or a COCO file that names them, got none for {checked} pictures. Check both paths; a COCO file "
            "names pictures by their paths relative to the folder of pictures."
        )
