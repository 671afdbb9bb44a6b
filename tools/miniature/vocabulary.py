"""Which words the miniature knows, and how CLIP token ids map onto its small embedding table."""

from __future__ import annotations

import numpy as np
from world import COIN, COLORS, SHAPES

from sam3_onnx.prompts.tokenizer import ClipTokenizer, load_tokenizer

PLURALS = {
    "circle": "circles",
    "square": "squares",
    "triangle": "triangles",
    "star": "stars",
    "ellipse": "ellipses",
    "ring": "rings",
    "cross": "crosses",
    COIN: "coins",
}
ARTICLES = ("a", "the", "all")
EVERYTHING = ("shape", "shapes")
VISUAL = "visual"
WORDS = (*COLORS, *SHAPES, COIN, *PLURALS.values(), *ARTICLES, *EVERYTHING, VISUAL)

PAD, UNKNOWN, START, END = range(4)
CLIP_SIZE = 49408
CONTEXT = 12
"""Tokens of a training prompt, start and end included. The text encoder is causal and its padding
masked, so that the exported 32-token context answers the same."""


def build_remap() -> tuple[np.ndarray, int]:
    """Maps CLIP's 49408 ids onto the miniature's.

    Returns:
        An array (49408,) int64 of ids in the small table (every token that no word
        of WORDS needs is UNKNOWN), and the size of the small table.
    """
    remap = np.full(CLIP_SIZE, UNKNOWN, np.int64)
    remap[0], remap[ClipTokenizer.START], remap[ClipTokenizer.END] = PAD, START, END
    size = END + 1
    tokenizer = load_tokenizer()
    for word in WORDS:
        for token in tokenizer.encode(word)[1:-1]:
            if remap[token] == UNKNOWN:
                remap[token] = size
                size += 1
    return remap, size


class Words:
    """Turns prompts into rows of the small table's ids."""

    def __init__(self) -> None:
        self.remap, self.size = build_remap()
        self._known: dict[str, np.ndarray] = {}

    def encode(self, text: str) -> np.ndarray:
        """Returns (CONTEXT,) int64 ids of the small table, padded with PAD."""
        if text not in self._known:
            ids = self.remap[load_tokenizer().encode(text)]
            row = np.full(CONTEXT, PAD, np.int64)
            row[: len(ids)] = ids
            self._known[text] = row
        return self._known[text]
