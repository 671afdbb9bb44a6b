"""This project's own bundle: graphs that describe themselves. The contract is in docs/native-bundle.md."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx._support.lazy_values import cached_property
from sam3_onnx.errors import ModelFileDamagedError
from sam3_onnx.models.families.answers import Expected, Output, ask, ask_in_place, bools, fit, floats, taken_by
from sam3_onnx.models.families.decoding import candidates_of, detections_of, scores_of, select
from sam3_onnx.models.families.feeds import finest_cells, fitted, input_size
from sam3_onnx.models.families.manifest import read_manifest
from sam3_onnx.models.families.native_decoder import MASKS, NativeDecoder, decoder_role, require_parts
from sam3_onnx.models.families.native_video import VIDEO_ROLES, NativeVideo, require_video_parts, video_role
from sam3_onnx.models.families.protocol import AnyArrays, Arrays, Candidates, Capabilities, Clicks, Defaults, Detections
from sam3_onnx.models.families.published import level
from sam3_onnx.prompts.tokenizer import pad

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Query
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = ["NativeFamily"]

_FEATURES = ("fpn_0", "fpn_1", "fpn_2")
_TEXT = {"text_features": floats("P", "T", "?"), "text_mask": bools("P", "T")}
_CLICK_FEATURES = ("click_0", "click_1", "click_2")
_CLICK_ANSWERS = {"ious": floats("K"), "masks": floats("K", "h", "w"), "object_logit": floats(1)}
_CORNERS = (2, 3)
"""Labels of a box's corners, upper left and lower right."""
_CONTRACTS = ("1", "2")
"""Versions that are read. They differ in the decoder alone: whole in 1, in parts in 2."""
_PROMPTS_PER_RUN = 4
"""A full-size model answers a prompt with 66 MB of mask logits; four at a time bound the memory."""


