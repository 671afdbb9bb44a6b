"""How were the bundle and the golden answers in `tests/data/video` made?

`python -m tests.support.make_video [FOLDER]`, with the extras `[export,test]`. A transformers
`Sam3TrackerVideoModel` of random weights, seeded, is exported beside the `Sam3Model` of `make_native` by
`sam3_onnx.export`, and the same tracker follows the objects of `video_cases.CASES` in PyTorch. Nothing of the library's
own memory is used for the answers.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional
from transformers import Sam3TrackerVideoConfig, Sam3TrackerVideoModel
from transformers.models.sam3_tracker_video.modeling_sam3_tracker_video import Sam3TrackerVideoInferenceSession

from sam3_onnx.export import export_bundle
from sam3_onnx.images import to_model_input
from tests.support.make_native import HEADS, WIDTH, make_model, token_remap
from tests.support.places import VIDEO
from tests.support.video_cases import CASES, Point, things
from tests.support.video_cases import HEIGHT as FRAME_HEIGHT
from tests.support.video_cases import WIDTH as FRAME_WIDTH

if TYPE_CHECKING:
    from transformers import Sam3Model

    from tests.support.video_cases import Case

SIDE, GRID = 112, 8
MEMORY = 16
"""Channels of memories; SAM 3 has 64."""
SEED = 2
SPREAD = 0.9
"""Wide enough that answers depend on memory, narrow enough that its rounding to 16 bits changes little."""


def make_video_tracker(model: Sam3Model) -> Sam3TrackerVideoModel:
    """The true architecture, small, on the model's own backbone, with random weights."""
    config = Sam3TrackerVideoConfig(
        vision_config=model.config.vision_config.to_dict(),
        image_size=SIDE,
        prompt_encoder_config={"hidden_size": WIDTH, "image_size": SIDE, "patch_size": 14, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": WIDTH,
            "mlp_dim": 2 * WIDTH,
            "num_attention_heads": HEADS,
            "iou_head_hidden_dim": WIDTH,
        },
        memory_attention_hidden_size=WIDTH,
        memory_attention_feed_forward_hidden_size=2 * WIDTH,
        memory_attention_num_layers=2,
        memory_attention_rope_feat_sizes=[GRID, GRID],
        memory_encoder_hidden_size=WIDTH,
        memory_encoder_output_channels=MEMORY,
        mask_downsampler_embed_dim=WIDTH,
        mask_downsampler_stride=4,
        memory_fuser_embed_dim=WIDTH,
        memory_fuser_intermediate_dim=2 * WIDTH,
    )
    torch.manual_seed(SEED)
    tracker = Sam3TrackerVideoModel(config).eval()
    for layer in tracker.memory_attention.layers:  # transformers fixes the channels of memories here
        layer.cross_attn_image.k_proj = torch.nn.Linear(MEMORY, WIDTH)
        layer.cross_attn_image.v_proj = torch.nn.Linear(MEMORY, WIDTH)
    with torch.no_grad():
        for name, weights in tracker.named_parameters():
            if (
                ("memory_fuser" in name and name.endswith("scale"))
                or "embedding" in name
                or "pointer" in name
                or "temporal" in name
            ):
                weights.normal_(0, 0.5)
            elif weights.ndim > 1:
                weights.copy_(torch.randn_like(weights) * SPREAD / weights[0].numel() ** 0.5)
        shared, prompts = tracker.shared_image_embedding, tracker.prompt_encoder.shared_embedding
        shared.positional_embedding.copy_(prompts.positional_embedding)
    tracker.vision_encoder.backbone.load_state_dict(model.vision_encoder.backbone.state_dict())
    return tracker


