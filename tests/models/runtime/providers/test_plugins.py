"""Does OpenVINO answer as CPU does, on every graph, for every shape, and is it said where it does not run?

Needs the extra [openvino] and a processor that the plug-in takes.
"""

from __future__ import annotations

import shutil
import threading
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx._support.folders import CACHE_VARIABLE
from sam3_onnx.errors import CancelledError, ProviderError, ProviderWarning
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.providers.names import CPU
from sam3_onnx.models.runtime.providers.plugins import plugin_of
from sam3_onnx.models.runtime.providers.proof import prove
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.providers.precision import Precision

pytest.importorskip("onnxruntime_ep_openvino", reason="needs the extra [openvino]")
OPENVINO = "OpenVINOExecutionProvider"
FAMILIES = {
    "A_six_file": ("sam3_image_encoder", "sam3_language_encoder", "sam3_decoder"),
    "A2_six_file_v02": ("sam3_image_encoder", "sam3_language_encoder", "sam3_decoder"),
    "B_osam": ("sam3_image_encoder", "sam3_language_encoder", "sam3_decoder"),
    "C_raw_heads": ("sam3_image_encoder", "sam3_language_encoder", "sam3_decoder"),
    "D2_batched": ("vision-encoder", "text-encoder", "decoder"),
    "E_text_only": ("vision_encoder", "text_encoder", "decoder"),
    "F_tracker/onnx": ("vision_encoder", "prompt_encoder_mask_decoder"),
}
TOKENS = np.array([[49406, 2533, 49407, *[0] * 29]])
"""CLIP's tokens of a word."""

