"""Families D1 and D2: the exports of usls, rectlabel and ryouchinsa/sam3-cpp-macos.

Pictures are normalised outside the graphs, text features are batch first with a mask that is True
where a token is real. D2's decoder takes the boxes themselves; D1 has a graph of its own that
turns boxes into more prompt features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.models.families.answers import Expected, Output, ask, bools, fit, floats, require_boxes
from sam3_onnx.models.families.decoding import select
from sam3_onnx.models.families.feeds import EMPTY_SLOT, declared_size
from sam3_onnx.models.families.protocol import Arrays, Capabilities, Detections, Query
from sam3_onnx.models.families.published import PublishedExport
from sam3_onnx.prompts.tokenizer import ClipTokenizer, pad

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["BatchedFamily", "BatchedGeometryFamily"]

_FEATURES = frozenset(("fpn_feat_0", "fpn_feat_1", "fpn_feat_2"))
_PLACES = "fpn_pos_2"
_PROMPT = "prompt_features"
"""What D1's decoder takes: words, followed by what is shown in boxes."""
_HEADS = {
    "pred_logits": floats(1, "Q"),
    "presence_logits": floats(1, 1),
    "pred_boxes": floats(1, "Q", 4),
    "pred_masks": floats(1, "Q", "h", "w", finite=False),
}
_BOXES = frozenset(("input_boxes", "input_boxes_labels"))


def _encoder_role(graph: GraphInfo) -> str | None:
    ins, outs = set(graph.inputs), set(graph.outputs)
    if ins == {"images"} and {*_FEATURES, _PLACES} <= outs:
        return "image_encoder"
    if ins == {"input_ids", "attention_mask"} and {"text_features", "text_mask"} <= outs:
        return "text_encoder"
    return None


class _Batched(PublishedExport):
    """What both families share; each adds how boxes reach the decoder."""

    constants: ClassVar[tuple[str, ...]] = (_PLACES,)

    def encode_text(self, tokens: Sequence[Sequence[int]], *, cancel: threading.Event | None) -> list[Arrays]:
        """Features of each prompt, one run each; see `Family.encode_text`."""
        model, wanted = self.models["text_encoder"], self._text_features()
        features: list[Arrays] = []
        for ids in tokens:
            real = (np.arange(ClipTokenizer.CONTEXT) < len(ids))[None]
            asked = {"input_ids": pad([ids], pad_id=ClipTokenizer.END), "attention_mask": real}
            words, mask = ask(model, wanted, asked, cancel=cancel)
            features.append({"text_features": words, "text_mask": mask})
        return features

    def are_of_text(self, features: Arrays) -> bool:
        """Returns whether arrays can be features of a prompt; see `Family.are_of_text`."""
        return fit(features, self._text_features())

    def _text_features(self) -> dict[str, Expected]:
        decoder = self.models["decoder"].graph
        taken = "text_features" if "text_features" in decoder.inputs else _PROMPT
        width = declared_size(decoder, taken, -1, ranks=(3,))
        return {"text_features": floats(1, "T", width or "?"), "text_mask": bools(1, "T")}

    def _decode(
        self,
        feeds: Arrays,
        size: tuple[int, int],
        threshold: float,
        cancel: threading.Event | None,
    ) -> Detections:
        model = self.models["decoder"]
        heads = ask(model, _HEADS, feeds, cancel=cancel, cells=self._pictures.cells)
        logits, presence, boxes, masks = (head[0] for head in heads)
        require_boxes(Output(model.graph.path, "pred_boxes"), boxes)
        source = Output(model.graph.path, "pred_masks")
        return select(logits, presence, boxes, masks, size=size, threshold=threshold, source=source)


