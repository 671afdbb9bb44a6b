"""Is a provider that was asked for by name active, or else an error that says why and what to do?"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx._support.distributions import Distribution
from sam3_onnx.errors import ModelFileDamagedError, OptionError, ProviderError, SessionClosedError
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.providers.choosing import FASTEST_FIRST, offered, plan_of
from sam3_onnx.models.runtime.providers.names import CPU, SHORT_NAMES, spelt_out
from sam3_onnx.models.runtime.providers.precision import options_for
from sam3_onnx.models.runtime.providers.ways import way_of
from sam3_onnx.models.runtime.providers.wheels import conflicting, installed_wheels, mend
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.models.runtime.providers.names import ProviderChoice
    from sam3_onnx.models.runtime.providers.precision import Precision

CUDA = "CUDAExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"
PLAIN = Distribution("onnxruntime", "1.32.0")
GPU = Distribution("onnxruntime-gpu", "1.31.1")


@pytest.fixture
def offers_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime is made to claim CUDA; its own sessions then run without it, as they do when it fails to start."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
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
    assert spelt_out(choice) == wanted


@pytest.mark.parametrize("choice", ["gpu", "cdua", "", ["cpu", "nvidia"], [("gpu", {})], ["auto", "cpu"]])
def test_a_name_that_stands_for_no_provider_is_refused_with_those_that_do(choice: ProviderChoice) -> None:
    with pytest.raises(OptionError, match=r'provider must be "auto", one of cpu, cuda, .*, an onnxruntime provider'):
        plan_of(RuntimeSettings(choice), "decoder")


@pytest.mark.parametrize("choice", [None, 3, ("cuda", {"device_id": "1"}), [3], [("cuda",)], [("cuda", "1")]])
def test_another_kind_of_choice_is_refused(choice: object) -> None:
    with pytest.raises(OptionError, match="provider must be"):
        plan_of(RuntimeSettings(choice), "decoder")  # type: ignore[arg-type]


def test_no_provider_at_all_is_refused() -> None:
    with pytest.raises(OptionError, match="provider must be at least one provider, got "):
        plan_of(RuntimeSettings([]), "decoder")


def test_a_provider_that_no_wheel_offers_is_an_error_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.choosing.installed_wheels", lambda: (PLAIN,))
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["AzureExecutionProvider", CPU])
    with pytest.raises(ProviderError) as refused:
        Sam3Session.from_folder(NATIVE, provider="cuda")
    assert str(refused.value) == (
        "Execution provider CUDAExecutionProvider did not become active: no installed wheel offers it (installed: "
        "onnxruntime 1.32.0). Active: none; offered by the installed onnxruntime: AzureExecutionProvider, "
        "CPUExecutionProvider. Install the build that offers it: `pip uninstall -y onnxruntime`, then "
        "`pip install onnxruntime-gpu`. Or choose provider='cpu'."
    )


def test_two_builds_in_one_environment_are_named_as_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.choosing.installed_wheels", lambda: (PLAIN, GPU))
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU])
    with pytest.raises(ProviderError) as refused:
        Sam3Session.from_folder(NATIVE, provider="cuda")
    text = str(refused.value)
    assert "hide each other's providers (onnxruntime 1.32.0 and onnxruntime-gpu 1.31.1)" in text
    assert "Keep one build only: `pip uninstall -y onnxruntime onnxruntime-gpu`, then `pip install onnxrun" in text


@pytest.mark.parametrize("name", ["cuda", "tensorrt", "coreml", "qnn", "directml", "rocm", "migraphx"])
def test_a_session_never_falls_back_in_silence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU])
    with pytest.raises(ProviderError, match=rf"{SHORT_NAMES[name]} did not become active: .* Active: none; offered"):
        Sam3Session.from_folder(NATIVE, provider=name)


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.usefixtures("offers_cuda")
def test_a_provider_that_does_not_start_is_an_error() -> None:
    with pytest.raises(ProviderError, match=rf"onnxruntime dropped {CUDA} when the session was created.*Active: {CPU}"):
        Sam3Session.from_folder(NATIVE, provider="cuda")


@pytest.mark.usefixtures("offers_cuda")
def test_what_onnxruntime_raises_for_a_provider_is_no_damaged_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA raises for an option that it does not know; the file is as good as it was."""
    plain = ort.InferenceSession

    def refusing(*args: object, providers: list[str], **options: object) -> ort.InferenceSession:
        if CUDA in providers:
            raise RuntimeError('Unknown provider option: "devcie_id".')
        return plain(*args, providers=providers, **options)

    monkeypatch.setattr(ort, "InferenceSession", refusing)
    with pytest.raises(ProviderError, match=r'did not become active: Unknown provider option: "devcie_id"') as refused:
        Sam3Session.from_folder(NATIVE, provider=[("cuda", {"devcie_id": "1"})])
    assert isinstance(refused.value.__cause__, RuntimeError)


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.parametrize("provider", ["cpu", "cuda"])
@pytest.mark.usefixtures("offers_cuda")
def test_a_file_that_cpu_refuses_too_is_damaged_whatever_the_provider(provider: str, tmp_path: Path) -> None:
    shutil.copy(NATIVE / "decoder.onnx", tmp_path / "decoder.onnx")
    content = (tmp_path / "decoder.onnx").read_bytes()
    (tmp_path / "decoder.onnx").write_bytes(content.replace(b"LayerNormalization", b"LayerNormalizatiom"))
    model = OnnxModel(read_graph(tmp_path / "decoder.onnx"), role="decoder", settings=RuntimeSettings(provider))
    with pytest.raises(ModelFileDamagedError, match="a file that onnxruntime refuses"):
        model.load()