def follow(tracker: Sam3TrackerVideoModel, case: Case) -> dict[int, dict[int, tuple[Any, float]]]:
    """Runs a case as the reference is used: prompts are given when their frame comes, or before all of them.

    Returns:
        For each frame and object the last mask logits (h, w) and object logit.
    """
    frames, masks = things()
    pixels = [torch.from_numpy(to_model_input(frame, (SIDE, SIDE))).float() / 127.5 - 1 for frame in frames]
    session = Sam3TrackerVideoInferenceSession(
        video=torch.stack(pixels), video_height=FRAME_HEIGHT, video_width=FRAME_WIDTH, dtype=torch.float32
    )
    waiting: dict[int, list[Point]] = {}
    answers: dict[int, dict[int, tuple[Any, float]]] = {}

    def look(index: int, *, reverse: bool) -> None:
        points = waiting.pop(index, [])
        for point in points:
            tell(session, point, masks)
        session.obj_with_new_inputs = [point.track for point in points]
        found = tracker(session, frame_idx=index, reverse=reverse)
        answers[index] = {
            track: (found.pred_masks[place, 0].numpy().copy(), float(found.object_score_logits[place]))
            for place, track in enumerate(found.object_ids)
        }

    with torch.inference_mode():
        for deed in case.deeds:
            if isinstance(deed, Point):
                waiting.setdefault(deed.frame, []).append(deed)
                continue
            for index in sorted(set(waiting) - {deed.start}):
                look(index, reverse=deed.reverse)
            for index in deed.path:
                look(index, reverse=deed.reverse)
    return answers


def tell(session: Sam3TrackerVideoInferenceSession, point: Point, masks: list[Any]) -> None:
    """Gives the reference a prompt, as `Sam3TrackerVideoProcessor` does."""
    place = session.obj_id_to_idx(point.track)
    if point.thing is not None:
        mask = torch.from_numpy(masks[point.frame][point.thing])[None, None].float()
        wide = functional.interpolate(mask, size=(SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)
        session.add_mask_inputs(place, point.frame, (wide >= 0.5).float())
        return
    corners = [] if point.box is None else [point.box[:2], point.box[2:]]
    spots = [(x / FRAME_WIDTH * SIDE, y / FRAME_HEIGHT * SIDE) for x, y in [*corners, *point.points]]
    labels = [*([] if point.box is None else [2, 3]), *point.labels]
    given = {
        "point_coords": torch.tensor([[spots]], dtype=torch.float32),
        "point_labels": torch.tensor([[labels]], dtype=torch.int32),
    }
    session.add_point_inputs(place, point.frame, given)


def write_answers(tracker: Sam3TrackerVideoModel, path: Path) -> None:
    """Stores masks as bits of (H, W), and object scores in 0..1."""
    stored: dict[str, Any] = {}
    for name, case in CASES.items():
        scores = []
        for index, found in follow(tracker, case).items():
            for track, (logits, score) in found.items():
                if index in case.seen:
                    wide = functional.interpolate(
                        torch.from_numpy(logits)[None, None], size=(FRAME_HEIGHT, FRAME_WIDTH), mode="bilinear"
                    )
                    stored[f"{name}/{index}/{track}/mask"] = np.packbits((wide[0, 0] > 0).numpy())
                    stored[f"{name}/{index}/{track}/score"] = np.float64(torch.tensor(score).double().sigmoid())
                    scores.append(score)
        sys.stdout.write(f"{name}: {len(scores)} objects, {sum(score > 0 for score in scores)} to be seen\n")
    np.savez_compressed(path, **stored)


def main(folder: Path) -> None:
    """Writes the graphs and `ref.npz`, and says how well the graphs agree with PyTorch."""
    model = make_model((SIDE, SIDE))
    tracker = make_video_tracker(model)
    for part in (model, tracker):
        part.half().float()
    write_answers(tracker, folder / "ref.npz")
    report = export_bundle(
        model,
        folder / "bundle",
        source="random weights",
        licence="MIT",
        tracker=tracker,
        storage="float16",
        attention="plain",
        split_masks=False,
        token_remap=token_remap(),
    )
    (folder / "bundle" / "click_decoder.onnx").unlink()
    sys.stdout.write(f"{report}\n")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else VIDEO
    target.mkdir(exist_ok=True)
    main(target)
