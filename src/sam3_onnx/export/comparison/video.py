"""Holds the video graphs of a bundle against the `Sam3TrackerVideoModel` they came from, each by itself.

Every graph gets what the model's own step gets, so that one that is wrong cannot hide behind another.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import torch
from transformers.models.sam3_tracker_video.modeling_sam3_tracker_video import Sam3TrackerVideoInferenceSession

from sam3_onnx.export.comparison.clicks import CLICK_FEATURES
from sam3_onnx.export.comparison.overlap import smallest_iou
from sam3_onnx.export.modules.memory import without_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray
    from torch import nn

    Floats = NDArray[np.float32]

__all__ = ["Difference", "compare_video"]

_ROLES = ("memory_attention", "track_decoder", "memory_encoder", "mask_prompt")
_FRAMES = 40
"""Frames of the video that the model believes to be in."""
_RECALLS: tuple[tuple[int, bool, tuple[int, ...], tuple[int, ...]], ...] = (
    (1, False, (0,), ()),
    (9, False, (0, 5), (1, 2, 3, 4, 6, 7, 8)),
    (30, False, (0, 12), tuple(range(14, 30))),
    (8, True, (12,), (9, 10, 11)),
    (4, False, (6,), ()),
)
"""Frame, whether time runs backwards, frames that were prompted, frames that were tracked. In the last case no pointer
counts, because the one there is comes later."""
_PROMPTS: tuple[tuple[list[tuple[float, float]], list[int]], ...] = (
    ([(0.3, 0.4)], [1]),
    ([(0.3, 0.4), (0.8, 0.7)], [1, 0]),
    ([(0.2, 0.1), (0.6, 0.7), (0.4, 0.3)], [2, 3, 1]),
    ([(0.0, 0.0)], [-1]),
)


@dataclass(frozen=True)
class Difference:
    """How far a graph and the model's own step differ in one case."""

    score: float = 0.0
    """Largest difference of an expected IoU, or of the probability that the object is there."""
    memory: float = 0.0
    """Mean difference of features, of a memory or of a pointer, in standard deviations of the model's."""
    mask_iou: float = 1.0


def compare_video(folder: Path, tracker: nn.Module, encoded: Mapping[str, Floats]) -> Iterator[Difference]:
    """Asks graphs and model the same: memories near and far, both ways in time; clicks, a box, nothing, a mask.

    Args:
        folder: Holds the bundle.
        tracker: The model.
        encoded: What the bundle's image encoder answers for a picture.
    """
    pair = _Pair(folder, tracker, encoded)
    with torch.no_grad():
        for frame, is_reverse, prompted, tracked in _RECALLS:
            yield pair.recall(frame, prompted, tracked, is_reverse=is_reverse)
        for points, labels in _PROMPTS:
            yield pair.point_at(points, labels)
        for is_prompted in (True, False):
            yield pair.remember(is_prompted=is_prompted)
        yield pair.take_mask()


