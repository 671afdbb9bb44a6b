"""Are memories made and looked at as transformers does, for any number of objects, memories and pointers?

What they are made from is in `tests/support/tiny_video.py`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def video(maker: ModuleType) -> ModuleType:
    assert maker
    return importlib.import_module("tests.support.tiny_video")


@pytest.fixture(scope="module")
def tracker(video: ModuleType) -> Any:  # noqa: ANN401 - a model of transformers
    return video.make_tracker(video.make_model())


def flat(features: Any) -> Any:  # noqa: ANN401 - tensors
    """(B, C, h, w) as transformers hands it on."""
    return features.flatten(2).permute(2, 0, 1)


def attended(tracker: Any, video: ModuleType, count: int, pointed: int) -> tuple[Any, Any]:  # noqa: ANN401
    """One object through the module, and through `Sam3TrackerVideoMemoryAttention` with all that it wants prepared."""
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export.modules.memory import MemoryAttention, without_memory  # noqa: PLC0415

    grid, width, channels = video.GRID, video.WIDTH, video.MEMORY
    frame, memories = video.noise(1, width, grid, grid), video.noise(1, count, channels, grid, grid, seed=1)
    slots, pointers = torch.arange(count)[None] % tracker.num_maskmem, video.noise(1, pointed, width, seed=2)
    ages = torch.arange(pointed)[None] / 15
    with torch.no_grad():
        module = MemoryAttention(tracker, (grid, grid))
        ours = module(frame + without_memory(tracker), memories, slots, pointers, ages)
        places = tracker.memory_encoder.position_encoding((1, channels, grid, grid), torch.device("cpu"), torch.float32)
        keys = [flat(memories[:, each]) for each in range(count)]
        where = [flat(places) + tracker.memory_temporal_positional_encoding[slot] for slot in slots[0]]
        tokens = 0
        if pointed:
            offsets = torch.arange(pointed).tolist()
            told, aged = tracker._process_object_pointers(offsets, list(pointers[0][:, None]), 16, 1, width, "cpu")  # noqa: SLF001
            keys, where, tokens = [*keys, told], [*where, aged], len(told)
        neck = tracker.vision_encoder.neck.position_encoding(frame.shape, torch.device("cpu"), torch.float32)
        theirs = tracker.memory_attention(
            current_vision_features=flat(frame),
            current_vision_position_embeddings=flat(neck),
            memory=torch.cat(keys),
            memory_posision_embeddings=torch.cat(where),
            num_object_pointer_tokens=tokens,
        )
    return ours, theirs.squeeze(1).transpose(1, 2).reshape(ours.shape)


@pytest.mark.parametrize(("count", "pointed"), [(1, 0), (1, 1), (3, 4), (7, 16), (10, 0)])
def test_a_frame_looks_at_memories_and_pointers_as_the_model_does(
    tracker: Any,  # noqa: ANN401
    video: ModuleType,
    count: int,
    pointed: int,
) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    ours, theirs = attended(tracker, video, count, pointed)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_each_object_sees_its_own_memories(tracker: Any, video: ModuleType) -> None:  # noqa: ANN401
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export.modules.memory import MemoryAttention  # noqa: PLC0415

    grid, width = video.GRID, video.WIDTH
    frame, memories = video.noise(1, width, grid, grid), video.noise(3, 2, video.MEMORY, grid, grid, seed=1)
    slots, pointers, ages = torch.tensor([[6, 0], [6, 1], [5, 3]]), video.noise(3, 2, width, seed=2), torch.rand(3, 2)
    module = MemoryAttention(tracker, (grid, grid))
    with torch.no_grad():
        together = module(frame, memories, slots, pointers, ages)
        alone = [
            module(frame, *(each[row : row + 1] for each in (memories, slots, pointers, ages))) for row in range(3)
        ]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=0.1)


@pytest.mark.parametrize("is_prompted", [True, False])
def test_a_memory_is_made_as_the_model_makes_it(tracker: Any, video: ModuleType, *, is_prompted: bool) -> None:  # noqa: ANN401
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export.modules.memory import MemoryEncoder, without_memory  # noqa: PLC0415

    side = video.SIDE
    frame, masks = video.noise(1, video.WIDTH, video.GRID, video.GRID), 5 * video.noise(2, 1, side, side, seed=1)
    logits, prompted = torch.tensor([[3.0], [-3.0]]), torch.tensor(is_prompted)
    with torch.no_grad():
        encode = MemoryEncoder(tracker, (video.GRID, video.GRID))
        ours = encode(frame + without_memory(tracker), masks, logits, prompted)
        theirs, _ = tracker._encode_new_memory(flat(frame).expand(-1, 2, -1), masks, logits[..., None], is_prompted)  # noqa: SLF001
        other = encode(frame + without_memory(tracker), masks, logits, ~prompted)
    # the model hands memories on as bfloat16
    torch.testing.assert_close(flat(ours), theirs.float(), atol=0.01, rtol=0.01)
    assert (ours - other).abs().mean() > 0.05, "soft and hard masks make another memory"


def test_a_model_without_an_embedding_of_what_is_hidden_gets_none(tracker: Any, video: ModuleType) -> None:  # noqa: ANN401
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export.modules.memory import MemoryEncoder  # noqa: PLC0415

    plain = video.make_tracker(video.make_model())
    plain.occlusion_spatial_embedding_parameter = None
    given = video.noise(1, video.WIDTH, video.GRID, video.GRID), video.noise(1, 1, 20, 30), torch.tensor([[-1.0]])
    with torch.no_grad():
        memories = [MemoryEncoder(each, (8, 8))(*given, torch.tensor(False)) for each in (tracker, plain)]  # noqa: FBT003
    added = tracker.occlusion_spatial_embedding_parameter.detach()[..., None, None].expand_as(memories[0])
    torch.testing.assert_close(memories[0] - memories[1], added, atol=1e-5, rtol=1e-5)