class NativeFamily(NativeVideo):
    """Runs a native bundle."""

    name: ClassVar[str] = "native"
    roles: ClassVar[tuple[str, ...]] = ("image_encoder", "text_encoder", "decoder")
    optional_roles: ClassVar[tuple[str, ...]] = (
        *("geometry_encoder", "fusion", "mask_decoder", "click_decoder"),
        *VIDEO_ROLES,
    )
    provides: ClassVar[Mapping[str, str]] = {
        "concepts": "decoder",
        "clicks": "click_decoder",
        "video": "track_decoder",
    }

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this family a graph is, if any."""
        ins, outs = set(graph.inputs), set(graph.outputs)
        if ins == {"image"} and set(_FEATURES) <= outs:
            return "image_encoder"
        if ins == {"tokens"} and {"text_features", "text_mask"} <= outs:
            return "text_encoder"
        if {*_CLICK_FEATURES, "points", "point_labels"} <= ins and set(_CLICK_ANSWERS) <= outs:
            return "click_decoder"
        return video_role(graph) or decoder_role(graph)

    def __init__(self, models: Mapping[str, OnnxModel]) -> None:
        self.models = models
        for role, model in models.items():
            _check_manifest(model.graph, role)
        require_parts(models)
        require_video_parts(models)
        finest = models.get("mask_decoder", models["decoder"])
        self._input_size = input_size(models["image_encoder"].graph, finest.graph)
        self._cells = finest_cells(self._input_size)
        manifests = {role: read_manifest(model.graph) for role, model in models.items()}
        self._pad, self._defaults = manifests["text_encoder"].pad, manifests["decoder"].defaults

    @property
    def capabilities(self) -> Capabilities:
        """Words, and any number of boxes of both signs; clicks and videos where there are graphs for them."""
        return Capabilities(
            family=self.name,
            input_size=self._input_size,
            points="click_decoder" in self.models,
            video="track_decoder" in self.models,
        )

    @property
    def defaults(self) -> Defaults:
        """What the manifest in the decoder recommends."""
        return self._defaults

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> AnyArrays:
        """Features of a picture (3, H, W) uint8 RGB; see `Family.encode_image`."""
        wanted = self._image_features()
        return ask_in_place(self.models["image_encoder"], wanted, {"image": pixels}, cancel=cancel)

    def are_of_image(self, features: Arrays) -> bool:
        """Returns whether arrays can be features of a picture; see `Family.are_of_image`."""
        return fit(features, self._image_features())

    def _image_features(self) -> dict[str, Expected]:
        taken = dict.fromkeys(_FEATURES, "mask_decoder" if "mask_decoder" in self.models else "decoder")
        taken |= dict.fromkeys(_CLICK_FEATURES, "click_decoder") if "click_decoder" in self.models else {}
        return {
            name: taken_by(self.models[role].graph, name, level(name, self._cells))
            if name in self.models[role].graph.inputs
            else level(name, self._cells)
            for name, role in taken.items()
        }

    def encode_text(self, tokens: Sequence[Sequence[int]], *, cancel: threading.Event | None) -> list[Arrays]:
        """Features of all prompts in one run; see `Family.encode_text`."""
        encoder, sizes = self.models["text_encoder"], {"P": len(tokens)}
        rows = pad(tokens, pad_id=self._pad)
        features, masks = ask(encoder, self._text_features(), {"tokens": rows}, cancel=cancel, sizes=sizes)
        return [
            {"text_features": feature[None].copy(), "text_mask": mask[None].copy()}
            for feature, mask in zip(features, masks, strict=True)
        ]

    def are_of_text(self, features: Arrays) -> bool:
        """Returns whether arrays can be features of a prompt; see `Family.are_of_text`."""
        return fit(features, self._text_features(), sizes={"P": 1})

    def _text_features(self) -> dict[str, Expected]:
        decoder = self.models["decoder"].graph
        return {name: taken_by(decoder, name, expected) for name, expected in _TEXT.items()}

    def detect(
        self,
        picture: AnyArrays,
        queries: Sequence[Query],
        *,
        size: tuple[int, int],
        threshold: float,
        cancel: threading.Event | None,
    ) -> list[Detections]:
        """A few prompts in each run of the decoder; see `Family.detect`."""
        mask_decoder, path = self.models.get("mask_decoder"), self.models["decoder"].graph.path
        mask_head = None if mask_decoder is None else _MaskHead(mask_decoder, picture, self._cells, cancel)
        choose = partial(select, source=Output(path, "masks")) if mask_head is None else mask_head.select
        decoder = NativeDecoder(self.models, picture, queries, cells=self._cells, cancel=cancel)
        found: list[Detections] = []
        for start in range(0, len(queries), _PROMPTS_PER_RUN):
            answers = decoder.answer(queries[start : start + _PROMPTS_PER_RUN])
            found += [choose(*heads, size=size, threshold=threshold) for heads in answers]
        return found

    def segment(
        self, picture: AnyArrays, clicks: Clicks, *, size: tuple[int, int], cancel: threading.Event | None
    ) -> Candidates:
        """One run of the click decoder; see `Tracker.segment`. A box goes in as two points, its corners."""
        corners = np.zeros((0, 2), np.float32) if clicks.box is None else clicks.box.reshape(2, 2)
        feeds = {
            **picture,
            "points": np.concatenate([clicks.points, corners]).astype(np.float32),
            "point_labels": np.concatenate([clicks.labels, np.array(_CORNERS[: len(corners)], np.int64)]),
        }
        model = self.models["click_decoder"]
        ious, masks, present = ask(model, _CLICK_ANSWERS, feeds, cancel=cancel, cells=self._cells)
        return candidates_of(ious, masks, present, size=size)


class _MaskHead:
    """The graph that makes masks of queries, for one picture, whose features it takes up when first needed."""

    def __init__(
        self, model: OnnxModel, picture: AnyArrays, cells: tuple[int, int], cancel: threading.Event | None
    ) -> None:
        self._model = model
        self._picture = picture
        self._cells = cells
        self._cancel = cancel

    @cached_property
    def _ready(self) -> AnyArrays:
        return fitted(self._model.graph, self._picture)

    def select(
        self,
        logits: NDArray[np.floating],
        presence: NDArray[np.floating],
        boxes: NDArray[np.floating],
        seen: NDArray[np.floating],
        queries: NDArray[np.floating],
        *,
        size: tuple[int, int],
        threshold: float,
    ) -> Detections:
        """Keeps the queries of one prompt that score above a threshold, and makes masks of those alone."""
        scores = scores_of(logits, presence)
        kept = np.flatnonzero(scores > threshold)
        masks = self._masks(seen, queries[kept]) if len(kept) else np.zeros((0, 1, 1), np.float32)
        source = Output(self._model.graph.path, "masks")
        return detections_of(scores[kept], boxes[kept], masks, size=size, threshold=threshold, source=source)

    def _masks(self, seen: NDArray[np.floating], queries: NDArray[np.floating]) -> NDArray[np.floating]:
        feeds = {**self._ready, "mask_features": seen[None], "mask_queries": queries[None]}
        sizes = {"P": 1, "Q": len(queries)}
        (masks,) = ask(self._model, MASKS, feeds, cancel=self._cancel, sizes=sizes, cells=self._cells)
        found: NDArray[np.floating] = masks[0]
        return found


def _check_manifest(graph: GraphInfo, role: str) -> None:
    version = graph.metadata.get("sam3_onnx.contract")
    if version not in {None, *_CONTRACTS}:
        got = f"version {version} of a newer release"
        raise ModelFileDamagedError(graph.path, expected=f"contract version {' or '.join(_CONTRACTS)}", got=got)
    # The role is the last entry of the last field: a file that was cut off behind its graph lacks it.
    if version is None or graph.metadata.get("sam3_onnx.role") != role:
        got = f"one with {', '.join(graph.metadata) or 'no entries'}"
        raise ModelFileDamagedError(graph.path, expected=f"a whole manifest with the role {role}", got=got)
