"""The image encoder's backbone, laid out for ONNX Runtime: the same numbers from fewer and larger operations.

Three things differ from transformers' `Sam3ViTModel`, none of them in what is computed:

- Tokens are put into the order of attention windows once, not before and after each layer. Layers
  that look at the whole picture do not care about the order, as long as positions follow it.
- The channels of queries and keys are reordered so that the two of a rotary pair lie half a head
  apart, as ONNX Runtime's operator wants them; a product of two vectors does not care either.
- Rotary embedding and attention are one operator each (`com.microsoft`), so that the scores of
  5184 x 5184 tokens in 16 heads, 1.7 GB, are never held.
"""

from __future__ import annotations

import torch
from torch import nn

from sam3_onnx.export.modules.attention import attend, rotate

__all__ = ["FusedBackbone", "PlainBackbone"]


class PlainBackbone(nn.Module):
    """Normalised picture to a grid of features, by transformers' own code: for providers without those operators."""

    def __init__(self, backbone: nn.Module, grid: tuple[int, int]) -> None:
        super().__init__()
        self.backbone = backbone
        self.grid = grid

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(1, 3, H, W) in -1..1 -> (1, C, h, w)."""
        hidden = self.backbone(pixel_values=pixels).last_hidden_state
        return hidden.view(1, *self.grid, -1).permute(0, 3, 1, 2)


class FusedBackbone(nn.Module):
    """Normalised picture to a grid of features."""

    def __init__(self, backbone: nn.Module, grid: tuple[int, int]) -> None:
        """Takes a backbone's weights over.

        Args:
            backbone: transformers' `Sam3ViTModel`; it is not changed.
            grid: (height, width) of the input in patches, whole windows of them.
        """
        super().__init__()
        self.window = backbone.config.window_size
        self.grid = grid
        self.embeddings = backbone.embeddings
        self.norm = backbone.layer_norm
        self.layers = nn.ModuleList(_Layer(layer, self._order(layer)) for layer in backbone.layers)

    def _order(self, layer: nn.Module) -> torch.Tensor:
        """Which place of a layer's own order each of its tokens has."""
        if layer.window_size:
            return torch.arange(self.window**2)
        height, width = self.grid
        return self._windows(torch.arange(height * width).reshape(1, height, width, 1)).flatten()

    def _windows(self, grid: torch.Tensor) -> torch.Tensor:
        """(1, H, W, C) -> (windows, tokens of a window, C)."""
        rows, columns = self.grid[0] // self.window, self.grid[1] // self.window
        parts = grid.reshape(rows, self.window, columns, self.window, -1)
        return parts.transpose(1, 2).reshape(rows * columns, self.window**2, -1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(1, 3, H, W) in -1..1 -> (1, C, h, w)."""
        height, width = self.grid
        rows, columns = height // self.window, width // self.window
        tokens = self._windows(self.norm(self.embeddings(pixels)).reshape(1, height, width, -1))
        for layer in self.layers:
            tokens = layer(tokens)
        parts = tokens.reshape(rows, columns, self.window, self.window, -1).transpose(1, 2)
        return parts.reshape(1, height, width, -1).permute(0, 3, 1, 2)


class _Layer(nn.Module):
    """`Sam3ViTLayer` on tokens in the order of windows."""

    def __init__(self, layer: nn.Module, order: torch.Tensor) -> None:
        super().__init__()
        self.whole = not layer.window_size
        self.norm, self.norm_after, self.mlp = layer.layer_norm1, layer.layer_norm2, layer.mlp
        attention = layer.attention
        self.heads, self.width = attention.num_attention_heads, attention.hidden_size
        self.head_width = self.width // self.heads
        with torch.no_grad():
            cos, sin = layer.rotary_emb(attention.q_proj.weight, layer.position_ids)
            # each angle stands there twice, once for each channel of its pair
            self.register_buffer("cos", cos[0, order, ::2].contiguous())
            self.register_buffer("sin", sin[0, order, ::2].contiguous())
            queries, keys = _paired(attention.q_proj, self.heads), _paired(attention.k_proj, self.heads)
            projections = (queries, keys, attention.v_proj)
            self.project = nn.Linear(self.width, 3 * self.width)
            self.project.weight.copy_(torch.cat([part.weight for part in projections]))
            self.project.bias.copy_(torch.cat([part.bias for part in projections]))
        self.out = attention.o_proj
        self.register_buffer("places", torch.arange(len(order)))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(windows, T, C) -> the same."""
        normed = self.norm(tokens)
        attended = self._attend(normed.reshape(1, -1, self.width) if self.whole else normed)
        tokens = tokens + attended.reshape(tokens.shape)
        return tokens + self.mlp(self.norm_after(tokens))

    def _attend(self, tokens: torch.Tensor) -> torch.Tensor:
        queries, keys, values = self.project(tokens).split(self.width, dim=-1)
        places = self.places.expand(len(tokens), -1)
        queries, keys = (rotate(part, places, self.cos, self.sin, heads=self.heads) for part in (queries, keys))
        attended = attend(queries, keys, values, heads=self.heads)
        return self.out(attended)


def _paired(linear: nn.Linear, heads: int) -> nn.Linear:
    """The same projection, the channels of each head reordered: first ones of pairs, then second ones."""
    width = linear.weight.shape[0]
    order = torch.arange(width).reshape(heads, -1, 2).transpose(1, 2).flatten()
    paired = nn.Linear(linear.in_features, width)
    with torch.no_grad():
        paired.weight.copy_(linear.weight[order])
        paired.bias.copy_(linear.bias[order])
    return paired
