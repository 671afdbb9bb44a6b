"""The graphs of a native bundle that follow objects through a video. The contract is in docs/native-bundle.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import UnknownFamilyError
from sam3_onnx.models.families.answers import Output, ask, fit, floats, require_within
from sam3_onnx.models.families.manifest import flag, number, share
from sam3_onnx.models.families.protocol import TrackReadings, TrackRules
from sam3_onnx.models.families.published import level

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from sam3_onnx.models.families.answers import Expected
    from sam3_onnx.models.families.protocol import Arrays, Clicks, Recalled
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = ["VIDEO_ROLES", "NativeVideo", "require_video_parts", "video_role"]

_INPUTS = {
    "memory_attention": ("click_2", "memories", "memory_slots", "pointers", "pointer_ages"),
    "track_decoder": ("click_0", "click_1", "features", "points", "point_labels", "mask_prompt", "has_mask"),
    "memory_encoder": ("click_2", "masks", "object_logits", "from_points"),
    "mask_prompt": ("click_2", "masks"),
}
"""Inputs by role; no two roles have the same."""
VIDEO_ROLES = tuple(_INPUTS)
"""Graphs of a bundle that follows objects through a video: all of them, or none."""
_CLICK_FEATURES = ("click_0", "click_1", "click_2")
_ATTENDED = {"features": floats(1, "?", "?", "?")}
_ANSWERS = {
    "masks": floats(1, 4, "h", "w"),
    "ious": floats(1, 4),
    "pointers": floats(1, 4, "?"),
    "object_logits": floats(1, 1),
}
_MEMORY = {"memory": floats(1, "?", "?", "?")}
_PROMPTED = {"features": floats(1, "?", "?", "?"), "mask_prompt": floats(1, 1, "h", "w")}
_UPPER_LEFT, _LOWER_RIGHT, _NO_POINT = 2, 3, -1
_HALF_LARGEST = float(np.finfo(np.float16).max)


def video_role(graph: GraphInfo) -> str | None:
    """Returns which part of the tracking through videos a graph is, if any."""
    return next((role for role, inputs in _INPUTS.items() if set(inputs) == set(graph.inputs)), None)


def require_video_parts(models: Mapping[str, OnnxModel]) -> None:
    """Refuses a bundle that has some of the graphs for videos, but not all.

    Raises:
        UnknownFamilyError: One is missing.
    """
    there = [role for role in VIDEO_ROLES if role in models]
    missing = [role for role in VIDEO_ROLES if role not in models]
    if there and missing:
        listing = {models[role].graph.path.name: models[role].graph.signature() for role in there}
        reason = f"It needs {', '.join(missing)} too. Export the bundle again, or take these graphs out of its folder."
        raise UnknownFamilyError(
            "Graphs that follow objects through videos are missing", graphs=listing, missing=reason
        )


class NativeVideo:
    """What a native bundle with graphs for videos does; speaks `VideoTracker`, beside what its heir adds."""

    models: Mapping[str, OnnxModel]
    _cells: tuple[int, int]

    @property
    def rules(self) -> TrackRules:
        """What the manifest of the memory attention says."""
        return read_rules(self.models["memory_attention"].graph)

    def encode_frame(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        """Features of the click neck alone; see `VideoTracker.encode_frame`."""
        wanted = self._frame_features()
        answers = ask(self.models["image_encoder"], wanted, {"image": pixels}, cancel=cancel)
        return dict(zip(wanted, answers, strict=True))

    def are_of_frame(self, features: Arrays) -> bool:
        """Returns whether arrays can be features of a frame; see `VideoTracker.are_of_frame`."""
        return fit(features, self._frame_features())

    def _frame_features(self) -> dict[str, Expected]:
        return {name: level(name, self._cells) for name in _CLICK_FEATURES}

    def attend(self, picture: Arrays, recalled: Recalled, *, cancel: threading.Event | None) -> NDArray[np.floating]:
        """One run of the memory attention; see `VideoTracker.attend`."""
        feeds = {
            "click_2": picture["click_2"],
            "memories": recalled.memories[None],
            "memory_slots": recalled.slots[None],
            "pointers": recalled.pointers[None],
            "pointer_ages": recalled.ages[None],
        }
        (features,) = ask(self.models["memory_attention"], _ATTENDED, feeds, cancel=cancel)
        return features

    def decode(
        self,
        picture: Arrays,
        *,
        attended: NDArray[np.floating] | None,
        clicks: Clicks | None,
        cancel: threading.Event | None,
    ) -> TrackReadings:
        """One run of the track decoder; see `VideoTracker.decode`."""
        features = picture["click_2"] if attended is None else attended
        return self._decoded(picture, features, clicks, mask_prompt=None, cancel=cancel)

    def read_mask(self, picture: Arrays, mask: NDArray[np.float32], *, cancel: threading.Event | None) -> TrackReadings:
        """The mask prompt and one run of the track decoder; see `VideoTracker.read_mask`."""
        feeds = {"click_2": picture["click_2"], "masks": mask[None, None]}
        features, prompt = ask(self.models["mask_prompt"], _PROMPTED, feeds, cancel=cancel, cells=self._cells)
        return self._decoded(picture, features, None, mask_prompt=prompt, cancel=cancel)

    def memorise(
        self,
        picture: Arrays,
        logits: NDArray[np.float32],
        *,
        object_logit: float,
        hard: bool,
        cancel: threading.Event | None,
    ) -> NDArray[np.float16]:
        """One run of the memory encoder; see `VideoTracker.memorise`."""
        model = self.models["memory_encoder"]
        feeds = {
            "click_2": picture["click_2"],
            "masks": logits[None, None],
            "object_logits": np.array([[object_logit]], np.float32),
            "from_points": np.array(hard),
        }
        (memory,) = ask(model, _MEMORY, feeds, cancel=cancel)
        require_within(Output(model.graph.path, "memory"), memory, low=-_HALF_LARGEST, high=_HALF_LARGEST)
        stored: NDArray[np.float16] = memory[0].astype(np.float16)
        return stored

    def _decoded(
        self,
        picture: Arrays,
        features: NDArray[np.generic],
        clicks: Clicks | None,
        *,
        mask_prompt: NDArray[np.floating] | None,
        cancel: threading.Event | None,
    ) -> TrackReadings:
        points, labels = _points_of(clicks)
        finest = (1, 1, *picture["click_0"].shape[-2:])
        feeds = {
            "click_0": picture["click_0"],
            "click_1": picture["click_1"],
            "features": features,
            "points": points[None],
            "point_labels": labels[None],
            "mask_prompt": np.zeros(finest, np.float32) if mask_prompt is None else mask_prompt,
            "has_mask": np.array([mask_prompt is not None]),
        }
        masks, ious, pointers, present = ask(
            self.models["track_decoder"], _ANSWERS, feeds, cancel=cancel, cells=self._cells
        )
        return TrackReadings(
            masks[0].astype(np.float32, copy=False),
            ious[0].astype(np.float32, copy=False),
            pointers[0].astype(np.float32, copy=False),
            float(present[0, 0]),
        )


def _points_of(clicks: Clicks | None) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Returns points (Q, 2) and labels (Q,) as the decoder takes them: a box is its corners, nothing is no point."""
    if clicks is None:
        return np.zeros((1, 2), np.float32), np.array([_NO_POINT], np.int64)
    if clicks.box is None:
        return clicks.points, clicks.labels
    points = np.concatenate([clicks.box.reshape(2, 2), clicks.points]).astype(np.float32)
    return points, np.concatenate([np.array([_UPPER_LEFT, _LOWER_RIGHT], np.int64), clicks.labels])


def read_rules(graph: GraphInfo) -> TrackRules:
    """Reads how a model remembers from the manifest of its memory attention; what is missing has its default.

    Raises:
        ManifestError: An entry is no value of its kind, or out of its range.
    """
    given: dict[str, Any] = {
        "memories": number(graph, "video.num_maskmem", least=2),
        "conditioning": number(graph, "video.max_cond_frame_num", least=1),
        "pointers": number(graph, "video.max_object_pointers_in_encoder", least=1),
        "fewest_points": number(graph, "video.multimask_min_pt_num", least=0),
        "most_points": number(graph, "video.multimask_max_pt_num", least=0),
        "choose_while_tracking": flag(graph, "video.multimask_output_for_tracking"),
        "check_stability": flag(graph, "video.dynamic_multimask_via_stability"),
        "stability_delta": share(graph, "video.dynamic_multimask_stability_delta"),
        "stability_threshold": share(graph, "video.dynamic_multimask_stability_thresh"),
    }
    return TrackRules(**{name: value for name, value in given.items() if value is not None})
