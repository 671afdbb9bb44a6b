"""Is a number that is none noticed wherever the model comes up with it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import ModelAnswerError
from sam3_onnx.models.runtime.devices.arrays import on_host
from sam3_onnx.models.runtime.model import OnnxModel
from tests.support.places import NATIVE
from tests.support.refusals import refused

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


def spoil(monkeypatch: pytest.MonkeyPatch, output: str, value: float) -> None:
    """Every graph answers with one wrong number in the output of that name."""
    run = OnnxModel.run_anywhere

    def spoilt(
        model: OnnxModel,
        outputs: Sequence[str],
        feeds: Mapping[str, NDArray[np.generic]],
        *,
        cancel: threading.Event | None = None,
        stay: bool = False,
    ) -> list[NDArray[Any]]:
        answers = [answer.copy() for answer in map(on_host, run(model, outputs, feeds, cancel=cancel, stay=stay))]
        if output in outputs:
            answers[list(outputs).index(output)].flat[-1] = value
        return answers

    monkeypatch.setattr(OnnxModel, "run_anywhere", spoilt)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    ("output", "named"),
    [("logits", "logits"), ("presence", "presence"), ("boxes_xyxy", "boxes_xyxy"), ("masks", "masks")],
)
def test_a_number_that_is_none_in_the_models_answer(
    monkeypatch: pytest.MonkeyPatch, output: str, named: str, value: float
) -> None:
    spoil(monkeypatch, output, value)
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as opened:
        text = refused(ModelAnswerError, opened.predict, IMAGE, "coin", conf_threshold=0.0)
    assert text.startswith(f"The model's output {named!r} is invalid: ")
    assert "values that are NaN or infinite. The graph is " in text
    assert "The weights are damaged, or the provider or precision does not suit this graph" in text


@pytest.mark.parametrize("output", ["fpn_2", "text_features"])
def test_a_nan_on_its_way_through_the_model_is_found_where_it_arises(
    monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    spoil(monkeypatch, output, float("nan"))
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as opened:
        assert f"{output!r} is invalid" in refused(ModelAnswerError, opened.predict, IMAGE, "coin")


@pytest.mark.peers
@pytest.mark.parametrize("output", ["scores", "boxes", "backbone_fpn_0", "backbone_fpn_2", "text_memory"])
def test_the_six_file_decoder_cannot_cut_a_nan_away(
    monkeypatch: pytest.MonkeyPatch, peer_fixtures: Path, output: str
) -> None:
    """It keeps scores above 0.5, which a NaN is not: the answer would be that nothing was found."""
    spoil(monkeypatch, output, float("nan"))
    with Sam3Session.from_folder(peer_fixtures / "A_six_file", provider="cpu", threads=1) as opened:
        text = refused(ModelAnswerError, opened.predict, IMAGE, "person, coin")
        assert text.startswith(f"The model's output {output!r} is invalid: ")
        assert opened.cache.info().entries == (0 if output.startswith("backbone") else 1)
