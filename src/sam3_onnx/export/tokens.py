"""Prompts as a model's text encoder takes them: their length, their filling, and whose ids they use.

As `Sam3Processor` of transformers has it: 32 ids, filled with the end token, with a mask that says which are real.
What a contract fills with is another matter; graphs put the end token in its place. SAM 3's own text encoder looks
back only, so that its filling does not matter; SAM3-LiteText convolves neighbours, so that it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from sam3_onnx.prompts.tokenizer import ClipTokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["compact_remap", "example_tokens", "model_ids", "token_rows"]

_FILLER = ClipTokenizer.END
"""`pad_token` of transformers' `CLIPTokenizer`."""


def token_rows(words: Sequence[Sequence[int]], *, pad: int) -> NDArray[np.int64]:
    """(P, 32) ids of prompts with start, end and a contract's filling."""
    rows = np.full((len(words), ClipTokenizer.CONTEXT), pad, np.int64)
    for row, ids in zip(rows, words, strict=True):
        row[: len(ids) + 2] = [ClipTokenizer.START, *ids, ClipTokenizer.END]
    return rows


def example_tokens(*, prompts: int, pad: int) -> torch.Tensor:
    """(prompts, 32) ids that a text encoder is traced with."""
    return torch.from_numpy(token_rows([[320]] * prompts, pad=pad))


def model_ids(tokens: torch.Tensor, real: torch.Tensor, remap: torch.Tensor | None) -> torch.Tensor:
    """CLIP's ids as those of the model's own table, filled as the model expects it.

    Args:
        tokens: (P, 32) int64, with any filling.
        real: (P, 32) bool, False for the filling.
        remap: (49408,) ids of the model's own, smaller table, if it has one.
    """
    filled = torch.where(real, tokens, _FILLER)
    return filled if remap is None else remap[filled].to(torch.int64)


def compact_remap(remap: torch.Tensor | None) -> torch.Tensor | None:
    """A table of token ids in the smallest dtype that is needed."""
    if remap is None:
        return None
    return remap.to(torch.int32 if int(remap.max()) > torch.iinfo(torch.uint8).max else torch.uint8)
