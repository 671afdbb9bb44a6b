"""Does the track head answer as transformers does, clicks, boxes, masks and nothing, for several objects at once?

What they are made from is in `tests/support/tiny_video.py`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
ABSENT = -1024.0


@pytest.fixture(scope="module")
def video(maker: ModuleType) -> ModuleType:
    assert maker
    return importlib.import_module("tests.support.tiny_video")


@pytest.fixture(scope="module")
def tracker(video: ModuleType) -> Any:  # noqa: ANN401 - a model of transformers
    return video.make_tracker(video.make_model())


def levels(video: ModuleType) -> list[Any]:
    grid, width = video.GRID, video.WIDTH
    return [video.noise(1, width // 8, 4 * grid, 4 * grid), video.noise(1, width // 4, 2 * grid, 2 * grid, seed=1)]


def decoder(tracker: Any, video: ModuleType) -> Any:  # noqa: ANN401
    from sam3_onnx.export.modules.tracking import TrackDecoder  # noqa: PLC0415 - only where PyTorch is

    return TrackDecoder(tracker, (video.GRID, video.GRID), (video.SIDE, video.SIDE))


@pytest.mark.parametrize(
    ("points", "labels"),
    [([(0.3, 0.4)], [1]), ([(0.3, 0.4), (0.8, 0.7)], [1, 0]), ([(0.2, 0.1), (0.6, 0.7)], [2, 3]), ([(0, 0)], [-1])],
)
@pytest.mark.parametrize("lift", [5.0, -5.0])
def test_candidates_are_those_of_the_model_also_where_the_object_is_not_there(
    video: ModuleType, points: list[tuple[float, float]], labels: list[int], lift: float
) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    tracker = video.make_tracker(video.make_model())
    tracker.mask_decoder.dynamic_multimask_via_stability = False
    with torch.no_grad():
        tracker.mask_decoder.pred_obj_score_head.proj_out.bias.add_(lift)
        seen = video.noise(1, video.WIDTH, video.GRID, video.GRID, seed=2)
        where, signs = torch.tensor([points], dtype=torch.float32), torch.tensor([labels])
        low = torch.zeros(1, 1, 4 * video.GRID, 4 * video.GRID)
        masks, ious, pointers, present = decoder(tracker, video)(
            *levels(video), seen, where, signs, low, torch.tensor([False])
        )
        for several in (True, False):
            theirs = tracker._single_frame_forward(  # noqa: SLF001 - the model's own step
                input_points=where[None] * video.SIDE,
                input_labels=signs[None],
                image_embeddings=[*levels(video), seen],
                multimask_output=several,
            )
            best = 1 + int(ious[0, 1:].argmax()) if several else 0
            torch.testing.assert_close(ious[0, 1:] if several else ious[0, :1], theirs.iou_scores[0, 0])
            torch.testing.assert_close(masks[0, best], theirs.pred_masks[0, 0], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(pointers[0, best], theirs.object_pointer[0, 0], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(present[0], theirs.object_score_logits[0, 0], atol=1e-4, rtol=1e-4)
    if lift < 0:
        assert (masks == ABSENT).all()
        assert torch.equal(pointers[0, 3], tracker.no_object_pointer[0])


def test_an_empty_slot_of_points_changes_little_and_a_mask_where_there_is_none_nothing(
    tracker: Any,  # noqa: ANN401
    video: ModuleType,
) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    seen, low = video.noise(2, video.WIDTH, 8, 8, seed=2), video.noise(2, 1, 32, 32, seed=3)
    points, labels = torch.rand(2, 2, 2), torch.tensor([[1, -10], [1, -10]])
    head = decoder(tracker, video)
    with torch.no_grad():
        answers = head(*levels(video), seen, points, labels, low, torch.tensor([False, True]))
        moved = points.clone()
        moved[:, 1] = 0.9
        again = head(*levels(video), seen, moved, labels, -low, torch.tensor([False, True]))
    for one, other in zip(answers, again, strict=True):
        torch.testing.assert_close(one[0], other[0])
    assert (answers[0][1] - again[0][1]).abs().max() > 0.01, "the mask counts where it is said to be there"


def test_a_mask_that_is_given_makes_the_pointer_of_the_model(tracker: Any, video: ModuleType) -> None:  # noqa: ANN401
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export.modules.memory import without_memory  # noqa: PLC0415
    from sam3_onnx.export.modules.tracking import MaskPrompt  # noqa: PLC0415

    frame, mask = video.noise(1, video.WIDTH, 8, 8, seed=2), torch.zeros(1, 1, video.SIDE, video.SIDE)
    mask[..., 20:70, 30:90] = 1
    with torch.no_grad():
        raw, prompt = MaskPrompt(tracker, (8, 8))(frame + without_memory(tracker), mask)
        torch.testing.assert_close(raw, frame, atol=1e-5, rtol=1e-5)
        none = torch.zeros(1, 1, 2), torch.tensor([[-1]])
        _, ious, pointers, _ = decoder(tracker, video)(*levels(video), raw, *none, prompt, torch.tensor([True]))
        theirs = tracker._use_mask_as_output(frame, levels(video), mask)  # noqa: SLF001 - the model's own step
    best = pointers[0, 1 + int(ious[0, 1:].argmax())]
    torch.testing.assert_close(best, theirs.object_pointer.reshape(-1), atol=1e-4, rtol=1e-4)
