"""Family A: the six files of X-AnyLabeling v3.0.0, samexporter 0.4 and wkentaro/sam3-onnx-models v0.1 and v0.2.

The decoder takes one box, answers at the picture's own size, and cuts scores in the graph: at 0.5, or where the
exporter of this library was told to, which it then wrote into the graph's metadata.
Exports of Meta's own code have the side they were traced with baked into their boxes; `box_scale`
puts them right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.models.families.answers import Output, bools, floats, require_boxes, require_within
from sam3_onnx.models.families.box_scale import TRACED_SIDE, rescaled
from sam3_onnx.models.families.manifest import share
from sam3_onnx.models.families.meta_encoders import DECODER_INPUTS, MetaExport, encoder_role, single_box
from sam3_onnx.models.families.protocol import AnyArrays, Arrays, Capabilities, Defaults, Detections, Query

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = ["SixFileFamily"]

_ANSWERS = {"boxes": floats("N*", 4), "scores": floats("N*"), "masks": bools("N*", 1, "height", "width")}
_PUBLISHED_THRESHOLD = 0.5
"""Of the decoders that say nothing: all that others published."""


class SixFileFamily(MetaExport):
    """Runs the graphs of family A."""

    name: ClassVar[str] = "six-file"

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this family a graph is, if any."""
        asked = DECODER_INPUTS | {"original_height", "original_width"}
        if asked <= set(graph.inputs) and {"boxes", "scores", "masks"} <= set(graph.outputs):
            return "decoder"
        return encoder_role(graph)

    def __init__(self, models: Mapping[str, OnnxModel]) -> None:
        super().__init__(models)
        decoder = models["decoder"].graph
        self._boxes_are_traced = "original_width" not in decoder.depends_on("boxes")
        threshold = share(decoder, "threshold")
        self._threshold = _PUBLISHED_THRESHOLD if threshold is None else threshold

    @property
    def capabilities(self) -> Capabilities:
        """One box, nothing at or below the graph's threshold."""
        size, lowest = self._pictures.input_size, self._threshold
        return Capabilities(family=self.name, input_size=size, max_boxes=1, lowest_threshold=lowest)

    @property
    def defaults(self) -> Defaults:
        """The reference's own behaviour, as far as the graph lets it."""
        return Defaults(conf_threshold=max(Defaults.conf_threshold, self._threshold))

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
        ready = self._ready(picture, cancel)
        return [self._detect_one(ready, query, size, threshold, cancel) for query in queries]

    def _detect_one(
        self, picture: AnyArrays, query: Query, size: tuple[int, int], threshold: float, cancel: threading.Event | None
    ) -> Detections:
        prompt = {**single_box(query), **self._size_inputs(size)}
        sizes = {"height": size[0], "width": size[1]}
        boxes, scores, masks = self._decode(_ANSWERS, picture, query, prompt, cancel, sizes=sizes)
        path, sides = self.models["decoder"].graph.path, max(TRACED_SIDE, *size, *self._pictures.input_size)
        require_within(Output(path, "scores"), scores)
        require_boxes(Output(path, "boxes"), boxes, sides=sides)
        kept = np.flatnonzero(scores > threshold)
        sources = [PackedMask.pack(masks[index, 0].astype(np.bool_)) for index in kept]
        boxes = boxes[kept].astype(np.float32)
        if self._boxes_are_traced:
            boxes = rescaled(
                boxes, [source.window for source in sources], size=size, input_size=self._pictures.input_size
            )
        return Detections(scores[kept].astype(np.float32), boxes, sources)

    def _size_inputs(self, size: tuple[int, int]) -> Arrays:
        """The picture's size: of rank 0, or of rank 1 in the earliest exports."""
        inputs = self.models["decoder"].graph.inputs
        named = {"original_height": size[0], "original_width": size[1]}
        return {name: np.full(tuple(1 for _ in inputs[name].shape), value) for name, value in named.items()}
