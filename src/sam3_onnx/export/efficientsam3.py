"""Refusal of EfficientSAM3's checkpoints, which transformers cannot load, with what to export instead.

Its authors publish PyTorch files in the layout of Meta's code: SAM3-LiteText (SAM 3's image encoder with a MobileCLIP
text encoder), of which transformers has its own form, and EfficientSAM3 (a small image encoder too), of which it has
none. Names of weights are those that SimonZeng7108/efficientsam3 loads.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sam3_onnx.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["refuse_efficientsam3"]

_HUB = "simon7108528/efficientsam3"
_FILES = {".pt", ".pth"}
_STUDENTS = {
    "RepViT": r"(^|\.)backbone\.model\.features\.",
    "TinyViT": r"(^|\.)backbone\.model\.(patch_embed|layers)\.",
    "EfficientViT": r"(^|\.)backbone\.model\.(input_stem|stages)\.",
}
"""Image encoders, and what their weights' names contain."""
_STUDENT_HEAD = r"(^|\.)head\.3\.weight$"
"""The last of the layers that widen a small image encoder's features to those of SAM 3's."""
_MOBILECLIP = r"(^|\.)encoder\.embedding_layer\."
_META = r"(^|\.)backbone\.vision_backbone\.trunk\.blocks\."
_LITE = "yonigozlan/sam3-litetext-s0"
"""The checkpoint that transformers documents."""
_EXPECTED = "a checkpoint of SAM 3 or SAM3-LiteText as transformers saves it"


def refuse_efficientsam3(checkpoint: str) -> None:
    """Does nothing if a checkpoint is not made of PyTorch files with a layout of their own.

    Args:
        checkpoint: A file, a folder, or the id of a folder on a hub.

    Raises:
        CheckpointError: It is made of such files; the message says whose they are, and what to export in their place.
    """
    if checkpoint.casefold() == _HUB:
        remedy = f"transformers has SAM3-LiteText of it, such as {_LITE}, and none of its small image encoders."
        raise CheckpointError(checkpoint, expected=_EXPECTED, got="EfficientSAM3's own files", remedy=remedy)
    path = Path(checkpoint)
    files = [path] if path.is_file() else sorted(path.glob("*")) if not (path / "config.json").exists() else []
    for file in files:
        if file.suffix in _FILES:
            got, remedy = _judged(_names(file))
            raise CheckpointError(str(file), expected=_EXPECTED, got=got, remedy=remedy)


def _names(file: Path) -> Collection[str]:
    """Of the weights in a file; none if it holds anything else."""
    try:
        told = torch.load(file, map_location="meta", mmap=True, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError):
        return ()
    weights = told.get("model", told) if isinstance(told, dict) else {}
    return [name for name in weights if isinstance(name, str)] if isinstance(weights, dict) else ()


def _judged(names: Collection[str]) -> tuple[str, str]:
    """Whose weights these are, and what to do."""

    def has(pattern: str) -> bool:
        return any(re.search(pattern, name) for name in names)

    student = next((name for name, pattern in _STUDENTS.items() if has(pattern) and has(_STUDENT_HEAD)), None)
    if student is not None:
        remedy = f"transformers has no SAM 3 with that image encoder. Export facebook/sam3, or {_LITE}."
        return f"EfficientSAM3 with {student} as image encoder", remedy
    if has(_MOBILECLIP):
        return "SAM3-LiteText in the layout of EfficientSAM3", f"Name transformers' form of it, such as {_LITE}."
    if has(_META):
        return "SAM 3 in the layout of Meta's code", "Name transformers' form of it, such as facebook/sam3."
    return "a PyTorch file of another kind", "Name a folder that transformers has saved, or an id on its hub."
