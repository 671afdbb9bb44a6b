"""Errors of an evaluation against labelled pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.base import Sam3Error

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EvaluateError", "NoLabelsError"]


_PATHS = "Check both paths: a COCO file names pictures by their paths seen from the folder of pictures."


class EvaluateError(Sam3Error):
    """An evaluation cannot be made."""


class NoLabelsError(EvaluateError, LookupError):
    """No picture of a folder has labels."""

    def __init__(self, labels: Path, *, pictures: Path, checked: int, remedy: str = "") -> None:
        super().__init__(
            f"No labels for the pictures of {pictures} in {labels}: expected label files of the pictures' names, or a "
            f"COCO file that names them; pictures looked at: {checked}, with labels: 0. "
            f"{remedy or _PATHS}"
        )
