"""The decoder of a native bundle: one graph, or geometry encoder, fusion and decoder.

In parts, what is shown in boxes is looked at once for all words that it goes with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import UnknownFamilyError
from sam3_onnx.models.families.answers import Output, ask, ask_in_place, bools, floats, require_boxes
from sam3_onnx.models.families.feeds import EMPTY_SLOT, fitted

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from sam3_onnx.models.families.answers import Expected
    from sam3_onnx.models.families.protocol import AnyArrays, Arrays, Query
    from sam3_onnx.models.runtime.devices.arrays import AnyArray
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = ["MASKS", "NativeDecoder", "decoder_role", "require_parts"]

_PARTS = ("geometry_encoder", "fusion")
"""Parts that a decoder has before it, or in it."""
_TEXT = ("text_features", "text_mask")
_BOXES = ("boxes", "box_labels")
_SHOWN = {"geometry_features": floats("P", "S", "?"), "geometry_mask": bools("P", "S")}
_FUSED = {"fused_features": floats("P", "?", "?")}
_ANSWERS = {"logits": floats("P", "Q"), "presence": floats("P", 1), "boxes_xyxy": floats("P", "Q", 4)}
_BETWEEN = {"mask_features": floats("P", "?", "?", "?"), "mask_queries": floats("P", "Q", "?", finite=False)}
"""What a decoder without a mask head hands to the graph that is one."""
MASKS = {"masks": floats("P", "Q", "h", "w", finite=False)}
"""What is expected of the graph that makes masks."""


def decoder_role(graph: GraphInfo) -> str | None:
    """Returns which part of a native decoder a graph is, if any."""
    ins, outs = set(graph.inputs), set(graph.outputs)
    if {"fpn_2", *_BOXES} <= ins and set(_SHOWN) <= outs:
        return "geometry_encoder"
    if {"fpn_2", *_TEXT, *_SHOWN} <= ins and set(_FUSED) <= outs:
        return "fusion"
    whole, last = {"fpn_2", *_TEXT, *_BOXES}, {*_FUSED, *_TEXT, *_SHOWN}
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
    in_parts = set(_FUSED) <= set(decoder.inputs)
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
        picture: AnyArrays,
        queries: Sequence[Query],
        *,
        cells: tuple[int, int],
        cancel: threading.Event | None,
    ) -> None:
        """Looks at what is shown in boxes, where that is a part of its own.

        Args:
            models: The graphs by role.
            picture: AnyArrays of the picture.
            queries: All prompts that will be asked.
            cells: (height, width) of masks.
            cancel: Setting it stops a run.
        """
        self._models, self._cells, self._cancel = models, cells, cancel
        self._ready = {role: fitted(models[role].graph, picture) for role in (*_PARTS, "decoder") if role in models}
        self._in_parts = "fusion" in models
        different = {_shown(query): query for query in queries if self._in_parts}
        self._rows = {shown: row for row, shown in enumerate(different)}
        self._geometry: Arrays = {}
        if different:
            boxes = _slots(list(different.values()))
            self._geometry = self._run("geometry_encoder", _SHOWN, boxes, prompts=len(different))

    def answer(self, queries: Sequence[Query]) -> list[tuple[NDArray[Any], ...]]:
        """Logits, presence and boxes of each of some prompts; then its masks, or what a mask head needs for them.

        Raises:
            ModelAnswerError: A graph answers what it should not.
        """
        feeds: dict[str, AnyArray] = {name: np.concatenate([query.text[name] for query in queries]) for name in _TEXT}
        if self._in_parts:
            rows = [self._rows[_shown(query)] for query in queries]
            feeds |= {name: array[rows] for name, array in self._geometry.items()}
            fusion = {**self._ready["fusion"], **feeds}
            sizes = {"P": len(queries)}
            feeds |= ask_in_place(self._models["fusion"], _FUSED, fusion, cancel=self._cancel, sizes=sizes)
        else:
            feeds |= _slots(queries)
        graph = self._models["decoder"].graph
        wanted = {**_ANSWERS, **(MASKS if "masks" in graph.outputs else _BETWEEN)}
        answers = self._run("decoder", wanted, feeds, prompts=len(queries))
        require_boxes(Output(graph.path, "boxes_xyxy"), answers["boxes_xyxy"])
        return list(zip(*answers.values(), strict=True))

    def _run(
        self, role: str, wanted: Mapping[str, Expected], feeds: AnyArrays, *, prompts: int
    ) -> dict[str, NDArray[Any]]:
        asked, known = {**self._ready[role], **feeds}, {"P": prompts}
        answers = ask(self._models[role], wanted, asked, cancel=self._cancel, sizes=known, cells=self._cells)
        return dict(zip(wanted, answers, strict=True))


def _shown(query: Query) -> tuple[bytes, bytes]:
    """What tells the boxes of a prompt from those of others."""
    return query.boxes.tobytes(), query.labels.tobytes()


def _slots(queries: Sequence[Query]) -> dict[str, NDArray[Any]]:
    """Boxes of several prompts in slots of one width, at least one; empty slots are labelled -10."""
    width = max(1, *(len(query.boxes) for query in queries))
    boxes = np.zeros((len(queries), width, 4), np.float32)
    labels = np.full((len(queries), width), EMPTY_SLOT, np.int64)
    for row, query in enumerate(queries):
        boxes[row, : len(query.boxes)] = query.boxes
        labels[row, : len(query.labels)] = query.labels
    return {"boxes": boxes, "box_labels": labels}
