"""Family C: samexporter 0.5.0, published as nrl-ai/samexporter-onnx-models.

The decoder answers with raw heads, and takes a fixed number of boxes: real ones come first, the
slots behind them are masked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.models.families.answers import Output, floats, require_within
from sam3_onnx.models.families.decoding import select, xyxy
from sam3_onnx.models.families.feeds import declared_size
from sam3_onnx.models.families.meta_encoders import DECODER_INPUTS, MetaExport, encoder_role
from sam3_onnx.models.families.protocol import AnyArrays, Arrays, Capabilities, Detections, Query

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = ["RawHeadsFamily"]

_HEADS = {
    "pred_logits": floats(1, "Q", 1),
    "presence_logit_dec": floats(1, 1),
    "pred_boxes": floats(1, "Q", 4),
    "pred_masks": floats(1, "Q", "h", "w", finite=False),
}


class RawHeadsFamily(MetaExport):
    """Runs the graphs of family C."""

    name: ClassVar[str] = "raw-heads"

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this family a graph is, if any."""
        if set(graph.inputs) >= DECODER_INPUTS and set(_HEADS) <= set(graph.outputs):
            return "decoder"
        return encoder_role(graph)

    def __init__(self, models: Mapping[str, OnnxModel]) -> None:
        super().__init__(models)
        self._slots = declared_size(models["decoder"].graph, "box_coords", 0, ranks=(3,))

    @property
    def capabilities(self) -> Capabilities:
        """As many boxes as the graph has slots for."""
        return Capabilities(family=self.name, input_size=self._pictures.input_size, max_boxes=self._slots)

    def detect(
        self,
        picture: AnyArrays,
        queries: Sequence[Query],
        *,
        size: tuple[int, int],
        threshold: float,
        cancel: threading.Event | None,
    ) -> list[Detections]:
        """One run of the decoder per prompt; see `Family.detect`."""
        unread = {"original_height": np.array(size[0]), "original_width": np.array(size[1])}
        ready, path = self._ready(picture, cancel), self.models["decoder"].graph.path
        found = []
        for query in queries:
            prompt = {**self._box_inputs(query), **unread}
            logits, presence, boxes, masks = self._decode(
                _HEADS, ready, query, prompt, cancel, cells=self._pictures.cells
            )
            require_within(Output(path, "pred_boxes"), boxes)
            heads = (logits[0, :, 0], presence, xyxy(boxes[0]), masks[0])
            found.append(select(*heads, size=size, threshold=threshold, source=Output(path, "pred_masks")))
        return found

    def _box_inputs(self, query: Query) -> Arrays:
        count = len(query.boxes)
        slots = self._slots or max(1, count)
        coords, labels = np.zeros((slots, 1, 4), np.float32), np.zeros((slots, 1), np.int64)
        coords[:count, 0], labels[:count, 0] = query.boxes, query.labels
        return {"box_coords": coords, "box_labels": labels, "box_masks": np.arange(slots)[None] >= count}
