"""A graph in float16 is used on a card under "auto" only where its features are those of float32."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import ProviderWarning
from sam3_onnx.models.runtime import comparing
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.providers.names import CPU
from tests.support.fake_card import CUDA, TENSORRT
from tests.support.places import DATA

if TYPE_CHECKING:
    from pathlib import Path

BATCHED = DATA / "batched" / "batched"
pytestmark = pytest.mark.usefixtures("card")


def first_providers(variant: str) -> dict[str, str]:
    with Sam3Session.from_folder(BATCHED, variant=variant) as session:
        return {role: names[0] for role, names in session.providers.items()}


def compared(tmp_path: Path) -> list[str]:
    """What was compared and is remembered: providers, with the precision."""
    notes = json.loads((tmp_path / "cache" / "providers.json").read_text(encoding="utf-8"))
    parts = [key.split(" | ") for key in notes if "features of" in key]
    return [f"{provider.split()[0]} {what.split()[0]}" for _, provider, what, _ in parts]


@pytest.mark.parametrize(("name", "expected"), [("fp16", True), ("q8", False)])
def test_weights_that_are_stored_in_float16_are_not_computed_in_it(name: str, *, expected: bool) -> None:
    assert read_graph(BATCHED / f"vision-encoder-{name}.onnx").computes_in_half is expected


def test_a_graph_in_float16_is_compared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert first_providers("fp16")["image_encoder"] == TENSORRT
    assert compared(tmp_path) == [f"{TENSORRT} float16"]
    monkeypatch.setattr(comparing, "_features", lambda *_: pytest.fail("it was compared again"))
    assert first_providers("fp16")["image_encoder"] == TENSORRT


def test_a_graph_in_float32_is_not_compared(tmp_path: Path) -> None:
    assert first_providers("q8")["image_encoder"] == TENSORRT
    assert not (tmp_path / "cache" / "providers.json").exists() or compared(tmp_path) == []


def test_a_graph_in_float16_whose_features_differ_runs_elsewhere_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_cosine", lambda *_: 0.9)
    with pytest.warns(ProviderWarning, match=r"image encoder runs on cpu\. tensorrt: its features of a photograph dif"):
        assert first_providers("fp16")["image_encoder"] == CPU
    assert sorted(compared(tmp_path)) == [f"{CUDA} float16", f"{TENSORRT} float16"]
