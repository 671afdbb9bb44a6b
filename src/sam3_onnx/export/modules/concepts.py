"""Encoders, decoder and mask head of SAM 3 as PyTorch modules around one of transformers' models."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from transformers.models.sam3.modeling_sam3 import box_cxcywh_to_xyxy, inverse_sigmoid

from sam3_onnx.export.modules.attention import with_fused_self_attention
from sam3_onnx.export.modules.backbone import FusedBackbone, PlainBackbone
from sam3_onnx.export.modules.clicks import ClickFeatures
from sam3_onnx.export.modules.neck import folded_level
from sam3_onnx.export.operators.roi_align import roi_align_one
from sam3_onnx.export.tokens import model_ids

__all__ = ["EMPTY_SLOT", "Decoder", "ImageEncoder", "MaskHead", "TextEncoder", "tokens_of"]

EMPTY_SLOT = -10
"""Label of a slot without a box."""
_LEVELS = 3


class ImageEncoder(nn.Module):
    """uint8 picture to features of three strides; normalisation inside.

    With a tracker the same backbone feeds a second neck, whose features follow those of the first.
    """

    def __init__(
        self, model: nn.Module, tracker: nn.Module | None = None, *, grid: tuple[int, int], fused: bool = False
    ) -> None:
        super().__init__()
        self.clicks = None if tracker is None else ClickFeatures(tracker)
        self.backbone = (FusedBackbone if fused else PlainBackbone)(model.vision_encoder.backbone, grid)
        levels = list(model.vision_encoder.neck.fpn_layers)[:_LEVELS]
        self.levels = nn.ModuleList(folded_level(level) for level in levels)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(3, H, W) uint8 RGB -> fpn_0, fpn_1, fpn_2 of strides 3.5, 7 and 14 (at patch size 14)."""
        grid = self.backbone(image.to(torch.float32)[None] / 127.5 - 1)
        features = tuple(level(grid) for level in self.levels)
        return features if self.clicks is None else (*features, *self.clicks(grid))


