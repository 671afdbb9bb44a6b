"""Family E: danilobukvic/sam3-text-onnx and its mirrors. Words only; scores without presence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.models.families.answers import Expected, Output, ask, bools, fit, floats, require_boxes, taken_by
from sam3_onnx.models.families.decoding import select
from sam3_onnx.models.families.protocol import Arrays, Capabilities, Detections, Query
from sam3_onnx.models.families.published import PublishedExport
from sam3_onnx.prompts.tokenizer import ClipTokenizer, pad

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["TextOnlyFamily"]

_FEATURES = frozenset(f"fpn_hidden_state_{level}" for level in range(3))
_CONSTANTS = tuple(f"fpn_position_encoding_{level}" for level in range(4))
_HEADS = {
    "pred_logits": floats(1, "Q"),
    "pred_boxes": floats(1, "Q", 4),
    "pred_masks": floats(1, "Q", "h", "w", finite=False),
}


class TextOnlyFamily(PublishedExport):
    """Runs the graphs of family E."""

    name: ClassVar[str] = "text-only"
    constants: ClassVar[tuple[str, ...]] = _CONSTANTS

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this family a graph is, if any."""
        ins, outs = set(graph.inputs), set(graph.outputs)
        if ins == {"pixel_values"} and outs >= _FEATURES:
            return "image_encoder"
        if ins == {"input_ids", "attention_mask"} and "text_features" in outs and "text_mask" not in outs:
            return "text_encoder"
        if {*_FEATURES, "text_features", "attention_mask"} <= ins and set(_HEADS) <= outs:
            return "decoder"
        return None

    @property
    def capabilities(self) -> Capabilities:
        """Words only."""
        size = self._pictures.input_size
        return Capabilities(family=self.name, input_size=size, boxes=False, negative_boxes=False)

    def encode_text(self, tokens: Sequence[Sequence[int]], *, cancel: threading.Event | None) -> list[Arrays]:
        """Features of each prompt with its attention mask, one run each; see `Family.encode_text`."""
        model = self.models["text_encoder"]
        wanted = self._text_features()
        features: list[Arrays] = []
        for ids in tokens:
            real = (np.arange(ClipTokenizer.CONTEXT) < len(ids))[None]
            asked = {"input_ids": pad([ids], pad_id=ClipTokenizer.END), "attention_mask": real}
            (words,) = ask(model, wanted, asked, cancel=cancel)
            features.append({"text_features": words, "attention_mask": real})
        return features

    def are_of_text(self, features: Arrays) -> bool:
        """Returns whether arrays can be features of a prompt; see `Family.are_of_text`."""
        return fit(features, {**self._text_features(), "attention_mask": bools(1, "T")})

    def _text_features(self) -> dict[str, Expected]:
        return {"text_features": taken_by(self.models["decoder"].graph, "text_features", floats(1, "T", "?"))}

    def detect(
        self,
        picture: Arrays,
        queries: Sequence[Query],
        *,
        size: tuple[int, int],
        threshold: float,
        cancel: threading.Event | None,
    ) -> list[Detections]:
        """One run of the decoder per prompt; see `Family.detect`.

        Score = sigmoid(logit), as all clients of this export have it: its decoder has no presence output.
        """
        model, path = self.models["decoder"], self.models["decoder"].graph.path
        shared = self._ready(picture, cancel)
        found = []
        for query in queries:
            heads = ask(model, _HEADS, {**shared, **query.text}, cancel=cancel, cells=self._pictures.cells)
            logits, boxes, masks = (head[0] for head in heads)
            require_boxes(Output(path, "pred_boxes"), boxes)
            source = Output(path, "pred_masks")
            found.append(select(logits, None, boxes, masks, size=size, threshold=threshold, source=source))
        return found
