"""Weights stay in their file where they can be used there, and memory comes back that nothing needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.hub import model_folder
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.mapping import shrink_after, stays_mapped
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from pathlib import Path

_PACKING = "session.disable_prepacking"
_SHRINKING = "memory.enable_memory_arena_shrinkage"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[ort.SessionOptions]:
    """The options of each session that is made, in order."""
    seen: list[ort.SessionOptions] = []
    create = ort.InferenceSession.__init__

    def record(session: ort.InferenceSession, model: str, options: ort.SessionOptions, **rest: Any) -> None:  # noqa: ANN401 - onnxruntime's
        seen.append(options)
        create(session, model, options, **rest)

    monkeypatch.setattr(ort.InferenceSession, "__init__", record)
    return seen


@pytest.mark.parametrize("role", ["image_encoder", "language_encoder"])
def test_float_weights_in_a_file_of_their_own_are_not_copied(
    role: str, peer_fixtures: Path, opened: list[ort.SessionOptions]
) -> None:
    model = OnnxModel(read_graph(peer_fixtures / "A_six_file" / f"sam3_{role}.onnx"), role=role, settings=_cpu())
    model.load()
    assert model.is_quick_to_load
    assert opened[0].get_session_config_entry(_PACKING) == "1"


def test_weights_inside_the_graph_are_packed(opened: list[ort.SessionOptions]) -> None:
    model = OnnxModel(read_graph(model_folder("miniature") / "text_encoder.onnx"), role="text_encoder", settings=_cpu())
    model.load()
    assert not model.is_quick_to_load
    with pytest.raises(RuntimeError, match=_PACKING):
        opened[0].get_session_config_entry(_PACKING)


@pytest.mark.parametrize("operator", ["MatMulInteger", "DequantizeLinear", "MatMulNBits"])
def test_weights_of_few_bits_are_packed(operator: str, peer_fixtures: Path) -> None:
    graph = read_graph(peer_fixtures / "A_six_file" / "sam3_image_encoder.onnx")
    assert stays_mapped(graph)
    assert not stays_mapped(replace(graph, operators=graph.operators | {operator}))


def test_a_text_encoder_that_is_quick_to_load_is_kept_no_longer_than_for_a_word(peer_fixtures: Path) -> None:
    folder = peer_fixtures / "A_six_file"
    export = exports_in_folder(folder).open(_cpu())["concepts"]
    encoder = export.models["text_encoder"]
    with Sam3Session(export, model="six files") as session:
        picture = np.zeros((30, 40, 3), np.uint8)
        before = session.predict(picture, "coin")
        assert (encoder.loaded, encoder.runs) == (False, 1)
        session.predict(picture, "ball")
        assert (encoder.loaded, encoder.runs) == (False, 2)
        assert session.predict(picture, "coin") == before


def test_only_an_image_encoder_gives_back_what_it_worked_in() -> None:
    for role, expected in (("image_encoder", "cpu:0"), ("decoder", None)):
        options = ort.RunOptions()
        shrink_after(role, options)
        if expected:
            assert options.get_run_config_entry(_SHRINKING) == expected
        else:
            with pytest.raises(RuntimeError, match=_SHRINKING):
                options.get_run_config_entry(_SHRINKING)


def _cpu() -> RuntimeSettings:
    return RuntimeSettings("cpu", threads=1)
