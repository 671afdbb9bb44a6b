"""Memories of tracked objects, and how a frame looks at them, around transformers' `Sam3TrackerVideoModel`."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from sam3_onnx.export.modules.attention import attend

__all__ = ["MemoryAttention", "MemoryEncoder", "has_memory", "without_memory"]

_QUERY_PLACES = 0.1
"""Share of the position encoding that a frame's features get: `Sam3TrackerVideoMemoryAttention.forward`."""
_PERIOD = 10000
"""Longest wavelength of the encoding of ages: `get_1d_sine_pe`."""
_MASK_SCALE = 16
"""Cells of a mask for each cell of the features, along each side, where a memory is made of it."""


def has_memory(tracker: nn.Module) -> bool:
    """Whether a tracker is one that follows objects through videos."""
    return hasattr(tracker, "memory_attention")


def without_memory(tracker: nn.Module) -> torch.Tensor:
    """Returns the embedding (1, C, 1, 1) that `click_2` carries: it says that there is no memory."""
    return tracker.no_memory_embedding.detach().reshape(1, -1, 1, 1).clone()


class MemoryAttention(nn.Module):
    """A frame's features as objects see them that are remembered: `_prepare_memory_conditioned_features`.

    The rows of attention sum to 1, so the memories are averaged first, in their few channels, and projected to values
    afterwards: the same answer for less work. Until the first look at memories nothing depends on an object, and is
    computed once for all of them.
    """

    def __init__(self, tracker: nn.Module, grid: tuple[int, int], *, fused: bool = False) -> None:
        super().__init__()
        attention, self.grid, self.fused = tracker.memory_attention, grid, fused
        self.layers, self.norm = attention.layers, attention.layer_norm
        self.age_projection = tracker.temporal_positional_encoding_projection_layer
        width, self.channels = tracker.hidden_dim, tracker.mem_dim
        cpu, neck = torch.device("cpu"), tracker.vision_encoder.neck
        with torch.no_grad():
            cos, sin = attention.rotary_emb(torch.zeros(1), attention.position_ids)
            places = neck.position_encoding((1, width, *grid), cpu, torch.float32)
            memory_places = tracker.memory_encoder.position_encoding((1, self.channels, *grid), cpu, torch.float32)
        octaves = torch.arange(width // 2) // 2 * 2 / (width // 2)
        self.register_buffer("cos", cos.reshape(1, -1, width))
        self.register_buffer("sin", sin.reshape(1, -1, width))
        self.register_buffer("places", (_QUERY_PLACES * places - without_memory(tracker)).flatten(2).transpose(1, 2))
        self.register_buffer("memory_places", memory_places.flatten(2).transpose(1, 2).contiguous())
        self.register_buffer("wavelengths", _PERIOD**octaves)
        self.slots = tracker.memory_temporal_positional_encoding

    def forward(
        self,
        click_2: torch.Tensor,
        memories: torch.Tensor,
        memory_slots: torch.Tensor,
        pointers: torch.Tensor,
        pointer_ages: torch.Tensor,
    ) -> torch.Tensor:
        """See docs/native-bundle.md for shapes: -> features (K, C, h, w)."""
        objects = memories.shape[0]
        frame = click_2.flatten(2).transpose(1, 2) + self.places
        remembered = memories.flatten(3).transpose(2, 3)
        slots = self.slots.flatten(1)[memory_slots]
        keys = remembered + self.memory_places[:, None] + slots[:, :, None]
        pointing, pointing_keys = self._pointers(pointers, pointer_ages)
        values = torch.cat([remembered.flatten(1, 2), pointing], 1)
        for layer in self.layers:
            frame = self._look_around(layer, frame)
            frame = self._look_back(layer, frame, keys, pointing_keys, values, objects)
            frame = frame + layer.linear2(layer.activation(layer.linear1(layer.layer_norm3(frame))))
        return self.norm(frame).transpose(1, 2).unflatten(2, self.grid)

    def _pointers(self, pointers: torch.Tensor, ages: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pointers in pieces as wide as memories, and those with their ages: (K, N * C / D, D) both."""
        angles = ages[..., None] / self.wavelengths
        aged = self.age_projection(torch.cat([angles.sin(), angles.cos()], -1))
        pieces = pointers.unflatten(-1, (-1, self.channels))
        return pieces.flatten(1, 2), (pieces + aged[:, :, None]).flatten(1, 2)

    def _look_around(self, layer: nn.Module, frame: torch.Tensor) -> torch.Tensor:
        normed, attention = layer.layer_norm1(frame), layer.self_attn
        queries, keys = self._rotated(attention.q_proj(normed)), self._rotated(attention.k_proj(normed))
        return frame + attention.o_proj(self._attend(queries, keys, attention.v_proj(normed)))

    def _look_back(
        self,
        layer: nn.Module,
        frame: torch.Tensor,
        keys: torch.Tensor,
        pointing_keys: torch.Tensor,
        values: torch.Tensor,
        objects: int,
    ) -> torch.Tensor:
        attention = layer.cross_attn_image
        queries = self._rotated(attention.q_proj(layer.layer_norm2(frame))).expand(objects, -1, -1)
        placed = self._rotated(attention.k_proj(keys)).flatten(1, 2)
        seen = torch.cat([placed, attention.k_proj(pointing_keys)], 1)
        return frame + attention.o_proj(attention.v_proj(self._attend(queries, seen, values)))

    def _attend(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        if self.fused:
            return attend(queries, keys, values, heads=1)
        return functional.scaled_dot_product_attention(queries[:, None], keys[:, None], values[:, None])[:, 0]

    def _rotated(self, tokens: torch.Tensor) -> torch.Tensor:
        """Rotary embedding of (..., h * w, C), the two channels of a pair side by side: `apply_rotary_pos_emb_2d`."""
        first, second = tokens.unflatten(-1, (-1, 2)).unbind(-1)
        return tokens * self.cos + torch.stack([-second, first], -1).flatten(-2) * self.sin


class MemoryEncoder(nn.Module):
    """A frame and masks on it to what is remembered of them: `_encode_new_memory`."""

    def __init__(self, tracker: nn.Module, grid: tuple[int, int]) -> None:
        super().__init__()
        encoder, config = tracker.memory_encoder, tracker.config
        self.downsample, self.fuse = encoder.mask_downsampler, encoder.memory_fuser
        self.project_frame, self.project = encoder.feature_projection, encoder.projection
        self.size = (_MASK_SCALE * grid[0], _MASK_SCALE * grid[1])
        self.scale, self.bias = config.sigmoid_scale_for_mem_enc, config.sigmoid_bias_for_mem_enc
        self.register_buffer("no_memory", without_memory(tracker))
        occluded = tracker.occlusion_spatial_embedding_parameter
        self.occluded = nn.Parameter(torch.zeros(1, tracker.mem_dim)) if occluded is None else occluded

    def forward(
        self, click_2: torch.Tensor, masks: torch.Tensor, object_logits: torch.Tensor, from_points: torch.Tensor
    ) -> torch.Tensor:
        """See docs/native-bundle.md for shapes: -> memory (K, D, h, w)."""
        enlarged = functional.interpolate(masks, size=self.size, mode="bilinear", align_corners=False)
        shares = torch.where(from_points, (enlarged > 0).to(enlarged.dtype), enlarged.sigmoid())
        seen = self.project_frame(click_2 - self.no_memory) + self.downsample(shares * self.scale + self.bias)
        absent = (object_logits <= 0).to(seen.dtype)[..., None, None]
        return self.project(self.fuse(seen)) + absent * self.occluded[..., None, None]
