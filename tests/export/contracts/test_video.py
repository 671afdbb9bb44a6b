"""Does a bundle with video hold to its contract: open sizes, rules in the manifest, clicks as in a video?

What it is made from is in `tests/support/tiny_video.py`.
"""

from __future__ import annotations

import importlib
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx.errors import OptionError
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]

ROLES = ("memory_attention", "track_decoder", "memory_encoder", "mask_prompt")
ABOUT: dict[str, Any] = {"source": "a test", "licence": "none"}


@pytest.fixture(scope="module")
def video(maker: ModuleType) -> ModuleType:
    assert maker
    return importlib.import_module("tests.support.tiny_video")


@pytest.fixture(scope="module")
def made(maker: ModuleType, video: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import Sam3VideoConfig  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export import export_bundle  # noqa: PLC0415

    folder, model = tmp_path_factory.mktemp("bundle"), video.make_model()
    rules = Sam3VideoConfig(hotstart_delay=9, high_iou_thresh=0.75, recondition_on_trk_masks=False)
    told = {"tracker": video.make_tracker(model), "rules": rules, "token_remap": maker.token_remap()}
    report = export_bundle(model, folder, **told, **ABOUT)
    assert report.cases == 8 + 12
    assert report.memory is not None
    assert report.memory < 1e-4
    assert report.score < 1e-4
    assert "memories" in str(report)
    return folder


def run(folder: Path, role: str, feeds: dict[str, Any]) -> list[Any]:
    graph = ort.InferenceSession(str(folder / f"{role}.onnx"), providers=["CPUExecutionProvider"])
    return list(graph.run(None, feeds))


def features(video: ModuleType) -> dict[str, Any]:
    grid, width = video.GRID, video.WIDTH
    levels = [(width // 8, 4 * grid), (width // 4, 2 * grid), (width, grid)]
    return {
        f"click_{index}": video.noise(1, channels, side, side).numpy() for index, (channels, side) in enumerate(levels)
    }


@pytest.mark.parametrize(("objects", "memories", "pointers"), [(1, 1, 0), (1, 7, 16), (3, 2, 5), (2, 12, 1)])
def test_numbers_of_objects_memories_and_pointers_are_open(
    made: Path, video: ModuleType, objects: int, memories: int, pointers: int
) -> None:
    remembered = video.noise(objects, memories, video.MEMORY, video.GRID, video.GRID, seed=1).numpy()
    told = {
        "click_2": features(video)["click_2"],
        "memories": remembered,
        "memory_slots": np.arange(objects * memories).reshape(objects, memories) % 7,
        "pointers": video.noise(objects, pointers, video.WIDTH, seed=2).numpy(),
        "pointer_ages": np.full((objects, pointers), 0.3, np.float32),
    }
    (together,) = run(made, "memory_attention", told)
    assert together.shape == (objects, video.WIDTH, video.GRID, video.GRID)
    for row in range(objects):
        mine = {name: each if name == "click_2" else each[row : row + 1] for name, each in told.items()}
        np.testing.assert_allclose(run(made, "memory_attention", mine)[0][0], together[row], atol=1e-4)


@pytest.mark.parametrize(("objects", "size"), [(1, (112, 112)), (3, (40, 90))])
def test_masks_of_any_size_make_memories_of_any_number_of_objects(
    made: Path, video: ModuleType, objects: int, size: tuple[int, int]
) -> None:
    feeds = {
        "click_2": features(video)["click_2"],
        "masks": video.noise(objects, 1, *size).numpy(),
        "object_logits": np.ones((objects, 1), np.float32),
        "from_points": np.array(False),  # noqa: FBT003 - an array
    }
    (memory,) = run(made, "memory_encoder", feeds)
    assert memory.shape == (objects, video.MEMORY, video.GRID, video.GRID)


def test_a_click_on_a_picture_is_the_same_click_on_the_first_frame_of_a_video(made: Path, video: ModuleType) -> None:
    seen, low = features(video), 4 * video.GRID
    points, labels = np.array([[0.3, 0.4], [0.7, 0.2]], np.float32), np.array([1, 0])
    ious, masks, present = run(made, "click_decoder", {**seen, "points": points, "point_labels": labels})
    tracked = {
        **{name: seen[name] for name in ("click_0", "click_1")},
        "features": np.repeat(seen["click_2"], 2, 0),
        "points": np.stack([points] * 2),
        "point_labels": np.stack([labels] * 2),
        "mask_prompt": np.zeros((2, 1, low, low), np.float32),
        "has_mask": np.array([False, False]),
    }
    every, expected, pointers, logits = run(made, "track_decoder", tracked)
    assert pointers.shape == (2, 4, video.WIDTH)
    for row in range(2):
        np.testing.assert_allclose(expected[row, 1:], ious, atol=1e-5)
        np.testing.assert_allclose(logits[row], present, atol=1e-4)
        np.testing.assert_allclose(every[row, 1:], masks, atol=1e-3)


def test_rules_are_in_every_manifest(made: Path) -> None:
    for role, rule in itertools.product((*ROLES, "image_encoder", "decoder"), ("num_maskmem 7", "hotstart_delay 9")):
        name, value = rule.split()
        graph = read_graph(made / f"{role}.onnx")
        assert graph.metadata[f"sam3_onnx.video.{name}"] == value
        assert graph.metadata["sam3_onnx.role"] == role
    told = {
        name.removeprefix("sam3_onnx.video."): value
        for name, value in read_graph(made / "memory_attention.onnx").metadata.items()
        if name.startswith("sam3_onnx.video.")
    }
    assert len(told) == 29
    assert (told["high_iou_thresh"], told["recondition_on_trk_masks"]) == ("0.75", "false")
    assert told["dynamic_multimask_stability_thresh"] == "0.98"
    assert told["min_trk_keep_alive"] == "-1"


def test_weights_stored_as_float16_answer_within_what_is_allowed(
    maker: ModuleType, video: ModuleType, tmp_path: Path
) -> None:
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is

    model = video.make_model()
    tracker, remap = video.make_tracker(model, memories=4), maker.token_remap()
    report = export_bundle(
        model, tmp_path, tracker=tracker, token_remap=remap, storage="float16", attention="plain", **ABOUT
    )
    assert report.memory is not None
    assert report.memory < 1e-4
    graph = read_graph(tmp_path / "memory_attention.onnx")
    assert graph.metadata["sam3_onnx.video.num_maskmem"] == "4"
    assert "sam3_onnx.video.hotstart_delay" not in graph.metadata, "nobody said how words become tracks"


def test_video_takes_squares_and_rules_take_video(maker: ModuleType, video: ModuleType, tmp_path: Path) -> None:
    from transformers import Sam3VideoConfig  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export import export_bundle  # noqa: PLC0415

    wide = maker.make_model(width=video.WIDTH)
    with pytest.raises(OptionError, match=r"size must be equal height and width where there is video"):
        export_bundle(wide, tmp_path / "out", tracker=video.make_tracker(wide), **ABOUT)
    with pytest.raises(OptionError, match=r"rules must be left out without a Sam3TrackerVideoModel"):
        export_bundle(wide, tmp_path / "out", rules=Sam3VideoConfig(), **ABOUT)
    assert not list(tmp_path.iterdir())
