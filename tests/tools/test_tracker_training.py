"""Does the miniature's tracker learn on what transformers' own tracker does with a clip?"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.places import ROOT

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
FRAMES = 18


@pytest.fixture
def tools(maker: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    assert maker
    pytest.importorskip("safetensors")
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "miniature"))
    return {name: importlib.import_module(name) for name in ("clips", "prompting", "rollout", "tracker")}


def reference(model: Any, clip: Any, click: tuple[float, float]) -> list[tuple[Any, float]]:  # noqa: ANN401
    """Mask logits and presence of each frame, by `Sam3TrackerVideoModel` itself."""
    import torch  # noqa: PLC0415 - only where PyTorch is
    from transformers.models.sam3_tracker_video import modeling_sam3_tracker_video as modeling  # noqa: PLC0415

    pixels = torch.from_numpy(clip.frames).float() / 127.5 - 1
    session = modeling.Sam3TrackerVideoInferenceSession(
        video=pixels, video_height=224, video_width=224, dtype=torch.float32
    )
    # transformers drops a dimension of pointers only where it cuts them into pieces: here they are as wide as memories
    whole = model._process_object_pointers  # noqa: SLF001 - the model's own step
    model._process_object_pointers = lambda ages, pointers, *rest: whole(  # noqa: SLF001
        ages, [each.reshape(1, -1) for each in pointers], *rest
    )
    row = session.obj_id_to_idx(1)
    point = torch.tensor([[[list(click)]]]) * 224
    told = {"point_coords": point, "point_labels": torch.ones(1, 1, 1, dtype=torch.int32)}
    session.add_point_inputs(row, 0, told)
    session.obj_with_new_inputs = [1]
    answers = [model(session, frame_idx=index) for index in range(len(pixels))]
    return [(answer.pred_masks[0, 0], float(answer.object_score_logits)) for answer in answers]


def test_the_way_through_a_clip_is_that_of_the_model(tools: dict[str, ModuleType]) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    rollout, model = tools["rollout"], tools["tracker"].build_tracker().eval()
    with torch.no_grad():
        model.mask_decoder.pred_obj_score_head.proj_out.weight.mul_(0.3)
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(1.0)
    clip = tools["clips"].draw_clip(np.random.default_rng(3), tools["clips"].Plot(frames=FRAMES, things=2))
    click = tools["prompting"].click_on(clip.masks[0, 0])
    tracker = tools["tracker"].Tracker(model)
    prompts = rollout.Prompts(
        torch.tensor([[click]], dtype=torch.float32),
        torch.ones(1, 1, dtype=torch.int64),
        torch.zeros(1, 1, 224, 224),
        torch.tensor([False]),
    )
    with torch.no_grad():
        seen = tracker.features(torch.from_numpy(clip.frames))
        steps = rollout.roll_out(tracker, seen, torch.tensor([0]), prompts, FRAMES)
        theirs = reference(model, clip, click)
    for step, (mask, present) in zip(steps, theirs, strict=True):
        assert float(step.present) == pytest.approx(present, abs=2e-3)
        assert present > 0, "masks are compared where the object is said to be there"
        torch.testing.assert_close(step.best[0], mask, atol=0.05, rtol=0.02)
