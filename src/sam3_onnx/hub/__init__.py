"""Models that can be had by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from sam3_onnx.errors import UnknownModelError

__all__ = ["KNOWN_MODELS", "model_folder"]

KNOWN_MODELS = ("miniature",)
"""Names that `model_folder` takes. The miniature ships inside the package."""


def model_folder(name: str) -> Path:
    """Where the files of a named model are.

    Args:
        name: One of KNOWN_MODELS.

    Raises:
        UnknownModelError: Another name.
    """
    if name not in KNOWN_MODELS:
        raise UnknownModelError(name, known=KNOWN_MODELS)
    return Path(str(files("sam3_onnx"))) / "data" / name
