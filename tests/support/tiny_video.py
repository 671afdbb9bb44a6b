"""A tiny `Sam3TrackerVideoModel` of random weights, and the model beside it."""

from __future__ import annotations

import numpy as np
import torch
from transformers import Sam3Model, Sam3TrackerVideoConfig, Sam3TrackerVideoModel

from tests.support import make_native

GRID, SIDE, WIDTH, MEMORY = 8, 112, 128, 64
"""Patches along a side, pixels along a side, channels of features and of memories; transformers fixes the last."""
SEED = 3


def make_model() -> Sam3Model:
    """As `make_native.make_model`, square and with features as wide as memories of a video need."""
    return make_native.make_model((SIDE, SIDE), width=WIDTH)


def make_tracker(model: Sam3Model, *, memories: int = 7) -> Sam3TrackerVideoModel:
    """The true architecture, small, on the model's own backbone, with a neck of four levels as the published one.

    Args:
        model: From `make_model`.
        memories: `num_maskmem`.
    """
    vision = model.config.vision_config.to_dict()
    config = Sam3TrackerVideoConfig(
        vision_config=vision,
        image_size=SIDE,
        num_maskmem=memories,
        prompt_encoder_config={"hidden_size": WIDTH, "image_size": SIDE, "mask_input_channels": 16},
        mask_decoder_config={
            "hidden_size": WIDTH,
            "mlp_dim": WIDTH,
            "num_attention_heads": 4,
            "iou_head_hidden_dim": WIDTH,
        },
        memory_attention_hidden_size=WIDTH,
        memory_attention_num_layers=2,
        memory_attention_feed_forward_hidden_size=WIDTH,
        memory_attention_rope_feat_sizes=[GRID, GRID],
        memory_encoder_hidden_size=WIDTH,
        memory_encoder_output_channels=MEMORY,
        mask_downsampler_embed_dim=WIDTH,
        memory_fuser_embed_dim=WIDTH,
        memory_fuser_intermediate_dim=WIDTH,
    )
    torch.manual_seed(SEED)
    tracker = Sam3TrackerVideoModel(config).eval()
    with torch.no_grad():
        for name, weights in tracker.named_parameters():
            if weights.ndim > 1:
                weights.copy_(torch.randn_like(weights) / weights[0].numel() ** 0.5)
            elif name.endswith(".scale"):
                weights.normal_()
        for constant in ("no_memory_embedding", "no_object_pointer", "occlusion_spatial_embedding_parameter"):
            getattr(tracker, constant).normal_()
        tracker.memory_temporal_positional_encoding.normal_()
        tracker.mask_decoder.pred_obj_score_head.proj_out.weight.mul_(0.3)
        tracker.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(1.0)
        table = tracker.prompt_encoder.shared_embedding.positional_embedding
        tracker.shared_image_embedding.positional_embedding.copy_(table)
    tracker.vision_encoder.backbone.load_state_dict(model.vision_encoder.backbone.state_dict())
    return tracker


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Normal noise of a shape, the same for the same seed."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))
