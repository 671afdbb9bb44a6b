"""Family A: the six files of X-AnyLabeling v3.0.0, samexporter 0.4 and wkentaro/sam3-onnx-models v0.1 and v0.2.

The decoder takes one box, answers at the picture's own size, and cuts scores at 0.5 in the graph.
Exports of Meta's own code have the side they were traced with, 1008, baked into their boxes; they
are known by boxes that do not depend on the picture's size, and are put right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.families.base import Arrays, Capabilities, Defaults, Detections, Query
from sam3_onnx.families.heads import require_finite
from sam3_onnx.masks import PackedMask
from sam3_onnx.tokenizer import pad

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.runtime import GraphInfo, OnnxModel

__all__ = ["SixFileFamily"]

_FEATURES = ("backbone_fpn_0", "backbone_fpn_1", "backbone_fpn_2")
_PLACES = "vision_pos_enc_2"
_TRACED_SIDE = 1008
_PAD = 0


class SixFileFamily:
    """Runs the graphs of family A."""

    name = "six-file"

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this family a graph is, if any."""
        ins, outs = graph.inputs, graph.outputs
        if set(ins) == {"image"} and {*_FEATURES, _PLACES} <= set(outs) and len(ins["image"].shape) == 3:  # noqa: PLR2004 - (3, H, W)
            return "image_encoder"
        if set(ins) == {"tokens"} and {"text_attention_mask", "text_memory"} <= set(outs):
            return "text_encoder"
        asked = {*_FEATURES, "language_mask", "language_features", "box_coords", "box_labels", "box_masks"}
        if asked | {"original_height", "original_width"} <= set(ins) and {"boxes", "scores", "masks"} <= set(outs):
            return "decoder"
        return None

    def __init__(self, models: Mapping[str, OnnxModel]) -> None:
        self.models = models
        shape = models["image_encoder"].graph.inputs["image"].shape
        self._input_size = (shape[1] or _TRACED_SIDE, shape[2] or _TRACED_SIDE)
        decoder = models["decoder"].graph
        self._boxes_are_traced = "original_width" not in decoder.depends_on("boxes")
        self._places: NDArray[np.generic] | None = None

    @property
    def capabilities(self) -> Capabilities:
        """One box, nothing at or below 0.5."""
        return Capabilities(family=self.name, input_size=self._input_size, max_boxes=1, lowest_threshold=0.5)

    @property
    def defaults(self) -> Defaults:
        """The reference's own behaviour."""
        return Defaults()

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        """Features of a picture (3, H, W) uint8 RGB; see `Family.encode_image`.

        The position encoding is the same for every picture: it is taken once and kept here.
        """
        model = self.models["image_encoder"]
        wanted = _FEATURES if self._places is not None else (*_FEATURES, _PLACES)
        answers = dict(zip(wanted, model.run(wanted, {"image": pixels}, cancel=cancel), strict=True))
        for name, values in answers.items():
            require_finite(name, values)  # the decoder cuts NaN away with the low scores
        if _PLACES in answers:
            self._places = answers.pop(_PLACES)
        return answers

    def encode_text(self, tokens: Sequence[Sequence[int]], *, cancel: threading.Event | None) -> list[Arrays]:
        """Features of each prompt, one run each; see `Family.encode_text`."""
        model = self.models["text_encoder"]
        dtype = model.graph.inputs["tokens"].dtype
        features: list[Arrays] = []
        for ids in tokens:
            row = pad([ids], pad_id=_PAD).astype(dtype)
            mask, memory = model.run(("text_attention_mask", "text_memory"), {"tokens": row}, cancel=cancel)
            require_finite("text_memory", memory)
            features.append({"language_mask": mask, "language_features": memory})
        return features

    def detect(
        self,
        picture: Arrays,
        queries: Sequence[Query],
        *,
        size: tuple[int, int],
        threshold: float,
        cancel: threading.Event | None,
    ) -> list[Detections]:
        """One run of the decoder per prompt; see `Family.detect`."""
        return [self._detect_one(picture, query, size, threshold, cancel) for query in queries]

    def _detect_one(
        self, picture: Arrays, query: Query, size: tuple[int, int], threshold: float, cancel: threading.Event | None
    ) -> Detections:
        model = self.models["decoder"]
        feeds = {**picture, **query.text, **self._box_inputs(query), **self._size_inputs(size)}
        if self._places is not None:
            feeds[_PLACES] = self._places
        boxes, scores, masks = model.run(("boxes", "scores", "masks"), feeds, cancel=cancel)
        require_finite("scores", scores)
        require_finite("boxes", boxes)
        kept = np.flatnonzero(scores > threshold)
        if self._boxes_are_traced:
            height, width = size
            boxes = boxes * (np.array([width, height, width, height], np.float32) / _TRACED_SIDE)
        sources = [PackedMask.pack(masks[query_index, 0]) for query_index in kept]
        return Detections(scores[kept].astype(np.float32), boxes[kept].astype(np.float32), sources)

    def _box_inputs(self, query: Query) -> Arrays:
        labels_dtype = self.models["decoder"].graph.inputs["box_labels"].dtype
        empty = not len(query.boxes)
        box = np.zeros((1, 1, 4), np.float32) if empty else query.boxes[:1, None].astype(np.float32)
        label = np.ones((1, 1), labels_dtype) if empty else query.labels[:1, None].astype(labels_dtype)
        return {"box_coords": box, "box_labels": label, "box_masks": np.full((1, 1), empty)}

    def _size_inputs(self, size: tuple[int, int]) -> Arrays:
        inputs = self.models["decoder"].graph.inputs
        named = {"original_height": size[0], "original_width": size[1]}
        return {
            name: np.full(tuple(1 for _ in inputs[name].shape), value, inputs[name].dtype)
            for name, value in named.items()
        }
