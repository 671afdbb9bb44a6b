"""The miniature's tracker: transformers' `Sam3TrackerVideoModel`, tiny, on the miniature's backbone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from model import GRID, HEADS, WIDTH, build, make_config, normalised
from safetensors.torch import load_file
from torch import nn
from transformers import Sam3TrackerVideoConfig, Sam3TrackerVideoModel
from vocabulary import Words
from world import SIDE

from sam3_onnx.export.modules.memory import MemoryAttention, MemoryEncoder
from sam3_onnx.export.modules.tracking import MaskPrompt, TrackDecoder

WEIGHTS = Path(__file__).parent / "weights.safetensors"
TRACKER_WEIGHTS = Path(__file__).parent / "tracker.safetensors"
LEVELS = 3
_FROZEN = "vision_encoder.backbone."


def make_tracker_config() -> Sam3TrackerVideoConfig:
    """The tiny configuration: 0.75 million parameters beside the backbone."""
    config = Sam3TrackerVideoConfig(
        vision_config=make_config(Words().size).vision_config.to_dict(),
        image_size=SIDE,
        prompt_encoder_config={"hidden_size": WIDTH, "image_size": SIDE},
        mask_decoder_config={
            "hidden_size": WIDTH,
            "mlp_dim": 2 * WIDTH,
            "iou_head_hidden_dim": WIDTH,
            "num_attention_heads": HEADS,
        },
        memory_attention_hidden_size=WIDTH,
        memory_attention_num_layers=2,
        memory_attention_feed_forward_hidden_size=2 * WIDTH,
        memory_attention_rope_feat_sizes=[GRID, GRID],
        memory_encoder_hidden_size=WIDTH,
        memory_encoder_output_channels=WIDTH,
        mask_downsampler_embed_dim=WIDTH,
        memory_fuser_embed_dim=WIDTH,
        memory_fuser_intermediate_dim=2 * WIDTH,
    )
    config.memory_attention_dropout = config.memory_attention_rope_dropout = 0.0
    return config


def build_tracker(backbone: Path = WEIGHTS) -> Sam3TrackerVideoModel:
    """An untrained tracker on the trained backbone, with starting weights that make it learn quickly.

    Args:
        backbone: The miniature's weights.
    """
    torch.manual_seed(0)
    model = Sam3TrackerVideoModel(make_tracker_config())
    _start_weights(model)
    words = build(Words().size)
    words.load_state_dict({name: value.float() for name, value in load_file(backbone).items()})
    model.vision_encoder.backbone.load_state_dict(words.vision_encoder.backbone.state_dict())
    model.vision_encoder.backbone.requires_grad_(requires_grad=False)
    model.no_memory_embedding.requires_grad_(requires_grad=False)  # the parts hold copies of it
    return model


def own_weights(model: Sam3TrackerVideoModel) -> dict[str, torch.Tensor]:
    """A tracker's weights without those of the backbone."""
    return {name: value for name, value in model.state_dict().items() if not name.startswith(_FROZEN)}


def load_tracker(weights: Path, backbone: Path = WEIGHTS) -> Sam3TrackerVideoModel:
    """A trained tracker.

    Args:
        weights: Those of `own_weights`, in any float type.
        backbone: The miniature's weights.
    """
    model = build_tracker(backbone)
    stored = {name: value.float() for name, value in load_file(weights).items()}
    _, unknown = model.load_state_dict(stored, strict=False)
    if unknown or stored.keys() != own_weights(model).keys():
        message = f"{weights} does not hold the weights of a tracker"
        raise ValueError(message)
    return model.eval()


def _start_weights(model: Sam3TrackerVideoModel) -> None:
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.reset_parameters()
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.5)
    with torch.no_grad():
        for constant in (
            model.no_memory_embedding,
            model.memory_temporal_positional_encoding,
            model.no_object_pointer,
            model.occlusion_spatial_embedding_parameter,
        ):
            constant.normal_(std=0.3)
        for layer in model.memory_encoder.memory_fuser.layers:
            layer.scale.fill_(0.3)
        model.shared_image_embedding.positional_embedding.copy_(
            model.prompt_encoder.shared_embedding.positional_embedding
        )


@dataclass
class Features:
    """What the track head sees of T frames."""

    fine: torch.Tensor
    """(T, C / 8, 4 GRID, 4 GRID)."""
    middle: torch.Tensor
    """(T, C / 4, 2 GRID, 2 GRID)."""
    coarse: torch.Tensor
    """(T, C, GRID, GRID), with the no-memory embedding."""


class Tracker(nn.Module):
    """A tracker in the parts in which it is exported."""

    def __init__(self, model: Sam3TrackerVideoModel) -> None:
        super().__init__()
        self.model = model
        grid = (GRID, GRID)
        self.attention, self.encoder = MemoryAttention(model, grid), MemoryEncoder(model, grid)
        self.decoder, self.prompt = TrackDecoder(model, grid, (SIDE, SIDE)), MaskPrompt(model, grid)

    def features(self, frames: torch.Tensor) -> Features:
        """Features of (T, 3, SIDE, SIDE) uint8 frames."""
        vision, head = self.model.vision_encoder, self.model.mask_decoder
        with torch.no_grad():
            hidden = vision.backbone(pixel_values=normalised(frames)).last_hidden_state
            grid = hidden.view(len(frames), GRID, GRID, -1).permute(0, 3, 1, 2)
        fine, middle, coarse = (level(grid) for level in list(vision.neck.fpn_layers)[:LEVELS])
        lone = self.model.no_memory_embedding.reshape(1, -1, 1, 1)
        return Features(head.conv_s0(fine), head.conv_s1(middle), coarse + lone)