def test_builds_that_share_a_folder_conflict_and_plugins_do_not() -> None:
    plugin = Distribution("onnxruntime-ep-openvino", "1.8.1")
    assert conflicting((PLAIN, plugin)) == ()
    assert conflicting((PLAIN, GPU, plugin)) == (PLAIN, GPU)


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_there_is_advice_for_every_provider_but_cpu(name: str) -> None:
    advice = mend(SHORT_NAMES[name], (PLAIN,))
    assert (advice == "") == (name == "cpu")


def test_openvino_is_had_as_a_plugin_unless_that_is_there_and_does_not_help() -> None:
    assert mend(OPENVINO, (PLAIN,)).endswith('`pip install "sam3-onnx[openvino]"`.')
    assert mend(OPENVINO, (PLAIN,), plugin_tried=True) == ""


@pytest.mark.parametrize(
    ("provider", "precision"), [("cpu", "bfloat16"), ("cpu", "float16"), ("auto", "bfloat16"), ("cpu", "float8")]
)
def test_a_precision_that_a_provider_cannot_choose_is_refused(
    provider: str, precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU])
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.choosing.plugin_of", lambda _: None)
    with pytest.raises(OptionError, match=r"precision must be "):
        Sam3Session.from_folder(NATIVE, provider=provider, precision=precision)


@pytest.mark.parametrize(
    ("provider", "precision", "threads", "options"),
    [
        (OPENVINO, "float32", None, {"load_config": '{"CPU": {"INFERENCE_PRECISION_HINT": "f32"}}'}),
        (OPENVINO, "auto", 3, {"load_config": '{"CPU": {"INFERENCE_NUM_THREADS": "3"}}'}),
        (OPENVINO, "auto", None, {}),
        (CUDA, "float32", 3, {"use_tf32": "0"}),
        (CUDA, "auto", None, {}),
        ("TensorrtExecutionProvider", "float16", None, {"trt_fp16_enable": "1"}),
    ],
)
def test_precision_and_threads_become_options_of_the_provider(
    provider: str, precision: Precision, threads: int | None, options: dict[str, str]
) -> None:
    assert options_for(provider, {}, precision=precision, threads=threads) == options
    assert options_for(provider, {"other": "1"}, precision=precision, threads=threads) == {**options, "other": "1"}


def test_openvinos_options_go_to_the_device_that_is_asked_for() -> None:
    made = options_for(OPENVINO, {"device_type": "GPU"}, precision="float16", threads=2)
    assert made == {"device_type": "GPU", "load_config": '{"GPU": {"INFERENCE_PRECISION_HINT": "f16"}}'}


def test_a_precision_beside_own_options_that_say_it_too_is_refused() -> None:
    with pytest.raises(OptionError, match="precision must be left out where the options of 'openvino' hold 'load_co"):
        way_of((OPENVINO, {"load_config": "{}"}), "float32", role="image_encoder", graph=None)


def test_own_options_for_openvino_are_completed_and_go_first() -> None:
    given = {"load_config": '{"CPU": {"INFERENCE_PRECISION_HINT": "f16", "NUM_STREAMS": "1"}}'}
    way = way_of((OPENVINO, given), "auto", role="image_encoder", graph=None)
    assert way.precision == "float16"
    made = options_for(OPENVINO, given, precision="float16", threads=2)
    assert json.loads(made["load_config"]) == {
        "CPU": {"INFERENCE_PRECISION_HINT": "f16", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": "2"}
    }
    assert options_for(OPENVINO, {"load_config": "no JSON"}, precision="auto", threads=2) == {"load_config": "no JSON"}


def test_a_session_says_what_runs_it() -> None:
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1, precision="float32") as session:
        assert session.providers == dict.fromkeys(("image_encoder", "text_encoder", "decoder"), (CPU,))


def test_a_graph_is_loaded_when_it_is_first_needed_and_unloaded_for_good() -> None:
    model = OnnxModel(
        read_graph(NATIVE / "text_encoder.onnx"), role="text_encoder", settings=RuntimeSettings("cpu", threads=1)
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


def test_the_build_that_is_installed_is_found_and_offers_the_cpu() -> None:
    assert ort.__version__ in {wheel.version for wheel in installed_wheels()}
    assert CPU in offered()


def test_auto_knows_every_provider_that_has_a_short_name_but_two() -> None:
    assert set(SHORT_NAMES.values()) - set(FASTEST_FIRST) == {CPU, "QNNExecutionProvider"}


@pytest.mark.usefixtures("matrix_units")
def test_without_the_extra_a_processor_with_matrix_units_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU])
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.choosing.plugin_of", lambda _: None)
    for precision in ("float32", "auto", "auto"):
        with Sam3Session.from_folder(NATIVE, precision=precision) as session:
            assert session.providers["image_encoder"] == (CPU,)
        assert len(caplog.records) == (precision == "auto"), "whoever asks for float32 is not told to be quicker"
    (record,) = caplog.records
    assert record.name == "sam3_onnx.providers"
    assert '`pip install "sam3-onnx[openvino]"`, and the image encoder is about 4.5 times as fast' in record.message