class BatchedFamily(_Batched):
    """Runs the graphs of family D2."""

    name: ClassVar[str] = "batched"

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this family a graph is, if any."""
        if {*_FEATURES, *_BOXES, "text_features"} <= set(graph.inputs) and set(_HEADS) <= set(graph.outputs):
            return "decoder"
        return _encoder_role(graph)

    @property
    def capabilities(self) -> Capabilities:
        """Words, and any number of boxes of both signs."""
        slots = declared_size(self.models["decoder"].graph, "input_boxes", 1, ranks=(3,))
        return Capabilities(family=self.name, input_size=self._pictures.input_size, max_boxes=slots)

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

        The graph wants a picture's features once per prompt of a batch: running prompts one by one
        costs no copies of them.
        """
        shared = self._ready(picture, cancel)
        found = []
        for query in queries:
            feeds = {**shared, **query.text, **self._box_inputs(query)}
            found.append(self._decode(feeds, size, threshold, cancel))
        return found

    def _box_inputs(self, query: Query) -> Arrays:
        """The boxes, at least one slot: the graph fails on none."""
        slots = self.capabilities.max_boxes or max(1, len(query.boxes))
        boxes, labels = np.zeros((1, slots, 4), np.float32), np.full((1, slots), EMPTY_SLOT)
        boxes[0, : len(query.boxes)], labels[0, : len(query.labels)] = query.boxes, query.labels
        return {"input_boxes": boxes, "input_boxes_labels": labels}


class BatchedGeometryFamily(_Batched):
    """Runs the graphs of family D1; without its geometry encoder it takes words only."""

    name: ClassVar[str] = "batched-geometry"
    optional_roles: ClassVar[tuple[str, ...]] = ("geometry_encoder",)

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this family a graph is, if any."""
        ins, outs = set(graph.inputs), set(graph.outputs)
        if {*_FEATURES, "prompt_features", "prompt_mask"} <= ins and set(_HEADS) <= outs:
            return "decoder"
        if ins >= _BOXES and {"geometry_features", "geometry_mask"} <= outs:
            return "geometry_encoder"
        return _encoder_role(graph)

    @property
    def capabilities(self) -> Capabilities:
        """Words, and any number of boxes where there is a geometry encoder."""
        boxes = "geometry_encoder" in self.models
        slots = declared_size(self.models["geometry_encoder"].graph, "input_boxes", 1, ranks=(3,)) if boxes else None
        return Capabilities(
            family=self.name,
            input_size=self._pictures.input_size,
            boxes=boxes,
            negative_boxes=boxes,
            max_boxes=slots,
        )

    def detect(
        self,
        picture: Arrays,
        queries: Sequence[Query],
        *,
        size: tuple[int, int],
        threshold: float,
        cancel: threading.Event | None,
    ) -> list[Detections]:
        """One run of the decoder per prompt; the boxes are the same for all; see `Family.detect`."""
        shared = self._ready(picture, cancel)
        found = []
        for query in queries:
            features, mask = query.text["text_features"], query.text["text_mask"]
            if len(query.boxes):
                more, more_mask = self._geometry(shared, query, cancel)
                features = np.concatenate([features, more.astype(features.dtype)], axis=1)
                mask = np.concatenate([mask, more_mask], axis=1)
            feeds = {**shared, "prompt_features": features, "prompt_mask": mask}
            found.append(self._decode(feeds, size, threshold, cancel))
        return found

    def _geometry(
        self, shared: Arrays, query: Query, cancel: threading.Event | None
    ) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
        model, channels = self.models["geometry_encoder"], query.text["text_features"].shape[2]
        wanted = {"geometry_features": floats(1, "T", channels), "geometry_mask": bools(1, "T")}
        slots = self.capabilities.max_boxes or len(query.boxes)
        boxes, labels = np.zeros((1, slots, 4), np.float32), np.full((1, slots), EMPTY_SLOT)
        boxes[0, : len(query.boxes)], labels[0, : len(query.labels)] = query.boxes, query.labels
        feeds = {**shared, "input_boxes": boxes, "input_boxes_labels": labels}
        features, mask = ask(model, wanted, feeds, cancel=cancel)
        return features, mask
