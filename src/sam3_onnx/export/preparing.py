"""What is done with a model before its graphs are made, whatever the contract."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from sam3_onnx.errors import CheckpointError
from sam3_onnx.export.capacity import require_memory
from sam3_onnx.export.modules.clicks import require_shared_backbone
from sam3_onnx.export.operators.roi_align import stand_in_for_torchvision
from sam3_onnx.export.storage import round_weights

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MODEL_TYPES", "TRACKER_TYPES", "manifest_of", "prepared"]

MODEL_TYPES = ("sam3", "sam3_lite_text")
"""What `config.model_type` of a model may be."""
TRACKER_TYPES = ("sam3_tracker", "sam3_tracker_video")
"""What `config.model_type` of a tracker may be."""


def prepared(model: nn.Module, tracker: nn.Module | None = None, *, storage: str) -> tuple[nn.Module, nn.Module | None]:
    """A model and its tracker in evaluation mode and float32, rounded if they are to be stored as float16.

    Raises:
        CheckpointError: One of them is not SAM 3.
        TrackerMismatchError: The tracker has another backbone.
        ExportMemoryError: There is too little memory for the export.
        WeightRangeError: A weight is beyond float16's range, with that storage.
    """
    stand_in_for_torchvision()
    _require_type(model, MODEL_TYPES, "a Sam3Model or Sam3LiteTextModel")
    if tracker is not None:
        _require_type(tracker, TRACKER_TYPES, "a Sam3TrackerModel or Sam3TrackerVideoModel")
    require_memory(*(part for part in (model, tracker) if part is not None), storage=storage)
    model = model.eval().float()
    if tracker is not None:
        tracker = tracker.eval().float()
        require_shared_backbone(model, tracker)
    if storage == "float16":
        model, tracker = copy.deepcopy(model), copy.deepcopy(tracker)
        for part in (model, tracker):
            if part is not None:
                round_weights(part)
    return model, tracker


def manifest_of(size: tuple[int, int], *, storage: str, source: str, licence: str) -> dict[str, str]:
    """The manifest entries that say what was exported."""
    return {
        "sam3_onnx.input_size": f"{size[0]}x{size[1]}",
        "sam3_onnx.storage": storage,
        "sam3_onnx.source": source,
        "sam3_onnx.licence": licence,
    }


def _require_type(model: nn.Module, known: tuple[str, ...], expected: str) -> None:
    config = getattr(model, "config", None)
    got = getattr(config, "model_type", None)
    if got not in known:
        raise CheckpointError(
            f"This {type(model).__name__}",
            expected=f"{expected} of transformers (model_type {' or '.join(known)})",
            got="no transformers model" if config is None else f"model_type {got}",
            remedy="Load the checkpoint with such a class.",
        )