class TextEncoder(nn.Module):
    """CLIP tokens to the features of prompts."""

    def __init__(self, model: nn.Module, *, pad: int, remap: torch.Tensor | None) -> None:
        super().__init__()
        self.encoder = model.text_encoder
        self.projection = model.text_projection
        self.pad = pad
        self.register_buffer("remap", remap)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(P, 32) int64 -> text_features (P, 32, C), text_mask (P, 32), True for real tokens."""
        mask = tokens != self.pad
        ids = model_ids(tokens, mask, self.remap)
        hidden = self.encoder(input_ids=ids, attention_mask=mask.to(torch.int64)).last_hidden_state
        return self.projection(hidden), mask


class Decoder(nn.Module):
    """Features of one picture and P prompts to scores, boxes and masks.

    It runs the model's own layers, in the order of `Sam3Model.forward`, with the
    picture's features shared by all prompts and the attention masks written out. The
    geometry encoder's CLS token attends for every prompt, boxes or not, as in Meta's code.
    """

    def __init__(self, model: nn.Module, grid: tuple[int, int], *, fused: bool = False) -> None:
        super().__init__()
        self.geometry = model.geometry_encoder
        layers = model.detr_encoder.layers
        self.layers = nn.ModuleList(with_fused_self_attention(layer) for layer in layers) if fused else layers
        self.decoder = model.detr_decoder
        self.scoring = model.dot_product_scoring
        self.masks = MaskHead(model.mask_decoder)
        self.grid = grid
        width = model.config.detr_encoder_config.hidden_size
        places = model.vision_encoder.neck.position_encoding((1, width, *grid), torch.device("cpu"), torch.float32)
        self.register_buffer("places", places.flatten(2).transpose(1, 2).contiguous())

    def forward(
        self,
        fpn_0: torch.Tensor,
        fpn_1: torch.Tensor,
        fpn_2: torch.Tensor,
        text_features: torch.Tensor,
        text_mask: torch.Tensor,
        boxes: torch.Tensor,
        box_labels: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """See docs/native-bundle.md for shapes: -> logits, presence, boxes_xyxy, masks."""
        tokens, prompt, mask = self.prompted(fpn_2, text_features, text_mask, boxes, box_labels)
        return self.heads((fpn_0, fpn_1), tokens, self.places, prompt, mask)

    def prompted(
        self,
        coarse: torch.Tensor,
        text_features: torch.Tensor,
        text_mask: torch.Tensor,
        boxes: torch.Tensor,
        box_labels: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The picture's tokens, and the features of each prompt: (1, h * w, C), (P, L, C), (P, L)."""
        shown, shown_mask = self.exemplars(coarse, boxes, box_labels)
        return tokens_of(coarse), torch.cat([text_features, shown], 1), torch.cat([text_mask, shown_mask], 1)

    def heads(
        self,
        levels: tuple[torch.Tensor, torch.Tensor],
        tokens: torch.Tensor,
        places: torch.Tensor,
        prompt: torch.Tensor,
        mask: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Answers finished prompts.

        Args:
            levels: fpn_0 and fpn_1.
            tokens: (1, h * w, C) the coarsest features.
            places: Their position encoding, (1, h * w, C).
            prompt: (P, L, C) features of words and boxes.
            mask: (P, L) True where there is one.

        Returns:
            logits, presence, boxes_xyxy, masks.
        """
        *answers, picture, queries = self.detect(tokens, places, prompt, mask)
        return *answers, self.masks(*levels, picture, queries)

    def detect(
        self, tokens: torch.Tensor, places: torch.Tensor, prompt: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """All answers but the masks, and what the mask head needs for those.

        Returns:
            logits, presence, boxes_xyxy, (P, C, h, w) the picture as the prompt sees it, (P, Q, C) queries.
        """
        return self.find(self.fuse(tokens, places, prompt, mask), places, prompt, mask)

    def fuse(
        self, tokens: torch.Tensor, places: torch.Tensor, prompt: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """`Sam3DetrEncoder.forward`: the picture's tokens as each prompt sees them, (P, h * w, C).

        In the first layer the picture attends to itself before it has seen a prompt: once for all of them.
        """
        hidden = _hidden(mask)
        for index, layer in enumerate(self.layers):
            tokens = _look_around(layer, tokens, places)
            tokens = tokens.expand(prompt.shape[0], -1, -1) if index == 0 else tokens
            tokens = _look_at_prompt(layer, tokens, prompt, hidden)
        return tokens

    def find(
        self, fused: torch.Tensor, places: torch.Tensor, prompt: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Answers from what `fuse` made; returns the same as `detect`."""
        hidden = _hidden(mask)
        queries, references, presence = self._queries(fused, places, prompt, hidden)
        logits = self.scoring(queries[None], prompt, mask)[0, ..., 0]
        offsets = self.decoder.box_head(queries)
        found = box_cxcywh_to_xyxy((inverse_sigmoid(references) + offsets).sigmoid())
        attended, _ = self.masks.look(self.masks.look_norm(fused), prompt, prompt, hidden)
        picture = (fused + attended).transpose(1, 2).reshape(fused.shape[0], -1, *self.grid)
        return logits, presence, found, picture, queries

    def exemplars(
        self, coarse: torch.Tensor, boxes: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`Sam3GeometryEncoder.forward`, with one RoIAlign for the boxes of all prompts.

        Returns:
            (P, N + 1, C) features of the slots and of the CLS token behind them, (P, N + 1) True where there is one.
        """
        geometry = self.geometry
        prompts, slots = boxes.shape[:2]
        tokens = tokens_of(coarse).expand(prompts, -1, -1)
        normed = geometry.vision_layer_norm(coarse.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        height, width = self.grid
        flat = boxes.reshape(-1, 4)
        cells = box_cxcywh_to_xyxy(flat) * torch.tensor([width, height, width, height], dtype=torch.float32)
        pooled = geometry.boxes_pool_project(roi_align_one(normed, cells, geometry.roi_size))
        x, y, w, h = flat.unbind(-1)
        embedded = geometry.boxes_direct_project(flat) + pooled.flatten(1)
        embedded = embedded + geometry.boxes_pos_enc_project(geometry._encode_box_coordinates(x, y, w, h))  # noqa: SLF001 - the model's own step
        embedded = embedded + geometry.label_embed(labels.reshape(-1).clamp(min=0))
        embedded = embedded.reshape(prompts, slots, -1)
        real = labels != EMPTY_SLOT
        # The reference moves empty slots behind the CLS token; attention does not depend on the order.
        embedded = torch.cat([embedded, geometry.cls_embed.weight.expand(prompts, 1, -1)], 1)
        mask = torch.cat([real, real.new_ones(prompts, 1)], 1)
        embedded = geometry.prompt_layer_norm(geometry.final_proj(embedded))
        hidden = _hidden(mask)
        for layer in geometry.layers:
            embedded = layer(embedded, tokens, self.places, hidden)
        return geometry.output_layer_norm(embedded), mask

    def _queries(
        self, tokens: torch.Tensor, places: torch.Tensor, prompt: torch.Tensor, hidden: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`Sam3DetrDecoder.forward`: the last layer's queries, its reference boxes, the presence logit."""
        decoder = self.decoder
        prompts = tokens.shape[0]
        references = decoder.reference_points.weight.sigmoid().expand(prompts, -1, -1)
        state = torch.cat([decoder.presence_token.weight, decoder.query_embed.weight]).expand(prompts, -1, -1)
        last = len(decoder.layers) - 1
        for index, layer in enumerate(decoder.layers):
            where = decoder.ref_point_head(decoder.position_encoding.encode_boxes(references))
            bias = functional.pad(decoder._get_rpb_matrix(references, self.grid), (0, 0, 1, 0))  # noqa: SLF001 - the model's own step
            state = layer(
                state,
                query_pos=where,
                text_features=prompt,
                vision_features=tokens,
                vision_pos_encoding=places,
                text_cross_attn_mask=hidden,
                vision_cross_attn_mask=bias,
            )
            queries = decoder.output_layer_norm(state[:, 1:])
            if index < last:
                references = (decoder.box_head(queries) + inverse_sigmoid(references)).sigmoid()
        presence = decoder.presence_head(decoder.presence_layer_norm(state[:, :1])).squeeze(-1)
        limit = decoder.clamp_presence_logit_max_val
        return queries, references, presence.clamp(-limit, limit)


class MaskHead(nn.Module):
    """`Sam3MaskDecoder` without its semantic head, from where it has looked at the prompt."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.look, self.look_norm = head.prompt_cross_attn, head.prompt_cross_attn_norm
        self.embed, self.project, self.refine = head.mask_embedder, head.instance_projection, head.pixel_decoder

    def forward(
        self, fpn_0: torch.Tensor, fpn_1: torch.Tensor, mask_features: torch.Tensor, mask_queries: torch.Tensor
    ) -> torch.Tensor:
        """(1, C, 4h, 4w), (1, C, 2h, 2w), (P, C, h, w), (P, Q, C) -> (P, Q, 4h, 4w) logits."""
        pixels = self.project(self.refine([fpn_0, fpn_1, mask_features]))
        return torch.einsum("pqc,pchw->pqhw", self.embed(mask_queries), pixels)


def tokens_of(coarse: torch.Tensor) -> torch.Tensor:
    """(1, C, h, w) features of a picture as (1, h * w, C) tokens."""
    return coarse.flatten(2).transpose(1, 2)


def _hidden(mask: torch.Tensor) -> torch.Tensor:
    """(P, L) True where there is something -> (P, 1, 1, L) what is added to the scores of attention."""
    return (~mask)[:, None, None, :] * torch.finfo(torch.float32).min


def _look_around(layer: nn.Module, tokens: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The first third of `Sam3DetrEncoderLayer.forward`: the picture attends to itself."""
    normed = layer.layer_norm1(tokens)
    placed = normed + places
    attended, _ = layer.self_attn(query=placed, key=placed, value=normed)
    return attended + tokens


def _look_at_prompt(layer: nn.Module, tokens: torch.Tensor, prompt: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """The other two thirds: the picture attends to the prompt, and each token is thought over."""
    attended, _ = layer.cross_attn(query=layer.layer_norm2(tokens), key=prompt, value=prompt, attention_mask=hidden)
    tokens = attended + tokens
    return layer.mlp(layer.layer_norm3(tokens)) + tokens
