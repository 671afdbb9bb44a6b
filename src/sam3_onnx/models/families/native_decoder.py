"""The decoder of a native bundle: one graph, or geometry encoder, fusion and decoder.

In parts, what is shown in boxes is looked at once for all words that it goes with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import UnknownFamilyError
from sam3_onnx.models.families.feeds import EMPTY_SLOT, fitted

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Arrays, Query
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = ["NativeDecoder", "decoder_role", "require_parts"]

_PARTS = ("geometry_encoder", "fusion")
"""Parts that a decoder has before it, or in it."""
_TEXT = ("text_features", "text_mask")
_BOXES = ("boxes", "box_labels")
_SHOWN = ("geometry_features", "geometry_mask")
_FUSED = "fused_features"
_ANSWERS = ("logits", "presence", "boxes_xyxy")
_BETWEEN = ("mask_features", "mask_queries")
"""What a decoder without a mask head hands to the graph that is one."""


def decoder_role(graph: GraphInfo) -> str | None:
    """Returns which part of a native decoder a graph is, if any."""
    ins, outs = set(graph.inputs), set(graph.outputs)
    if {"fpn_2", *_BOXES} <= ins and set(_SHOWN) <= outs:
        return "geometry_encoder"
    if {"fpn_2", *_TEXT, *_SHOWN} <= ins and _FUSED in outs:
        return "fusion"
    whole, last = {"fpn_2", *_TEXT, *_BOXES}, {_FUSED, *_TEXT, *_SHOWN}
    if (whole <= ins or last <= ins) and set(_ANSWERS) <= outs and ("masks" in outs or set(_BETWEEN) <= outs):
        return "decoder"
    if {"fpn_0", "fpn_1", *_BETWEEN} <= ins and "masks" in outs:
        return "mask_decoder"
    return None


def require_parts(models: Mapping[str, OnnxModel]) -> None:
    """Refuses graphs that make up no decoder, or more than one.

    Raises:
        UnknownFamilyError: A part is missing, or is there twice.
    """
    decoder = models["decoder"].graph
    missing = ""
    in_parts = _FUSED in decoder.inputs
    for role in _PARTS:
        if (role in models) != in_parts:
            state = "missing: its decoder is in parts" if in_parts else "there twice: its decoder has one of its own"
            missing = f"Its {role.replace('_', ' ')} is {state}."
    if "masks" not in decoder.outputs and "mask_decoder" not in models:
        missing = "Its mask decoder is missing: the graph that makes masks of mask_features and mask_queries."
    if missing:
        listing = {model.graph.path.name: model.graph.signature() for model in models.values()}
        raise UnknownFamilyError("The native bundle is not whole", graphs=listing, missing=missing)


class NativeDecoder:
    """Answers prompts about one picture."""

    def __init__(
        self,
        models: Mapping[str, OnnxModel],
        picture: Arrays,
        queries: Sequence[Query],
        *,
        cancel: threading.Event | None,
    ) -> None:
        """Looks at what is shown in boxes, where that is a part of its own.

        Args:
            models: The graphs by role.
            picture: Features of the picture.
            queries: All prompts that will be asked.
            cancel: Setting it stops a run.
        """
        self._models, self._cancel = models, cancel
        self._ready = {role: fitted(models[role].graph, picture) for role in (*_PARTS, "decoder") if role in models}
        self._in_parts = "fusion" in models
        self._rows: dict[tuple[bytes, bytes], int] = {}
        if self._in_parts and queries:
            different = {_shown(query): query for query in queries}
            self._rows = {shown: row for row, shown in enumerate(different)}
            boxes = _slots(list(different.values()))
            self._geometry = self._run("geometry_encoder", _SHOWN, boxes)

    def answer(self, queries: Sequence[Query]) -> list[list[NDArray[np.floating]]]:
        """Logits, presence and boxes of each of some prompts; then its masks, or what a mask head needs for them."""
        feeds = {name: np.concatenate([query.text[name] for query in queries]) for name in _TEXT}
        if self._in_parts:
            rows = [self._rows[_shown(query)] for query in queries]
            feeds |= {name: array[rows] for name, array in self._geometry.items()}
            feeds |= self._run("fusion", (_FUSED,), feeds)
        else:
            feeds |= _slots(queries)
        outputs = (*_ANSWERS, *(("masks",) if "masks" in self._models["decoder"].graph.outputs else _BETWEEN))
        answers = self._run("decoder", outputs, feeds)
        return [list(heads) for heads in zip(*answers.values(), strict=True)]

    def _run(self, role: str, outputs: Sequence[str], feeds: Arrays) -> dict[str, NDArray[np.generic]]:
        model = self._models[role]
        ready = {**self._ready[role], **fitted(model.graph, feeds)}
        return dict(zip(outputs, model.run(outputs, ready, cancel=self._cancel), strict=True))


def _shown(query: Query) -> tuple[bytes, bytes]:
    """What tells the boxes of a prompt from those of others."""
    return query.boxes.tobytes(), query.labels.tobytes()


def _slots(queries: Sequence[Query]) -> dict[str, NDArray[np.generic]]:
    """Boxes of several prompts in slots of one width, at least one; empty slots are labelled -10."""
    width = max(1, *(len(query.boxes) for query in queries))
    boxes = np.zeros((len(queries), width, 4), np.float32)
    labels = np.full((len(queries), width), EMPTY_SLOT, np.int64)
    for row, query in enumerate(queries):
        boxes[row, : len(query.boxes)] = query.boxes
        labels[row, : len(query.labels)] = query.labels
    return {"boxes": boxes, "box_labels": labels}
