"""Is it noticed that the video graphs of a bundle are not the tracker's any more, whichever part of it changed?

What they are made from is in `tests/support/tiny_video.py`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]

ALLOWED = 1e-3
"""`comparison.report`: of scores and of memories, at least ten times what they may differ by without a mistake."""


@pytest.fixture(scope="module")
def video(maker: ModuleType) -> ModuleType:
    assert maker
    return importlib.import_module("tests.support.tiny_video")


@pytest.fixture(scope="module")
def graphs(video: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sam3_onnx.export.contracts.video import video_graphs  # noqa: PLC0415 - only where PyTorch is
    from sam3_onnx.export.graphs import write_graph  # noqa: PLC0415

    folder, tracker = tmp_path_factory.mktemp("graphs"), video.make_tracker(video.make_model())
    for graph in video_graphs(tracker, (video.GRID, video.GRID), (video.SIDE, video.SIDE), fused=False):
        write_graph(graph, folder, {"sam3_onnx.role": graph.role}, storage="float32")
    return folder


def worst(folder: Path, tracker: Any, video: ModuleType) -> float:  # noqa: ANN401 - a model of transformers
    """The largest difference of all cases, of scores or of memories."""
    from sam3_onnx.export.comparison.video import compare_video  # noqa: PLC0415 - only where PyTorch is
    from sam3_onnx.export.modules.memory import without_memory  # noqa: PLC0415

    grid, width = video.GRID, video.WIDTH
    frame = video.noise(1, width, grid, grid, seed=2)
    unchanged = video.make_tracker(video.make_model())
    encoded = {
        "click_0": video.noise(1, width // 8, 4 * grid, 4 * grid).numpy(),
        "click_1": video.noise(1, width // 4, 2 * grid, 2 * grid, seed=1).numpy(),
        "click_2": (frame + without_memory(unchanged)).numpy(),
    }
    return max(max(each.score, each.memory) for each in compare_video(folder, tracker, encoded))


def test_graphs_are_the_tracker_they_were_made_from(graphs: Path, video: ModuleType) -> None:
    assert worst(graphs, video.make_tracker(video.make_model()), video) < ALLOWED / 10


@pytest.mark.parametrize(
    "changed",
    [
        "memory_temporal_positional_encoding",
        "temporal_positional_encoding_projection_layer.weight",
        "memory_attention.layers.1.cross_attn_image.v_proj.bias",
        "memory_encoder.projection.weight",
        "occlusion_spatial_embedding_parameter",
        "mask_downsample.weight",
        "object_pointer_proj.proj_in.bias",
        "no_memory_embedding",
        "prompt_encoder.not_a_point_embed.weight",
        "mask_decoder.iou_token.weight",
    ],
)
def test_a_part_that_changed_is_noticed(graphs: Path, video: ModuleType, changed: str) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    tracker = video.make_tracker(video.make_model())
    with torch.no_grad():
        weights = dict(tracker.named_parameters())[changed]
        weights.add_(0.3 * torch.randn(weights.shape, generator=torch.Generator().manual_seed(1)))
    assert worst(graphs, tracker, video) > ALLOWED


def test_a_scale_of_masks_that_changed_is_noticed(graphs: Path, video: ModuleType) -> None:
    tracker = video.make_tracker(video.make_model())
    tracker.config.sigmoid_bias_for_mem_enc = -8.0
    assert worst(graphs, tracker, video) > ALLOWED
