"""Family F: onnx-community/sam3-tracker-ONNX. Points and a box for one object; no words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.models.families.answers import ask, floats
from sam3_onnx.models.families.decoding import candidates_of
from sam3_onnx.models.families.protocol import Arrays, Candidates, Capabilities, Clicks
from sam3_onnx.models.families.published import PictureEncoder

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = ["TrackerFamily"]

_FEATURES = frozenset(f"image_embeddings.{level}" for level in range(3))
_HEADS = {
    "iou_scores": floats(1, 1, "K"),
    "pred_masks": floats(1, 1, "K", "h", "w"),
    "object_score_logits": floats(1, 1, 1),
}


class TrackerFamily:
    """Runs the graphs of family F."""

    name: ClassVar[str] = "tracker"
    roles: ClassVar[tuple[str, ...]] = ("image_encoder", "decoder")
    optional_roles: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[Mapping[str, str]] = {"clicks": "decoder"}

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this family a graph is, if any."""
        ins, outs = set(graph.inputs), set(graph.outputs)
        if ins == {"pixel_values"} and outs >= _FEATURES:
            return "image_encoder"
        if {*_FEATURES, "input_points", "input_labels", "input_boxes"} <= ins and set(_HEADS) <= outs:
            return "decoder"
        return None

    def __init__(self, models: Mapping[str, OnnxModel]) -> None:
        self.models = models
        self._pictures = PictureEncoder(models["image_encoder"], models["decoder"].graph)

    @property
    def capabilities(self) -> Capabilities:
        """Clicks on one object, no concepts."""
        size = self._pictures.input_size
        return Capabilities(self.name, size, text=False, boxes=False, negative_boxes=False, points=True)

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        """Features of a picture (3, H, W) uint8 RGB; see `Encoder.encode_image`."""
        return self._pictures.encode(pixels, cancel=cancel)

    def are_of_image(self, features: Arrays) -> bool:
        """Returns whether arrays can be features of a picture; see `Encoder.are_of_image`."""
        return self._pictures.made(features)

    def segment(
        self, picture: Arrays, clicks: Clicks, *, size: tuple[int, int], cancel: threading.Event | None
    ) -> Candidates:
        """One run of the decoder; see `Tracker.segment`.

        Points and boxes go in as pixels of the model's input; the graph itself adds half a pixel.
        """
        model = self.models["decoder"]
        height, width = self._pictures.input_size
        across = np.array([width, height], np.float32)
        box = np.zeros((0, 4), np.float32) if clicks.box is None else clicks.box[None] * np.tile(across, 2)
        feeds = {
            **picture,
            "input_points": (clicks.points * across)[None, None],
            "input_labels": clicks.labels[None, None],
            "input_boxes": box[None],
        }
        expected, masks, present = ask(model, _HEADS, feeds, cancel=cancel, cells=self._pictures.cells)
        return candidates_of(expected[0, 0], masks[0, 0], present, size=size)