class _Pair:
    """The graphs and the model, on one picture."""

    def __init__(self, folder: Path, tracker: nn.Module, encoded: Mapping[str, Floats]) -> None:
        self.tracker, self.encoded = tracker, encoded
        self.graphs = {
            role: ort.InferenceSession(str(folder / f"{role}.onnx"), providers=["CPUExecutionProvider"])
            for role in _ROLES
        }
        fine, middle, coarse = (torch.from_numpy(encoded[name]) for name in CLICK_FEATURES)
        self.levels, self.frame = [fine, middle], coarse - without_memory(tracker)
        self.random = torch.Generator().manual_seed(0)

    def run(self, role: str, **feeds: torch.Tensor) -> list[Floats]:
        """Answers of a graph, which takes the picture's features besides."""
        taken = [each.name for each in self.graphs[role].get_inputs()]
        known: dict[str, NDArray[Any]] = {name: each.numpy() for name, each in feeds.items()}
        answers: list[Floats] = self.graphs[role].run(None, {name: {**self.encoded, **known}[name] for name in taken})
        return answers

    def recall(
        self, frame: int, prompted: tuple[int, ...], tracked: tuple[int, ...], *, is_reverse: bool
    ) -> Difference:
        """A frame of a video of which some frames are remembered: `_prepare_memory_conditioned_features`."""
        tracker, sign = self.tracker, -1 if is_reverse else 1
        most = min(_FRAMES, tracker.config.max_object_pointers_in_encoder)
        near = [each for each in tracked if 0 < sign * (frame - each) < tracker.num_maskmem]
        pointing = [each for each in prompted if sign * (frame - each) >= 0]
        pointing += [each for each in tracked if 0 < sign * (frame - each) < most]
        memories, pointers = self._remembered({*prompted, *tracked})
        slots = [tracker.num_maskmem - 1] * len(prompted) + [sign * (frame - each) - 1 for each in near]
        ages = torch.tensor([[sign * (frame - each) for each in pointing]], dtype=torch.float32) / max(most - 1, 1)
        (ours,) = self.run(
            "memory_attention",
            memories=torch.stack([memories[each] for each in (*prompted, *near)], 1),
            memory_slots=torch.tensor([slots]),
            pointers=torch.stack([torch.zeros(1, tracker.hidden_dim), *(pointers[each] for each in pointing)], 1)[
                :, 1:
            ],
            pointer_ages=ages.reshape(1, -1),
        )
        theirs = tracker._prepare_memory_conditioned_features(  # noqa: SLF001 - the model's own step
            self._session(memories, pointers, prompted, tracked),
            frame_idx=frame,
            obj_idx=0,
            is_initial_conditioning_frame=False,
            current_vision_features=_flat(self.frame),
            current_vision_positional_embeddings=_flat(self._places(self.frame.shape)),
            num_total_frames=_FRAMES,
            track_in_reverse_time=is_reverse,
        )
        return Difference(memory=_distance(ours, theirs))

    def point_at(self, points: list[tuple[float, float]], labels: list[int]) -> Difference:
        """Two objects of which the first is seen with memories and the second without: `_single_frame_forward`."""
        tracker, side = self.tracker, self.tracker.image_size
        seen = torch.cat([self.frame + torch.randn(self.frame.shape, generator=self.random), self._unseen])
        where, signs = torch.tensor([points] * 2), torch.tensor([labels] * 2)
        none = torch.zeros(2, 1, *self.levels[0].shape[2:]), torch.zeros(2, dtype=torch.bool)
        answers = self.run(
            "track_decoder", features=seen, points=where, point_labels=signs, mask_prompt=none[0], has_mask=none[1]
        )
        found = []
        for row in range(2):
            for several in (True, False):
                with _single_mask_kept(tracker):
                    theirs = tracker._single_frame_forward(  # noqa: SLF001 - the model's own step
                        input_points=where[row : row + 1, None] * side,
                        input_labels=signs[row : row + 1, None],
                        image_embeddings=[*self.levels, seen[row : row + 1]],
                        multimask_output=several,
                    )
                found.append(_decoded([answer[row] for answer in answers], theirs, several=several))
        return _worst(found)

    def remember(self, *, is_prompted: bool) -> Difference:
        """Masks of two objects, one of which is not there: `_encode_new_memory`, which rounds to bfloat16."""
        logits, side = torch.tensor([[2.0], [-2.0]]), self.tracker.image_size
        masks = torch.randn(2, 1, side // 4, side // 4, generator=self.random) * 5
        masks = torch.nn.functional.interpolate(masks, size=(side, side), mode="bilinear")
        (ours,) = self.run("memory_encoder", masks=masks, object_logits=logits, from_points=torch.tensor(is_prompted))
        theirs, _ = self.tracker._encode_new_memory(  # noqa: SLF001 - the model's own step
            _flat(self.frame).expand(-1, 2, -1), masks, logits[..., None], is_prompted
        )
        rounded = torch.from_numpy(ours).to(torch.bfloat16).float()
        return Difference(memory=_distance(rounded.flatten(2).permute(2, 0, 1).numpy(), theirs.float()))

    def take_mask(self) -> Difference:
        """A mask that is given: `_use_mask_as_output`."""
        tracker = self.tracker
        mask = torch.zeros(1, 1, tracker.image_size, tracker.image_size)
        mask[..., tracker.image_size // 5 : tracker.image_size // 2, tracker.image_size // 3 :] = 1
        features, prompt = (torch.from_numpy(each) for each in self.run("mask_prompt", masks=mask))
        _, ious, pointers, _ = self.run(
            "track_decoder",
            features=features,
            points=torch.zeros(1, 1, 2),
            point_labels=torch.tensor([[-1]]),
            mask_prompt=prompt,
            has_mask=torch.tensor([True]),
        )
        theirs = tracker._use_mask_as_output(self.frame, self.levels, mask)  # noqa: SLF001 - the model's own step
        ours = pointers[0, 1 + int(ious[0, 1:].argmax())]
        return Difference(memory=_distance(ours, theirs.object_pointer.reshape(-1)))

    @property
    def _unseen(self) -> torch.Tensor:
        return torch.from_numpy(self.encoded[CLICK_FEATURES[2]])

    def _remembered(self, frames: set[int]) -> tuple[dict[int, torch.Tensor], dict[int, torch.Tensor]]:
        """For each frame a memory (1, D, h, w), as coarse as bfloat16, and a pointer (1, C)."""
        shape = (1, self.tracker.mem_dim, *self.frame.shape[2:])
        memories = {each: torch.randn(shape, generator=self.random).bfloat16().float() for each in sorted(frames)}
        width = self.tracker.hidden_dim
        return memories, {each: torch.randn(1, width, generator=self.random) for each in sorted(frames)}

    def _session(
        self,
        memories: Mapping[int, torch.Tensor],
        pointers: Mapping[int, torch.Tensor],
        prompted: tuple[int, ...],
        tracked: tuple[int, ...],
    ) -> Sam3TrackerVideoInferenceSession:
        shape = (1, self.tracker.mem_dim, *self.frame.shape[2:])
        places = self.tracker.memory_encoder.position_encoding(shape, torch.device("cpu"), torch.float32)

        def outputs(frames: tuple[int, ...]) -> dict[int, dict[str, torch.Tensor]]:
            return {
                each: {
                    "maskmem_features": _flat(memories[each]),
                    "maskmem_pos_enc": _flat(places),
                    "object_pointer": pointers[each],
                }
                for each in frames
            }

        session = Sam3TrackerVideoInferenceSession(dtype=torch.float32)
        remembered = {"cond_frame_outputs": outputs(prompted), "non_cond_frame_outputs": outputs(tracked)}
        session.output_dict_per_obj[session.obj_id_to_idx(1)] = remembered
        return session

    def _places(self, shape: torch.Size) -> torch.Tensor:
        places: torch.Tensor = self.tracker.vision_encoder.neck.position_encoding(
            shape, torch.device("cpu"), torch.float32
        )
        return places


def _flat(features: torch.Tensor) -> torch.Tensor:
    """(B, C, h, w) as transformers hands features on, (h * w, B, C)."""
    return features.flatten(2).permute(2, 0, 1)


def _distance(ours: Floats, theirs: torch.Tensor) -> float:
    expected = theirs.numpy()
    return float(np.abs(ours - expected).mean() / expected.std())


def _decoded(answers: list[Floats], theirs: Any, *, several: bool) -> Difference:  # noqa: ANN401 - transformers' own output
    """The candidate that the model chose, among those of the graph."""
    masks, ious, pointers, present = answers
    expected = theirs.iou_scores[0, 0].numpy()
    chosen = 1 + int(expected.argmax()) if several else 0
    scores = np.abs(ious[1:] - expected if several else ious[:1] - expected).max()
    there = (torch.from_numpy(present).sigmoid() - theirs.object_score_logits[0, 0].sigmoid()).abs().max()
    return Difference(
        score=float(max(scores, there)),
        memory=_distance(pointers[chosen], theirs.object_pointer[0, 0]),
        mask_iou=smallest_iou(masks[chosen] > 0, theirs.pred_masks[0, 0].numpy() > 0),
    )


def _worst(found: list[Difference]) -> Difference:
    return Difference(
        max(each.score for each in found), max(each.memory for each in found), min(each.mask_iou for each in found)
    )


@contextlib.contextmanager
def _single_mask_kept(tracker: nn.Module) -> Iterator[None]:
    """Lets the model answer with its single mask even if that is unstable: which one counts is the caller's choice."""
    decoder = tracker.mask_decoder
    usual = decoder.dynamic_multimask_via_stability
    decoder.dynamic_multimask_via_stability = False
    try:
        yield
    finally:
        decoder.dynamic_multimask_via_stability = usual
