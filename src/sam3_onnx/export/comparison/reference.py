"""The answers of the PyTorch model itself, and the picture that it is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from sam3_onnx.export.tokens import model_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

__all__ = ["Reference", "input_size", "noise_picture", "score"]


def input_size(model: nn.Module) -> tuple[int, int]:
    """(height, width) that a model stretches pictures to."""
    side = model.config.vision_config.backbone_config.image_size
    return (side, side) if isinstance(side, int) else (side[0], side[1])


def noise_picture(model: nn.Module) -> NDArray[np.uint8]:
    """(3, H, W): noise with a darker rectangle, of the model's input size."""
    height, width = input_size(model)
    image = np.random.default_rng(0).integers(0, 256, (3, height, width), dtype=np.uint8)
    image[:, height // 4 : height // 2, width // 4 : width // 2] //= 4
    return image


def score(logits: NDArray[np.float32], presence: NDArray[np.float32]) -> NDArray[np.float32]:
    """(P, Q) scores: sigmoid of the queries' logits times that of the prompts' presence."""
    found: NDArray[np.float32] = 1 / (1 + np.exp(-logits)) / (1 + np.exp(-presence))
    return found


class Reference:
    """The PyTorch model through its own `forward`, with one picture encoded."""

    def __init__(self, model: nn.Module, image: NDArray[np.uint8], remap: torch.Tensor | None, pad: int) -> None:
        self.model, self.remap, self.pad = model, remap, pad
        with torch.no_grad():
            self.vision = model.get_vision_features(torch.from_numpy(image).float()[None] / 127.5 - 1)

    def ask(
        self, tokens: NDArray[np.int64], boxes: NDArray[np.float32], labels: NDArray[np.int64]
    ) -> list[NDArray[np.float32]]:
        """Logits, presence, boxes, masks."""
        ids = torch.from_numpy(tokens)
        real = ids != self.pad
        vision = type(self.vision)(
            fpn_hidden_states=self._for_each(self.vision.fpn_hidden_states, len(ids)),
            fpn_position_encoding=self._for_each(self.vision.fpn_position_encoding, len(ids)),
        )
        with torch.no_grad():
            answer = self.model(
                vision_embeds=vision,
                input_ids=model_ids(ids, real, self.remap),
                attention_mask=real.long(),
                input_boxes=torch.from_numpy(boxes),
                input_boxes_labels=torch.from_numpy(labels),
            )
        return [
            head.numpy() for head in (answer.pred_logits, answer.presence_logits, answer.pred_boxes, answer.pred_masks)
        ]

    @staticmethod
    def _for_each(levels: Sequence[torch.Tensor], prompts: int) -> tuple[torch.Tensor, ...]:
        return tuple(level.expand(prompts, -1, -1, -1) for level in levels)
