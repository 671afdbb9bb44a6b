"""The click head of a native bundle as PyTorch modules around one of transformers' trackers."""

from __future__ import annotations

import torch
from torch import nn

from sam3_onnx.errors import TrackerMismatchError
from sam3_onnx.export.modules.memory import has_memory, without_memory
from sam3_onnx.export.modules.neck import folded_level

__all__ = ["ClickDecoder", "ClickFeatures", "require_shared_backbone"]

_LEVELS = 3
_NO_POINT = -1


def require_shared_backbone(model: nn.Module, tracker: nn.Module) -> None:
    """Makes sure that one backbone can serve words and clicks.

    Raises:
        TrackerMismatchError: The tracker's backbone has other weights than the model's.
    """
    mine = model.vision_encoder.backbone.state_dict()
    theirs = tracker.vision_encoder.backbone.state_dict()
    other = [name for name in mine if name not in theirs or not torch.equal(mine[name], theirs[name])]
    if other or len(mine) != len(theirs):
        raise TrackerMismatchError(differs=other[0] if other else "the number of layers")


class ClickFeatures(nn.Module):
    """The backbone's grid to the tracker's features of three strides, its `get_image_embeddings`."""

    def __init__(self, tracker: nn.Module) -> None:
        super().__init__()
        levels = list(tracker.vision_encoder.neck.fpn_layers)
        head = tracker.mask_decoder
        behind: tuple[tuple[nn.Module, ...], ...] = ((head.conv_s0,), (head.conv_s1,), ())
        self.levels = nn.ModuleList(
            folded_level(level, *more) for level, more in zip(levels[:_LEVELS], behind, strict=True)
        )
        # Sam3TrackerModel adds it to the last level; where there is a fourth, that one is never looked at
        is_added = has_memory(tracker) or len(levels) == _LEVELS
        self.register_buffer("last", without_memory(tracker) if is_added else torch.zeros(1, 1, 1, 1))

    def forward(self, grid: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(1, D, h, w) -> click_0 (1, C/8, 4h, 4w), click_1 (1, C/4, 2h, 2w), click_2 (1, C, h, w)."""
        fine, middle, coarse = (level(grid) for level in self.levels)
        return fine, middle, coarse + self.last


class ClickDecoder(nn.Module):
    """Features of one picture and the clicks on one object to masks.

    The reference ends its list of points, a box's corners among them, with one that is none; so do
    the points here.
    """

    def __init__(self, tracker: nn.Module, grid: tuple[int, int], size: tuple[int, int]) -> None:
        super().__init__()
        self.prompts = tracker.prompt_encoder
        self.decoder = tracker.mask_decoder
        height, width = grid
        down = (torch.arange(height) + 0.5) / height
        across = (torch.arange(width) + 0.5) / width
        centres = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1)
        with torch.no_grad():
            places = tracker.shared_image_embedding(centres).permute(2, 0, 1)[None]
        self.register_buffer("places", places.contiguous())
        self.register_buffer("half_pixel", torch.tensor([0.5 / size[1], 0.5 / size[0]]))

    def forward(
        self,
        click_0: torch.Tensor,
        click_1: torch.Tensor,
        click_2: torch.Tensor,
        points: torch.Tensor,
        point_labels: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """See docs/native-bundle.md for shapes: -> ious, masks, object_logit."""
        nowhere = torch.tensor([_NO_POINT])
        labels = torch.cat([point_labels, nowhere])
        where = torch.cat([points + self.half_pixel, torch.zeros(1, 2)])
        embedded = self.prompts.shared_embedding(where)
        known = (labels >= 0)[:, None]
        embedded = torch.where(known, embedded, self.prompts.not_a_point_embed.weight)
        embedded = embedded + self.prompts.point_embed(labels.clamp(min=0)) * known
        dense = self.prompts.no_mask_embed.weight.reshape(1, -1, 1, 1)
        masks, ious, _, present = self.decoder(
            image_embeddings=click_2,
            image_positional_embeddings=self.places,
            sparse_prompt_embeddings=embedded[None, None],
            dense_prompt_embeddings=dense,
            multimask_output=True,
            high_resolution_features=[click_0, click_1],
        )
        return ious[0, 0], masks[0, 0], present[0, 0]
