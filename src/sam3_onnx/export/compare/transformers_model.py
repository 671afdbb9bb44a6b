"""Answers of a transformers model, from the picture to instances in its pixels.

The model is asked, and its answers are read, as Meta's own `Sam3Processor` does (`sam3/model/sam3_image_processor.py`
of github.com/facebookresearch/sam3), and as a session does. transformers' processor differs in two points, which have
nothing to do with an export: a question without boxes leaves out the geometry encoder, whose token Meta's code keeps;
and masks are resized after the sigmoid and not before it. The picture is resized by the function of PyTorch that both
use, on uint8 with antialiasing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from sam3_onnx.export.comparison.reference import input_size
from sam3_onnx.export.tokens import model_ids, token_rows
from sam3_onnx.prompts.tokenizer import ClipTokenizer, load_tokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

__all__ = ["Found", "TransformersModel"]

_EMPTY_SLOT = -10
"""Label of a slot that holds no box: the padding value of `Sam3Processor`."""


@dataclass(frozen=True)
class Found:
    """Instances of one word, in pixels of the picture."""

    scores: NDArray[np.float32]
    """(K,)"""
    boxes: NDArray[np.float32]
    """(K, 4) x1, y1, x2, y2."""
    masks: NDArray[np.bool_]
    """(K, H, W)"""


class TransformersModel:
    """A model that is asked about one picture after another."""

    def __init__(self, model: nn.Module, *, token_remap: torch.Tensor | None = None) -> None:
        """Takes a model, and for one with a smaller table of tokens the ids in it of CLIP's."""
        self._model, self._remap = model.eval(), token_remap

    def encode(self, image: NDArray[np.uint8]) -> object:
        """Returns the features of a picture (H, W, 3) uint8 RGB."""
        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
        resized = torch.nn.functional.interpolate(
            pixels, size=input_size(self._model), mode="bilinear", align_corners=False, antialias=True
        )
        with torch.no_grad():
            return self._model.get_vision_features(resized.float() / 127.5 - 1)

    def ask(self, vision: object, word: str, *, size: tuple[int, int], threshold: float) -> Found:
        """Returns the instances of a word with a score above a threshold.

        Args:
            vision: What `encode` returned.
            word: The prompt.
            size: (height, width) of the picture.
            threshold: In 0..1.
        """
        ids = load_tokenizer().encode(word)
        tokens = torch.from_numpy(token_rows([ids[1:-1]], pad=ClipTokenizer.END))
        real = torch.arange(tokens.shape[1])[None] < len(ids)
        with torch.no_grad():
            answer = self._model(
                vision_embeds=vision,
                input_ids=model_ids(tokens, real, self._remap),
                attention_mask=real.long(),
                input_boxes=torch.zeros(1, 1, 4),
                input_boxes_labels=torch.full((1, 1), _EMPTY_SLOT),
            )
            scores = answer.pred_logits[0].sigmoid() * answer.presence_logits[0].sigmoid()
            kept = scores > threshold
            height, width = size
            boxes = answer.pred_boxes[0][kept].clamp(0, 1) * torch.tensor([width, height, width, height])
            masks = _resized(answer.pred_masks[0][kept], size) > 0
        return Found(scores[kept].numpy(), boxes.numpy(), masks.numpy())


def _resized(masks: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if not len(masks):
        return torch.zeros((0, *size))
    return torch.nn.functional.interpolate(masks[None], size=size, mode="bilinear", align_corners=False)[0]
