"""Is a provider that was asked for by name active, or else an error?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError, ProviderError, SessionClosedError
from sam3_onnx.runtime import CPU, OnnxModel, RuntimeSettings, read_graph
from sam3_onnx.runtime.providers import check_active, wanted_providers

if TYPE_CHECKING:
    from sam3_onnx.runtime import ProviderChoice

NATIVE = Path(__file__).parent / "native"
CUDA = "CUDAExecutionProvider"
OFFERED = [CUDA, CPU]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("auto", [(CPU, {})]),
        ("cpu", [(CPU, {})]),
        ("CPU", [(CPU, {})]),
        (CPU, [(CPU, {})]),
        ("cuda", [(CUDA, {})]),
        (["cuda", "cpu"], [(CUDA, {}), (CPU, {})]),
        ([("cuda", {"device_id": "1"}), CPU], [(CUDA, {"device_id": "1"}), (CPU, {})]),
        ((CUDA,), [(CUDA, {})]),
    ],
)
def test_names_are_spelt_out_as_onnxruntime_has_them(
    choice: ProviderChoice, wanted: list[tuple[str, dict[str, str]]]
) -> None:
    assert wanted_providers(choice, OFFERED) == wanted


@pytest.mark.parametrize("choice", ["gpu", "cdua", "", ["cpu", "nvidia"], [("gpu", {})]])
def test_a_name_that_stands_for_no_provider_is_refused_with_those_that_do(choice: ProviderChoice) -> None:
    with pytest.raises(OptionError, match=r'provider must be "auto", one of cpu, cuda, .*, an onnxruntime provider'):
        wanted_providers(choice, OFFERED)


@pytest.mark.parametrize("choice", [None, 3, ("cuda", {"device_id": "1"}), [3], [("cuda",)], [("cuda", "1")]])
def test_another_kind_of_choice_is_refused(choice: object) -> None:
    with pytest.raises(OptionError, match="provider must be"):
        wanted_providers(choice, OFFERED)  # type: ignore[arg-type]


def test_no_provider_at_all_is_refused() -> None:
    with pytest.raises(OptionError, match="provider must be at least one provider, got "):
        wanted_providers([], OFFERED)


def test_a_provider_that_is_not_installed_is_an_error_that_lists_those_that_are() -> None:
    with pytest.raises(ProviderError) as refused:
        wanted_providers(["openvino", "cpu"], OFFERED)
    assert str(refused.value) == (
        "Execution provider OpenVINOExecutionProvider, CPUExecutionProvider did not become active: "
        "OpenVINOExecutionProvider is not installed. Active: none; offered by the installed onnxruntime: "
        "CUDAExecutionProvider, CPUExecutionProvider. Install the wheel that offers it, or choose provider='cpu'."
    )


def test_a_provider_that_was_dropped_is_an_error() -> None:
    check_active([CPU], [CPU], OFFERED)
    check_active([CUDA], [CUDA, CPU], OFFERED)
    with pytest.raises(ProviderError, match=rf"{CUDA} did not become active: onnxruntime dropped {CUDA} .* log"):
        check_active([CUDA], [CPU], OFFERED)


@pytest.mark.parametrize("name", ["cuda", "tensorrt", "coreml", "qnn"])
def test_a_session_never_falls_back_in_silence(name: str) -> None:
    with pytest.raises(ProviderError, match=r"is not installed. Active: none; offered by .*CPUExecutionProvider"):
        Sam3Session.from_folder(NATIVE, provider=name)


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_provider_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime is made to claim a provider; its own session then runs without it, as it does when one fails."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: OFFERED)
    with pytest.raises(ProviderError, match=rf"onnxruntime dropped {CUDA} when the session was created.*Active: {CPU}"):
        Sam3Session.from_folder(NATIVE, provider="cuda")


def test_a_session_says_what_runs_it() -> None:
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as session:
        assert session.providers == dict.fromkeys(("image_encoder", "text_encoder", "decoder"), (CPU,))


def test_a_graph_is_loaded_when_it_is_first_needed_and_unloaded_for_good() -> None:
    model = OnnxModel(
        read_graph(NATIVE / "text_encoder.onnx"), role="text encoder", settings=RuntimeSettings(threads=1)
    )
    tokens = np.zeros((2, 32), np.int64)
    loaded = [model.loaded]
    assert model.providers == (CPU,)
    (mask,) = model.run(["text_mask"], {"tokens": tokens, "of another graph": tokens})
    assert mask.shape == (2, 32)
    loaded.append(model.loaded)
    assert model.runs == 1
    model.close()
    loaded.append(model.loaded)
    assert loaded == [False, True, False]
    with pytest.raises(SessionClosedError):
        model.run(["text_mask"], {"tokens": tokens})
