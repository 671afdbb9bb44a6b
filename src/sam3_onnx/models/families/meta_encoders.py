"""The encoders that families A, B and C share: exports of Meta's own code, told apart by their decoders alone.

The image encoder takes uint8 without a batch; text features have the sequence first; the attention
mask is True where a token is padding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sam3_onnx.models.families.answers import Expected, ask, bools, fit, floats, taken_by
from sam3_onnx.models.families.published import PublishedExport
from sam3_onnx.prompts.tokenizer import pad

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Arrays, Query
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["DECODER_INPUTS", "MetaExport", "encoder_role", "single_box"]

_FEATURES = ("backbone_fpn_0", "backbone_fpn_1", "backbone_fpn_2")
_CONSTANTS = ("vision_pos_enc_0", "vision_pos_enc_1", "vision_pos_enc_2")
_TEXT = {
    "text_attention_mask": "language_mask",
    "text_memory": "language_features",
    "text_embeds": "language_embeds",
}
"""What the text encoder calls its answers, and the decoder its inputs."""
_TEXT_SHAPES = {
    "text_attention_mask": bools(1, "T"),
    "text_memory": floats("T", 1, "?"),
    "text_embeds": floats("T", 1, "?"),
}
_PAD = 0
"""The graph takes tokens != 0 for real ones: no other filling would do."""

DECODER_INPUTS = frozenset((*_FEATURES, "language_mask", "language_features", "box_coords", "box_labels", "box_masks"))
"""What every decoder of these families takes."""


def encoder_role(graph: GraphInfo) -> str | None:
    """Whether a graph is one of the two encoders."""
    ins, outs = graph.inputs, graph.outputs
    if set(ins) == {"image"} and set(_FEATURES) <= set(outs) and len(ins["image"].shape) == 3:  # noqa: PLR2004 - (3, H, W)
        return "image_encoder"
    if set(ins) == {"tokens"} and {"text_attention_mask", "text_memory"} <= set(outs):
        return "text_encoder"
    return None


class MetaExport(PublishedExport):
    """What families A, B and C have in common; each adds its decoder."""

    constants: ClassVar[tuple[str, ...]] = _CONSTANTS

    def encode_text(self, tokens: Sequence[Sequence[int]], *, cancel: threading.Event | None) -> list[Arrays]:
        """Features of each prompt, one run each; see `Family.encode_text`."""
        model = self.models["text_encoder"]
        taken = self._taken_of_text()
        wanted = {name: self._expected_of_text()[told] for name, told in taken.items()}
        features: list[Arrays] = []
        for ids in tokens:
            answers = ask(model, wanted, {"tokens": pad([ids], pad_id=_PAD)}, cancel=cancel)
            features.append(dict(zip(taken.values(), answers, strict=True)))
        return features

    def are_of_text(self, features: Arrays) -> bool:
        """Returns whether arrays can be features of a prompt; see `Family.are_of_text`."""
        return fit(features, self._expected_of_text())

    def _expected_of_text(self) -> dict[str, Expected]:
        """Shapes of the text features, by the names that the decoder has for them."""
        decoder = self.models["decoder"].graph
        return {told: taken_by(decoder, told, _TEXT_SHAPES[name]) for name, told in self._taken_of_text().items()}

    def _taken_of_text(self) -> dict[str, str]:
        """Names of the text encoder for what the decoder takes, with those of the decoder."""
        outputs, inputs = self.models["text_encoder"].graph.outputs, self.models["decoder"].graph.inputs
        return {name: told for name, told in _TEXT.items() if name in outputs and told in inputs}

    def _decode(
        self,
        outputs: Mapping[str, Expected],
        picture: Arrays,
        query: Query,
        prompt: Arrays,
        cancel: threading.Event | None,
        *,
        sizes: Mapping[str, int] | None = None,
        cells: tuple[int, int] | None = None,
    ) -> list[NDArray[Any]]:
        """Runs the decoder on a picture that is ready for it, a query's words, and what else the prompt consists of."""
        model = self.models["decoder"]
        feeds = {**picture, **query.text, **prompt}
        return ask(model, outputs, feeds, cancel=cancel, sizes=sizes, cells=cells)


def single_box(query: Query) -> Arrays:
    """The one box slot of families A and B; a mask of True says that it is empty."""
    empty = not len(query.boxes)
    box = np.zeros((1, 1, 4), np.float32) if empty else query.boxes[:1, None]
    label = np.ones((1, 1), np.int64) if empty else query.labels[:1, None]
    return {"box_coords": box, "box_labels": label, "box_masks": np.full((1, 1), empty)}