_plugin = plugin_of(OPENVINO)
needs_device = pytest.mark.skipif(
    _plugin is not None and bool(_plugin.failure), reason=f"OpenVINO's plug-in: {_plugin and _plugin.failure}"
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache folder for all tests, so that one proof serves them."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))


def model(graph: GraphInfo, provider: str = "openvino", precision: Precision = "float32") -> OnnxModel:
    """Any graph as an image encoder, the part that OpenVINO runs in every precision."""
    return OnnxModel(graph, role="image_encoder", settings=RuntimeSettings(provider, precision=precision))


def answers(of: OnnxModel, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    names = list(of.graph.outputs)
    return dict(zip(names, of.run(names, feeds), strict=True))


def fitting(graph: GraphInfo, held: Mapping[str, NDArray[np.generic]], *, boxes: int) -> dict[str, NDArray[np.generic]]:
    """Feeds in each family's form, from what the graphs before answered."""
    picture = np.random.default_rng(3).integers(0, 256, (3, 336, 336), dtype=np.uint8)
    scaled = (picture / np.float32(127.5) - 1)[None].astype(np.float32)
    padded = np.where(TOKENS == 0, 49407, TOKENS)
    place = np.array([0.5, 0.5, 0.4, 0.3], np.float32)
    slots = (graph.inputs["box_coords"].shape[0] or 1) if "box_coords" in graph.inputs else 1
    everything: dict[str, NDArray[np.generic]] = {
        "image": picture,
        "images": scaled,
        "pixel_values": scaled,
        "tokens": TOKENS,
        "input_ids": padded,
        "attention_mask": (TOKENS != 0).astype(np.int64),
        "original_height": np.array(300),
        "original_width": np.array(400),
        "box_coords": np.tile(place, (slots, 1, 1)),
        "box_labels": np.ones((slots, 1), np.int64),
        "box_masks": np.arange(slots)[None] >= min(boxes, slots),
        "input_boxes": np.tile(place, (1, max(boxes, 1), 1)),
        "input_boxes_labels": np.full((1, max(boxes, 1)), 1 if boxes else -10),
        **held,
    }
    renamed = {"language_mask": "text_attention_mask", "language_features": "text_memory"}
    everything |= {new: held[old] for new, old in renamed.items() if old in held}
    everything |= {"language_embeds": held["text_embeds"]} if "text_embeds" in held else {}
    if "input_points" in graph.inputs:
        everything |= {
            "input_points": np.full((1, 1, max(boxes, 1), 2), 150, np.float32),
            "input_labels": np.ones((1, 1, max(boxes, 1)), np.int64),
            "input_boxes": np.zeros((1, 0, 4), np.float32),
        }
    return {name: everything[name] for name in graph.inputs}


def worst(found: Mapping[str, NDArray[np.generic]], truth: Mapping[str, NDArray[np.generic]]) -> float:
    """The largest difference, as a share of the largest value of an output."""
    shares = [0.0]
    for name, one in truth.items():
        assert found[name].shape == one.shape
        expected = one.astype(np.float64)
        if expected.size:
            difference = np.abs(found[name].astype(np.float64) - expected)
            shares.append(float(difference.max() / max(1.0, np.abs(expected).max())))
    return max(shares)


@needs_device
@pytest.mark.peers
@pytest.mark.parametrize("folder", FAMILIES)
def test_every_graph_of_every_family_runs_and_agrees(
    folder: str, peer_fixtures: Path, record_property: Callable[[str, object], None]
) -> None:
    held: dict[str, NDArray[np.generic]] = {}
    for name in FAMILIES[folder]:
        graph = read_graph(peer_fixtures / folder / f"{name}.onnx")
        on_cpu, on_openvino = model(graph, "cpu", "auto"), model(graph)
        for boxes in (1, 0, 2, 1):
            feeds = fitting(graph, held, boxes=boxes)
            truth = answers(on_cpu, feeds)
            difference = worst(answers(on_openvino, feeds), truth)
            record_property(f"{name}, {boxes} boxes", difference)
            assert difference < 1e-4
        held |= truth
        assert on_openvino.providers == (OPENVINO, CPU)


@needs_device
def test_other_shapes_in_the_same_session_are_answered_rightly() -> None:
    images, words, decoder = (
        (model(graph, "cpu", "auto"), model(graph))
        for graph in (read_graph(NATIVE / f"{name}.onnx") for name in ("image_encoder", "text_encoder", "decoder"))
    )
    size = images[0].graph.inputs["image"].shape
    picture = {"image": np.random.default_rng(4).integers(0, 256, [side or 1 for side in size], dtype=np.uint8)}
    features = answers(images[0], picture)
    assert worst(answers(images[1], picture), features) < 1e-4
    for prompts, boxes in ((1, 1), (3, 1), (2, 4), (1, 2), (1, 1), (5, 3)):
        random = np.random.default_rng(prompts * 10 + boxes)
        tokens = {"tokens": np.where(TOKENS == 2533, random.integers(300, 40000, (prompts, 1)), TOKENS)}
        text = answers(words[0], tokens)
        assert worst(answers(words[1], tokens), text) < 1e-4
        feeds = {
            **features,
            **text,
            "boxes": random.uniform(0.3, 0.6, (prompts, boxes, 4)).astype(np.float32),
            "box_labels": random.integers(0, 2, (prompts, boxes)),
        }
        assert worst(answers(decoder[1], feeds), answers(decoder[0], feeds)) < 1e-4


@needs_device
def test_bfloat16_is_a_choice_that_moves_answers() -> None:
    graph = read_graph(NATIVE / "text_encoder.onnx")
    exact = answers(model(graph, "cpu", "auto"), {"tokens": TOKENS})
    coarse = answers(model(graph, precision="bfloat16"), {"tokens": TOKENS})
    assert 1e-5 < worst(coarse, exact) < 0.1


@needs_device
def test_auto_takes_it_after_a_proof_that_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.proof._proofs", {})
    with Sam3Session.from_folder(NATIVE) as session:
        assert session.providers["image_encoder"] == (OPENVINO, CPU)
    (kept,) = (tmp_path / "cache").iterdir()
    assert OPENVINO in kept.read_text(encoding="utf-8")
    openvino, cpu = (prove((name, {}), RuntimeSettings(precision="float32")) for name in (OPENVINO, CPU))
    assert openvino.passed
    assert openvino.changes.largest < 1e-4
    assert (cpu.provider, cpu.changes.largest) == (CPU, 0)


@needs_device
def test_a_cancelled_run_gives_no_answer() -> None:
    graph = read_graph(NATIVE / "image_encoder.onnx")
    image = np.zeros([side or 1 for side in graph.inputs["image"].shape], np.uint8)
    opened = model(graph)

    class LateEvent(threading.Event):
        def is_set(self) -> bool:
            return False

        def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the interface of Event
            return True

    def run_often() -> None:
        for _ in range(100):
            opened.run(list(graph.outputs), {"image": image}, cancel=LateEvent())

    with pytest.raises(CancelledError):
        run_often()
    assert worst(answers(opened, {"image": image}), answers(model(graph, "cpu", "auto"), {"image": image})) < 1e-4


@needs_device
@pytest.mark.peers
def test_a_graph_that_it_refuses_runs_on_cpu_with_a_warning(
    peer_fixtures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sam3_onnx.models.runtime.opening.without_empty_operands", lambda _: None)
    refused = model(read_graph(peer_fixtures / "B_osam" / "sam3_decoder.onnx"))
    with pytest.warns(ProviderWarning, match=r"image encoder runs on cpu. openvino refuses it: .*no ONNX binding"):
        refused.load()
    assert refused.providers == (CPU,)


@needs_device
@pytest.mark.parametrize(
    ("options", "reason"),
    [({"load_config": "nonsense"}, "JSON parsing error"), ({"device_type": "ABACUS"}, "no device of type 'ABACUS'")],
)
def test_an_option_that_it_refuses_is_an_error_with_its_own_words(options: dict[str, str], reason: str) -> None:
    with pytest.raises(ProviderError, match=reason):
        Sam3Session.from_folder(NATIVE, provider=[("openvino", options)])


@needs_device
@pytest.mark.peers
def test_weights_beside_an_edited_graph_are_found(peer_fixtures: Path, tmp_path: Path) -> None:
    for name in ("sam3_decoder.onnx", "sam3_decoder.onnx.data"):
        shutil.copy(peer_fixtures / "A_six_file" / name, tmp_path / name)
    opened = model(read_graph(tmp_path / "sam3_decoder.onnx"))
    opened.load()
    assert opened.providers == (OPENVINO, CPU)


@pytest.mark.skipif(_plugin is None or not _plugin.failure, reason="the plug-in has a device here")
def test_a_plugin_without_a_device_is_told_and_auto_runs_on_cpu() -> None:
    with pytest.raises(ProviderError, match=r"its plug-in [\d.]+ is installed, but its library takes none of this"):
        Sam3Session.from_folder(NATIVE, provider="openvino")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with Sam3Session.from_folder(NATIVE) as session:
            assert session.providers["decoder"] == (CPU,)
    assert {warning.category for warning in told} == {ProviderWarning}
    assert "takes none of this machine's devices" in str(told[0].message)
