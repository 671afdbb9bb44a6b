"""Checkpoints of transformers, loaded whole and for one input size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import (
    AutoConfig,
    PreTrainedConfig,
    Sam3LiteTextModel,
    Sam3Model,
    Sam3TrackerConfig,
    Sam3TrackerModel,
    Sam3TrackerVideoModel,
    Sam3VideoConfig,
)

from sam3_onnx.errors import CheckpointError, OptionError
from sam3_onnx.export.contracts.video import require_square
from sam3_onnx.export.efficientsam3 import refuse_efficientsam3
from sam3_onnx.export.operators.roi_align import stand_in_for_torchvision

if TYPE_CHECKING:
    from torch import nn

__all__ = ["load_model", "load_rules", "load_tracker", "load_video_tracker"]

_BOTH = "sam3_video"
"""`model_type` of the published checkpoint, which holds a model and a tracker."""
_MODELS = {"sam3": Sam3Model, "sam3_lite_text": Sam3LiteTextModel}
_TRACKER_PARTS = ("vision_config", "prompt_encoder_config", "mask_decoder_config")
_SCALES = (4, 2, 1)


def load_model(checkpoint: str, *, size: tuple[int, int] | None = None) -> nn.Module:
    """Loads the part that finds concepts.

    Args:
        checkpoint: A folder of transformers, or the id of one on its hub.
        size: (height, width) of the input; None for the checkpoint's own.

    Raises:
        CheckpointError: It is no checkpoint of transformers, not one of SAM 3, or lacks weights.
        OptionError: The size is no multiple of the patch size.
    """
    config = _config(checkpoint, (*_MODELS, _BOTH))
    config = getattr(config, "detector_config", None) or config
    return _loaded(_MODELS[config.model_type], checkpoint, config, size)


def load_tracker(checkpoint: str, *, size: tuple[int, int] | None = None) -> nn.Module:
    """Loads the part that takes clicks; as `load_model`."""
    config = _config(checkpoint, ("sam3_tracker", _BOTH))
    if config.model_type == _BOTH:
        parts = config.tracker_config.to_dict()
        config = Sam3TrackerConfig(**{name: parts[name] for name in _TRACKER_PARTS})
    return _loaded(Sam3TrackerModel, checkpoint, config, size)


def load_video_tracker(checkpoint: str, *, size: tuple[int, int] | None = None) -> nn.Module:
    """Loads the part that takes clicks and follows objects through videos; as `load_model`.

    Raises:
        OptionError: The size is no square.
    """
    require_square(size)
    config = _config(checkpoint, ("sam3_tracker_video", _BOTH))
    if config.model_type == _BOTH:
        config = config.tracker_config
    return _loaded(Sam3TrackerVideoModel, checkpoint, config, size)


def load_rules(checkpoint: str) -> Sam3VideoConfig | None:
    """Returns how a checkpoint makes tracks of detections in a video, if it says so."""
    config = _config(checkpoint, (*_MODELS, "sam3_tracker_video", _BOTH))
    return config if config.model_type == _BOTH else None


def _config(checkpoint: str, known: tuple[str, ...]) -> PreTrainedConfig:
    refuse_efficientsam3(checkpoint)
    try:
        told, _ = PreTrainedConfig.get_config_dict(checkpoint)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            checkpoint,
            expected="a folder with config.json and weights as transformers saves them, or the id of one on its hub",
            got=str(error).strip().splitlines()[0],
            remedy="Check the path or the id, and that the network is there if it is an id.",
        ) from error
    if told.get("model_type") not in known:
        raise CheckpointError(
            checkpoint,
            expected=f"a SAM 3 checkpoint of model_type {', '.join(known[:-1])} or {known[-1]}",
            got=f"model_type {told.get('model_type')}",
            remedy="Name a checkpoint of SAM 3, such as facebook/sam3, which holds both words and clicks.",
        )
    return AutoConfig.from_pretrained(checkpoint)


def _loaded(
    kind: type[nn.Module], checkpoint: str, config: PreTrainedConfig, size: tuple[int, int] | None
) -> nn.Module:
    stand_in_for_torchvision()
    if size is not None:
        _resize(config, size)
    model, found = kind.from_pretrained(
        checkpoint,
        config=config,
        dtype=torch.float32,
        output_loading_info=True,
        key_mapping={r"^tracker_model\.": ""},  # transformers 5.23 itself leaves this prefix on
    )
    missing = sorted(found["missing_keys"])
    if missing:
        raise CheckpointError(
            checkpoint,
            expected=f"all weights of a {kind.__name__}",
            got=f"{len(missing)} missing, {missing[0]} among them",
            remedy="Their random stand-ins would answer nonsense: name a complete checkpoint.",
        )
    if size is not None:
        _place(model.vision_encoder.backbone, size)
    return model


def _resize(config: PreTrainedConfig, size: tuple[int, int]) -> None:
    vision = config.vision_config
    patch = vision.backbone_config.patch_size
    if any(side < patch or side % patch for side in size):
        raise OptionError("size", expected=f"multiples of {patch}", got=size)
    rows, cols = size[0] // patch, size[1] // patch
    vision.backbone_config.image_size = list(size)
    vision.backbone_feature_sizes = [[scale * rows, scale * cols] for scale in _SCALES]
    if hasattr(config, "prompt_encoder_config"):
        config.prompt_encoder_config.image_size = size[0]
    if hasattr(config, "memory_attention_rope_feat_sizes"):
        config.memory_attention_rope_feat_sizes = [cols, rows]


def _place(backbone: nn.Module, size: tuple[int, int]) -> None:
    """Gives the layers of global attention their positions, rows and columns each over the range they learned.

    transformers computes them for square inputs; for others it takes rows for columns.
    """
    patch, window = backbone.config.patch_size, backbone.config.window_size
    rows, cols = size[0] // patch, size[1] // patch
    down, across = torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij")
    places = torch.stack([across.flatten() * (window / cols), down.flatten() * (window / rows)], -1)
    for layer in backbone.layers:
        if layer.window_size == 0:
            layer.position_ids = places.to(layer.position_ids.dtype)
