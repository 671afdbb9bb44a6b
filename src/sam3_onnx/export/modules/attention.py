"""Attention as one operator of ONNX Runtime (`com.microsoft`), whose scores are never held as a whole.

PyTorch cannot run it: modules with it are for export, and are compared through their graphs.
"""

from __future__ import annotations

import copy
from typing import Literal, TypeAlias

import torch
from torch import nn

from sam3_onnx.errors import OptionError
from sam3_onnx.export.comparison.reference import input_size

__all__ = ["Attention", "FusedAttention", "attend", "is_fused", "rotate", "with_fused_self_attention"]

Attention: TypeAlias = Literal["auto", "fused", "plain"]


def is_fused(attention: Attention, model: nn.Module) -> bool:
    """Whether a model's export has attention as one operator.

    Raises:
        OptionError: It should, but the patches of its input make no whole windows; or there is no such option.
    """
    backbone = model.config.vision_config.backbone_config
    rows, columns = (side // backbone.patch_size for side in input_size(model))
    window = backbone.window_size
    broken = bool(rows % window or columns % window)
    if attention not in {"auto", "fused", "plain"} or (attention == "fused" and broken):
        got = f"{attention!r} for {rows} x {columns} patches"
        expected = f'"auto", "plain", or "fused" where the patches make whole windows of {window} x {window}'
        raise OptionError("attention", expected=expected, got=got)
    return attention == "fused" or (attention == "auto" and not broken)


def attend(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, *, heads: int) -> torch.Tensor:
    """(B, T, C), (B, L, C), (B, L, V), heads side by side in C and in V -> (B, T, V)."""
    answer: torch.Tensor = torch.onnx.ops.symbolic(
        "com.microsoft::MultiHeadAttention",
        (queries, keys, values),
        {"num_heads": heads},
        dtype=values.dtype,
        shape=(*queries.shape[:2], values.shape[2]),
        version=1,
    )
    return answer


def rotate(
    tokens: torch.Tensor, places: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, *, heads: int
) -> torch.Tensor:
    """Rotary embedding of (B, T, C), the two channels of a pair half a head apart.

    Args:
        tokens: Queries or keys, heads side by side in C.
        places: (B, T) int64, rows of the tables.
        cos: (T, C / heads / 2).
        sin: As `cos`.
        heads: How many.
    """
    answer: torch.Tensor = torch.onnx.ops.symbolic(
        "com.microsoft::RotaryEmbedding",
        (tokens, places, cos, sin),
        {"num_heads": heads, "interleaved": 0},
        dtype=tokens.dtype,
        shape=tokens.shape,
        version=1,
    )
    return answer


class FusedAttention(nn.Module):
    """transformers' `Sam3Attention` without a mask."""

    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        self.queries, self.keys, self.values = attention.q_proj, attention.k_proj, attention.v_proj
        self.out = attention.o_proj
        self.heads = attention.num_attention_heads

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, None]:
        """As the original, but for the weights of attention, which nobody reads."""
        attended = attend(self.queries(query), self.keys(key), self.values(value), heads=self.heads)
        return self.out(attended), None


def with_fused_self_attention(layer: nn.Module) -> nn.Module:
    """A copy of a layer that shares its weights, with its `self_attn` fused; the layer itself stays as it is."""
    fused = copy.copy(layer)
    fused._modules = dict(layer._modules)  # noqa: SLF001 - a shallow copy would share the table of parts
    fused.self_attn = FusedAttention(layer.self_attn)
    return fused
