"""The three graphs of the six-file contract as PyTorch modules around those of the native bundle."""

from __future__ import annotations

import torch
from torch import nn

from sam3_onnx.export.modules.concepts import EMPTY_SLOT, Decoder, ImageEncoder, TextEncoder
from sam3_onnx.export.operators.mask_resize import resize_masks
from sam3_onnx.export.tokens import model_ids

__all__ = ["SixFileDecoder", "SixFileImageEncoder", "SixFileTextEncoder"]

_SCALES = (4, 2, 1)


class SixFileImageEncoder(nn.Module):
    """uint8 picture to features and their position encodings, of three strides."""

    def __init__(self, model: nn.Module, grid: tuple[int, int], *, fused: bool) -> None:
        super().__init__()
        self.features = ImageEncoder(model, grid=grid, fused=fused)
        width = model.config.detr_encoder_config.hidden_size
        for level, scale in enumerate(_SCALES):
            shape = (1, width, grid[0] * scale, grid[1] * scale)
            places = model.vision_encoder.neck.position_encoding(shape, torch.device("cpu"), torch.float32)
            self.register_buffer(f"places_{level}", places.contiguous())

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(3, H, W) uint8 RGB -> vision_pos_enc_0..2, backbone_fpn_0..2, each (1, C, h, w)."""
        places = (self.places_0, self.places_1, self.places_2)
        return (*(each.clone() for each in places), *self.features(image))


class SixFileTextEncoder(nn.Module):
    """CLIP tokens of one prompt, filled with 0, to its features with the sequence first."""

    def __init__(self, model: nn.Module, remap: torch.Tensor | None) -> None:
        super().__init__()
        self.encoder = TextEncoder(model, pad=0, remap=remap)
        parts = model.text_encoder.named_modules()
        self.embedding = next(part for name, part in parts if name.endswith("token_embedding"))

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(1, 32) int64 -> text_attention_mask (1, 32), True for filling; text_memory (32, 1, C); text_embeds."""
        features, real = self.encoder(tokens)
        embedded = self.embedding(model_ids(tokens, real, self.encoder.remap))
        return ~real, features.transpose(0, 1), embedded.transpose(0, 1)


class SixFileDecoder(nn.Module):
    """Features of one picture and one prompt with at most one box to finished instances of the picture's size."""

    def __init__(self, model: nn.Module, grid: tuple[int, int], threshold: float) -> None:
        super().__init__()
        self.decoder = Decoder(model, grid)
        self.register_buffer("threshold", torch.tensor(threshold))

    def forward(  # noqa: PLR0913, PLR0917 - the contract's inputs
        self,
        original_height: torch.Tensor,
        original_width: torch.Tensor,
        vision_pos_enc_2: torch.Tensor,
        backbone_fpn_0: torch.Tensor,
        backbone_fpn_1: torch.Tensor,
        backbone_fpn_2: torch.Tensor,
        language_mask: torch.Tensor,
        language_features: torch.Tensor,
        box_coords: torch.Tensor,
        box_labels: torch.Tensor,
        box_masks: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """-> boxes (N, 4) xyxy in pixels, scores (N,), masks (N, 1, original_height, original_width) bool."""
        labels = torch.where(box_masks, EMPTY_SLOT, box_labels)
        tokens, prompt, mask = self.decoder.prompted(
            backbone_fpn_2, language_features.transpose(0, 1), ~language_mask, box_coords, labels
        )
        places = vision_pos_enc_2.flatten(2).transpose(1, 2)
        levels = backbone_fpn_0, backbone_fpn_1
        logits, presence, shares, masks = self.decoder.heads(levels, tokens, places, prompt, mask)
        scores = (logits.sigmoid() * presence.sigmoid())[0]
        kept = torch.nonzero(scores > self.threshold)[:, 0]
        sides = torch.stack([original_width, original_height, original_width, original_height])
        boxes = shares[0].index_select(0, kept) * sides.to(torch.float32)
        resized = resize_masks(masks[0].index_select(0, kept)[:, None], original_height, original_width)
        return boxes, scores.index_select(0, kept), resized > 0
