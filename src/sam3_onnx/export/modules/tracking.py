"""The track head of a native bundle as PyTorch modules around transformers' `Sam3TrackerVideoModel`."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from sam3_onnx.export.modules.memory import without_memory

__all__ = ["MaskPrompt", "TrackDecoder"]

_NO_POINT = -1
_EMPTY_SLOT = -10
_NO_OBJECT = -1024.0
"""`NO_OBJ_SCORE`: what a mask holds everywhere where its object is not on the frame."""


class TrackDecoder(nn.Module):
    """A frame as objects see it, and what was pointed at, to masks of all four kinds: `_single_frame_forward`.

    Which of the four masks counts depends on the prompts and on their scores, and is the caller's choice.
    """

    def __init__(self, tracker: nn.Module, grid: tuple[int, int], size: tuple[int, int]) -> None:
        super().__init__()
        self.prompts, self.decoder = tracker.prompt_encoder, tracker.mask_decoder
        self.pointer, self.no_pointer = tracker.object_pointer_proj, tracker.no_object_pointer
        height, width = grid
        down, across = (torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width
        centres = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1)
        with torch.no_grad():
            places = tracker.shared_image_embedding(centres).permute(2, 0, 1)[None]
        self.register_buffer("places", places.contiguous())
        self.register_buffer("half_pixel", torch.tensor([0.5 / size[1], 0.5 / size[0]]))

    def forward(
        self,
        click_0: torch.Tensor,
        click_1: torch.Tensor,
        features: torch.Tensor,
        points: torch.Tensor,
        point_labels: torch.Tensor,
        mask_prompt: torch.Tensor,
        has_mask: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """See docs/native-bundle.md for shapes: -> masks, ious, pointers, object_logits."""
        shown = self.embedded(points, point_labels)
        masks, ious, answers, present = self.decode((click_0, click_1), features, shown, mask_prompt, has_mask)
        masks = torch.where(present[..., None, None] > 0, masks, _NO_OBJECT)
        return masks, ious, self.pointers(answers, present > 0), present

    def decode(
        self,
        levels: tuple[torch.Tensor, torch.Tensor],
        features: torch.Tensor,
        shown: torch.Tensor,
        mask_prompt: torch.Tensor,
        has_mask: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Answers as if every object were on the frame, `Sam3TrackerVideoMaskDecoder.forward`.

        Args:
            levels: click_0 and click_1.
            features: (K, C, h, w).
            shown: From `embedded`.
            mask_prompt: (K, 1, 4h, 4w).
            has_mask: (K,) False where the mask prompt is none.

        Returns:
            (K, 4, 4h, 4w) logits, (K, 4) expected IoUs, (K, 4, C) what became of the tokens of the masks, (K, 1) logits
            that the object is there.
        """
        decoder = self.decoder
        whole = self.prompts.no_mask_embed.weight.reshape(1, -1, 1, 1)
        dense = torch.where(has_mask[:, None, None, None], self.prompts.mask_embed(mask_prompt), whole)
        own = torch.cat([decoder.obj_score_token.weight, decoder.iou_token.weight, decoder.mask_tokens.weight])
        tokens = torch.cat([own.expand(features.shape[0], -1, -1), shown], 1)[:, None]
        tokens, picture = decoder.transformer(
            point_embeddings=tokens,
            image_embeddings=features + dense,
            image_positional_embeddings=self.places.expand(features.shape[0], -1, -1, -1),
            attention_similarity=None,
        )
        tokens, picture = tokens[:, 0], picture[:, 0].transpose(1, 2).unflatten(2, features.shape[2:])
        fine = decoder.activation(decoder.upscale_layer_norm(decoder.upscale_conv1(picture) + levels[1]))
        fine = decoder.activation(decoder.upscale_conv2(fine) + levels[0])
        answers = tokens[:, 2 : 2 + decoder.num_mask_tokens]
        heads = enumerate(decoder.output_hypernetworks_mlps)
        weights = torch.stack([head(answers[:, index]) for index, head in heads], 1)
        masks = (weights @ fine.flatten(2)).unflatten(2, fine.shape[2:])
        return masks, decoder.iou_prediction_head(tokens[:, 1]), answers, decoder.pred_obj_score_head(tokens[:, 0])

    def pointers(self, answers: torch.Tensor, is_there: torch.Tensor) -> torch.Tensor:
        """(K, 4, C) tokens and (K, 1) whether the object is there -> (K, 4, C) what is remembered of them."""
        return torch.where(is_there[..., None], self.pointer(answers), self.no_pointer)

    def embedded(self, points: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(K, Q, 2) and (K, Q) -> (K, Q + 1, C): the reference ends its list with a point that is none."""
        labels = functional.pad(labels, (0, 1), value=_NO_POINT)
        where = functional.pad(points + self.half_pixel, (0, 0, 0, 1))
        known, empty = (labels >= 0)[..., None], (labels == _EMPTY_SLOT)[..., None]
        embedded = torch.where(known, self.prompts.shared_embedding(where), self.prompts.not_a_point_embed.weight)
        embedded = embedded + self.prompts.point_embed(labels.clamp(min=0)) * known
        return torch.where(empty, 0.0, embedded)


class MaskPrompt(nn.Module):
    """Masks as the track decoder takes them, and the frame without the no-memory embedding: `_use_mask_as_output`."""

    def __init__(self, tracker: nn.Module, grid: tuple[int, int]) -> None:
        super().__init__()
        self.downsample, self.size = tracker.mask_downsample, (4 * grid[0], 4 * grid[1])
        self.register_buffer("no_memory", without_memory(tracker))

    def forward(self, click_2: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(1, C, h, w), (K, 1, H, W) 0 or 1 -> features (1, C, h, w), mask_prompt (K, 1, 4h, 4w)."""
        smaller = functional.interpolate(self.downsample(masks), size=self.size, mode="bilinear", align_corners=False)
        return click_2 - self.no_memory, smaller
