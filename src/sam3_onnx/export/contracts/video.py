"""The graphs with which a native bundle follows objects through a video, and the rules of it in the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from sam3_onnx.errors import OptionError
from sam3_onnx.export.graphs import Graph
from sam3_onnx.export.modules.memory import MemoryAttention, MemoryEncoder
from sam3_onnx.export.modules.tracking import MaskPrompt, TrackDecoder

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MEMORY_RULES", "WORD_RULES", "require_square", "video_graphs", "video_manifest"]

_PREFIX = "sam3_onnx.video."
_MOST, _LARGEST = 4096, 1 << 15
"""Of what is open in a graph: numbers of objects and the like, and sides of a mask."""
MEMORY_RULES = (
    "num_maskmem",
    "max_cond_frame_num",
    "max_object_pointers_in_encoder",
    "multimask_min_pt_num",
    "multimask_max_pt_num",
    "multimask_output_for_tracking",
)
"""Fields of `Sam3TrackerVideoConfig`: what is remembered, and when there is more than one candidate."""
_DECODER_RULES = (
    "dynamic_multimask_via_stability",
    "dynamic_multimask_stability_delta",
    "dynamic_multimask_stability_thresh",
)
"""Fields of its `mask_decoder_config`: when a single mask is unstable, so that another is taken."""
WORD_RULES = (
    "score_threshold_detection",
    "det_nms_thresh",
    "assoc_iou_thresh",
    "trk_assoc_iou_thresh",
    "new_det_thresh",
    "recondition_on_trk_masks",
    "hotstart_delay",
    "hotstart_unmatch_thresh",
    "hotstart_dup_thresh",
    "suppress_unmatched_only_within_hotstart",
    "init_trk_keep_alive",
    "max_trk_keep_alive",
    "min_trk_keep_alive",
    "suppress_overlapping_based_on_recent_occlusion_threshold",
    "decrease_trk_keep_alive_for_empty_masklets",
    "fill_hole_area",
    "max_num_objects",
    "recondition_every_nth_frame",
    "high_conf_thresh",
    "high_iou_thresh",
)
"""Fields of `Sam3VideoConfig`: how detections become tracks."""


def require_square(size: tuple[int, int] | None) -> None:
    """Makes sure that a tracker of videos gets the square input that transformers' one is made for.

    Raises:
        OptionError: Height and width differ.
    """
    if size is not None and size[0] != size[1]:
        raise OptionError("size", expected="equal height and width where there is video", got=size)


def video_manifest(tracker: nn.Module, rules: object | None) -> dict[str, str]:
    """Returns the rules of a tracker as manifest entries.

    Args:
        tracker: transformers' `Sam3TrackerVideoModel`.
        rules: transformers' `Sam3VideoConfig` with the rules for words; None leaves them out.
    """
    config = tracker.config
    known = {name: getattr(config, name) for name in MEMORY_RULES}
    known |= {name: getattr(config.mask_decoder_config, name) for name in _DECODER_RULES}
    known |= {} if rules is None else {name: getattr(rules, name) for name in WORD_RULES}
    return {_PREFIX + name: str(value).lower() for name, value in known.items()}


def video_graphs(tracker: nn.Module, grid: tuple[int, int], size: tuple[int, int], *, fused: bool) -> list[Graph]:
    """Returns the four graphs of a video.

    Args:
        tracker: transformers' `Sam3TrackerVideoModel`.
        grid: (h, w) of the coarsest features.
        size: (height, width) of the input.
        fused: Attention to memories is one operator of ONNX Runtime.
    """
    objects = torch.export.Dim("objects", min=1, max=_MOST)
    frame = torch.rand(1, tracker.hidden_dim, *grid)
    masks = Graph(
        "mask_prompt",
        MaskPrompt(tracker, grid),
        (frame, torch.rand(2, 1, *size).round()),
        ("click_2", "masks"),
        ("features", "mask_prompt"),
        {"masks": {0: objects}},
    )
    return [
        _memory_attention(tracker, frame, objects, fused=fused),
        _track_decoder(tracker, grid, size, objects),
        _memory_encoder(tracker, frame, objects),
        masks,
    ]


def _memory_attention(tracker: nn.Module, frame: torch.Tensor, objects: object, *, fused: bool) -> Graph:
    grid = (frame.shape[2], frame.shape[3])
    memories = torch.export.Dim("memories", min=1, max=_MOST)
    pointers = torch.export.Dim("pointers", min=0, max=_MOST)
    remembered, pointed = {0: objects, 1: memories}, {0: objects, 1: pointers}
    slots = torch.tensor([[6, 1, 0], [6, 2, 1]]) % tracker.num_maskmem
    return Graph(
        "memory_attention",
        MemoryAttention(tracker, grid, fused=fused),
        (
            frame,
            torch.rand(2, 3, tracker.mem_dim, *grid),
            slots,
            torch.rand(2, 4, tracker.hidden_dim),
            torch.rand(2, 4),
        ),
        ("click_2", "memories", "memory_slots", "pointers", "pointer_ages"),
        ("features",),
        {"memories": remembered, "memory_slots": remembered, "pointers": pointed, "pointer_ages": pointed},
    )


def _track_decoder(tracker: nn.Module, grid: tuple[int, int], size: tuple[int, int], objects: object) -> Graph:
    width, (rows, columns) = tracker.hidden_dim, grid
    fine, middle = (torch.rand(1, width // share, scale * rows, scale * columns) for share, scale in ((8, 4), (4, 2)))
    each, shown = {0: objects}, {0: objects, 1: torch.export.Dim("points", min=1, max=_MOST)}
    seen, low = torch.rand(2, width, *grid), torch.rand(2, 1, 4 * rows, 4 * columns)
    prompts = torch.rand(2, 3, 2), torch.tensor([[1, 0, -1], [2, 3, -10]]), low, torch.tensor([True, False])
    return Graph(
        "track_decoder",
        TrackDecoder(tracker, grid, size),
        (fine, middle, seen, *prompts),
        ("click_0", "click_1", "features", "points", "point_labels", "mask_prompt", "has_mask"),
        ("masks", "ious", "pointers", "object_logits"),
        {"features": each, "points": shown, "point_labels": shown, "mask_prompt": each, "has_mask": each},
    )


def _memory_encoder(tracker: nn.Module, frame: torch.Tensor, objects: object) -> Graph:
    height, width = (torch.export.Dim(name, min=2, max=_LARGEST) for name in ("mask_height", "mask_width"))
    rows, columns = frame.shape[2:]
    masks, logits = torch.rand(2, 1, 14 * rows, 13 * columns), torch.tensor([[1.0], [-1.0]])
    return Graph(
        "memory_encoder",
        MemoryEncoder(tracker, (rows, columns)),
        (frame, masks, logits, torch.tensor(False)),  # noqa: FBT003 - a tensor
        ("click_2", "masks", "object_logits", "from_points"),
        ("memory",),
        {"masks": {0: objects, 2: height, 3: width}, "object_logits": {0: objects}},
    )
