"""The decoder of a native bundle in parts: geometry encoder, fusion, and what finds instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from sam3_onnx.export.modules.concepts import tokens_of

if TYPE_CHECKING:
    from sam3_onnx.export.modules.concepts import Decoder

__all__ = ["Fusion", "GeometryEncoder", "WholeHeads", "WithoutMasks"]


class _Part(nn.Module):
    """A part of a decoder, whose weights it shares."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    @staticmethod
    def prompt(
        text_features: torch.Tensor,
        text_mask: torch.Tensor,
        geometry_features: torch.Tensor,
        geometry_mask: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Words and boxes as one prompt: (P, L, C) features, (P, L) True where there is one."""
        return torch.cat([text_features, geometry_features], 1), torch.cat([text_mask, geometry_mask], 1)


class GeometryEncoder(_Part):
    """Boxes on a picture to the features of what they show."""

    def forward(
        self, fpn_2: torch.Tensor, boxes: torch.Tensor, box_labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """-> geometry_features (P, N + 1, C), geometry_mask (P, N + 1)."""
        return self.decoder.exemplars(fpn_2, boxes, box_labels)


class Fusion(_Part):
    """A picture, and prompts from anywhere, to the picture as each prompt sees it."""

    def forward(
        self,
        fpn_2: torch.Tensor,
        text_features: torch.Tensor,
        text_mask: torch.Tensor,
        geometry_features: torch.Tensor,
        geometry_mask: torch.Tensor,
    ) -> torch.Tensor:
        """-> fused_features (P, h * w, C)."""
        prompt = self.prompt(text_features, text_mask, geometry_features, geometry_mask)
        return self.decoder.fuse(tokens_of(fpn_2), self.decoder.places, *prompt)


class WithoutMasks(_Part):
    """Fused features to instances without their masks, and what a mask head needs."""

    def forward(
        self,
        fused_features: torch.Tensor,
        text_features: torch.Tensor,
        text_mask: torch.Tensor,
        geometry_features: torch.Tensor,
        geometry_mask: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """-> logits, presence, boxes_xyxy, mask_features, mask_queries."""
        prompt = self.prompt(text_features, text_mask, geometry_features, geometry_mask)
        return self.decoder.find(fused_features, self.decoder.places, *prompt)


class WholeHeads(_Part):
    """Fused features to instances with their masks."""

    def forward(
        self,
        fpn_0: torch.Tensor,
        fpn_1: torch.Tensor,
        fused_features: torch.Tensor,
        text_features: torch.Tensor,
        text_mask: torch.Tensor,
        geometry_features: torch.Tensor,
        geometry_mask: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """-> logits, presence, boxes_xyxy, masks."""
        prompt = self.prompt(text_features, text_mask, geometry_features, geometry_mask)
        *answers, picture, queries = self.decoder.find(fused_features, self.decoder.places, *prompt)
        return *answers, self.decoder.masks(fpn_0, fpn_1, picture, queries)
