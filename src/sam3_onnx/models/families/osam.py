"""Family B: wkentaro/sam3-onnx-models v0.3.0, what osam 0.5 and newer run.

As family A, but boxes are shares of the picture, and masks are probabilities of a low resolution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.models.families.answers import Output, floats, require_boxes, require_within
from sam3_onnx.models.families.decoding import detections_of
from sam3_onnx.models.families.meta_encoders import DECODER_INPUTS, MetaExport, encoder_role, single_box
from sam3_onnx.models.families.protocol import AnyArrays, Capabilities, Detections, Query

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["OsamFamily"]

_ANSWERS = {"boxes": floats("N*", 4), "scores": floats("N*"), "masks": floats("N*", 1, "h", "w")}


class OsamFamily(MetaExport):
    """Runs the graphs of family B."""

    name: ClassVar[str] = "osam"

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this family a graph is, if any."""
        ins, outs = set(graph.inputs), set(graph.outputs)
        if ins >= DECODER_INPUTS and "original_height" not in ins and {"boxes", "scores", "masks"} <= outs:
            return "decoder"
        return encoder_role(graph)

    @property
    def capabilities(self) -> Capabilities:
        """One box, nothing at or below 0.5."""
        return Capabilities(family=self.name, input_size=self._pictures.input_size, max_boxes=1, lowest_threshold=0.5)

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
        prompt, cells = single_box(query), self._pictures.cells
        boxes, scores, masks = self._decode(_ANSWERS, picture, query, prompt, cancel, cells=cells)
        path = self.models["decoder"].graph.path
        require_boxes(Output(path, "boxes"), boxes)
        require_within(Output(path, "scores"), scores)
        source = Output(path, "masks")
        require_within(source, masks)
        return detections_of(scores, boxes, _logits(masks[:, 0]), size=size, threshold=threshold, source=source)


def _logits(probabilities: NDArray[np.floating]) -> NDArray[np.float32]:
    """What a sigmoid was taken of: a mask has to be resized before its sigmoid, not after."""
    limits = np.finfo(np.float32)
    inside = np.clip(probabilities.astype(np.float32), limits.tiny, 1 - limits.epsneg)
    logits: NDArray[np.float32] = np.log(inside) - np.log1p(-inside)
    return logits
