"""Answers of transformers' own rules to scripted detections and masks; needs PyTorch and transformers."""

# ruff: noqa: ANN401 - what transformers passes to its own methods

from __future__ import annotations

from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from transformers.models.sam3_video import modeling_sam3_video as reference

from tests.support.scripted_tracks import FRAMES, PROMPTS, SIDE, Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sam3_onnx.video.rules.constants import TrackingRules

__all__ = ["ReferenceFrame", "follow_by_reference"]


@dataclass
class ReferenceFrame:
    """What transformers answers for one frame."""

    ids: list[int]
    removed: set[int]
    """On this frame."""
    hidden: set[int]
    masks: dict[int, Any]
    """By id, as transformers pairs them."""
    own_masks: dict[int, Any]
    """By id, each with its own track: what transformers holds before it pairs them."""
    scores: dict[int, float]
    track_scores: dict[int, float]
    memories: dict[int, tuple[Any, float]]


class Kernels:
    """transformers' optional kernels, which need a GPU, by OpenCV: without them it leaves both steps out."""

    @staticmethod
    def generic_nms(
        ious: torch.Tensor, scores: torch.Tensor, threshold: float, *, use_iou_matrix: bool
    ) -> torch.Tensor:
        assert use_iou_matrix
        order, kept, overlaps = scores.numpy().argsort()[::-1], [], ious.numpy()
        while order.size:
            kept.append(order[0])
            order = order[1:][overlaps[order[0], order[1:]] <= threshold]
        return torch.tensor(np.array(kept))

    @staticmethod
    def cc_2d(mask: torch.Tensor, *, get_counts: bool) -> tuple[torch.Tensor, torch.Tensor]:
        assert get_counts
        labels, counts = (torch.zeros(mask.shape, dtype=torch.int32) for _ in range(2))
        for index in range(mask.shape[0]):
            _, found, statistics, _ = cv2.connectedComponentsWithStats(mask[index, 0].numpy(), connectivity=8)
            areas = statistics[:, cv2.CC_STAT_AREA].copy()
            areas[0] = 0
            labels[index, 0], counts[index, 0] = torch.from_numpy(found), torch.from_numpy(areas[found])
        return labels, counts


class ScriptedModel(reference.Sam3VideoModel):
    """transformers' rules with a script in the place of the networks."""

    device = torch.device("cpu")

    def __init__(self, script: Script, rules: TrackingRules) -> None:
        torch.nn.Module.__init__(self)
        self.script = script
        self.seen: dict[str, Any] = {}
        self.low_res_mask_size = SIDE
        self.detector_model = SimpleNamespace(get_vision_features=lambda **_: None)
        self.tracker_model = None
        for name, value in asdict(rules).items():
            setattr(self, name, value)

    def get_vision_features_for_tracker(self, vision_embeds: object) -> tuple[list[Any], list[Any]]:
        del vision_embeds
        return [], []

    def run_detection(self, inference_session: Any, vision_embeds: object) -> dict[int, dict[str, torch.Tensor]]:
        del inference_session, vision_embeds
        found = {}
        for prompt in range(PROMPTS):
            masks, scores = map(torch.from_numpy, self.script.detections(prompt, self.seen["frame"]))
            keep = scores > self.score_threshold_detection
            if self.det_nms_thresh > 0:
                keep &= reference.nms_masks(scores, masks, self.score_threshold_detection, self.det_nms_thresh)
            boxes = torch.zeros(int(keep.sum()), 4)
            found[prompt] = {"bbox": boxes, "mask": masks[keep], "scores": scores[keep]}
        return found

    def run_tracker_propagation(self, inference_session: Any, frame_idx: int, reverse: bool) -> tuple[Any, Any]:  # noqa: FBT001
        del reverse
        ids = self.seen["before"] = list(inference_session.obj_ids)
        if not ids:
            return torch.zeros(0, SIDE, SIDE), torch.zeros(0)
        answers = [self.script.propagated(track, frame_idx) for track in ids]
        for place in range(len(ids)):
            inference_session.output_dict_per_obj[place]["non_cond_frame_outputs"][frame_idx] = {}
        masks = torch.from_numpy(np.stack([answer.logits for answer in answers]))[:, None]
        cleaned = reference.fill_holes_in_mask_scores(masks, max_area=self.fill_hole_area)[:, 0]
        logits = torch.tensor([answer.object_logit for answer in answers], dtype=torch.float64)
        return cleaned.clone(), logits

    def run_memory_encoder(
        self, inference_session: Any, frame_idx: int, high_res_masks: torch.Tensor, object_score_logits: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        del inference_session, frame_idx
        masks = [mask[0].numpy().copy() for mask in high_res_masks]
        logits = [float(logit) for logit in object_score_logits.flatten()]
        self.seen["memories"] = dict(zip(self.seen["before"], zip(masks, logits, strict=True), strict=True))
        return torch.zeros(1, len(masks), 1), torch.zeros(1, len(masks), 1)

    def _tracker_add_new_objects(
        self,
        inference_session: Any,
        frame_idx: int,
        new_obj_ids: list[int],
        new_obj_masks: Any,
        reverse: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        del frame_idx, new_obj_masks, reverse
        for track in new_obj_ids:
            inference_session.obj_id_to_idx(track)

    def build_outputs(self, **given: Any) -> dict[int, torch.Tensor]:
        paired = super().build_outputs(**given)
        session, owners = given["inference_session"], SimpleNamespace(obj_ids=self.seen["before"])
        own: dict[int, torch.Tensor] = super().build_outputs(**{**given, "inference_session": owners})
        self.seen["own"] = {track: mask[0].numpy().copy() for track, mask in own.items()}
        assert session is not owners
        return paired


def follow_by_reference(script: Script, rules: TrackingRules | None = None) -> list[tuple[int, ReferenceFrame]]:
    """What transformers answers for each frame of a script."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # masks are small: threads only wait for each other
    try:
        return list(_frames(script, rules or script.rules()))
    finally:
        torch.set_num_threads(threads)


def _frames(script: Script, rules: TrackingRules) -> Iterator[tuple[int, ReferenceFrame]]:
    reference.cv_utils_kernel = Kernels
    model = ScriptedModel(script, rules)
    session = reference.Sam3VideoInferenceSession(
        video=torch.zeros(FRAMES, 3, 4, 4), video_height=60, video_width=80, dtype=torch.float32
    )
    for prompt in range(PROMPTS):
        session.add_prompt(str(prompt))
    for frame in script.frames():
        model.seen = {"frame": frame, "memories": {}}
        before = set(session.removed_obj_ids)
        given = {"frame": torch.zeros(1, 3, 4, 4)} if script.live else {"reverse": script.reverse}
        found = model(session, frame_idx=frame, **given)
        yield (
            frame,
            ReferenceFrame(
                ids=list(found.object_ids),
                removed=set(found.removed_obj_ids) - before,
                hidden=set(found.suppressed_obj_ids),
                masks={track: mask[0].numpy().copy() for track, mask in found.obj_id_to_mask.items()},
                own_masks=model.seen["own"],
                scores=dict(found.obj_id_to_score),
                track_scores=dict(found.obj_id_to_tracker_score),
                memories=model.seen["memories"],
            ),
        )
