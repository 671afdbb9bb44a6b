"""Does "auto" take the best provider that answers rightly, and say aloud why not a better one?

No graphics card is needed: sessions of CPU are made to claim that they run on CUDA.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx._support.folders import CACHE_VARIABLE
from sam3_onnx.errors import ProviderWarning
from sam3_onnx.models.runtime.providers.miniature import miniature_graphs
from sam3_onnx.models.runtime.providers.names import CPU
from sam3_onnx.models.runtime.providers.proof import EXACT, Changes, changes, prove
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

CUDA = "CUDAExecutionProvider"
PARTS = len(miniature_graphs())


class Claiming(ort.InferenceSession):  # type: ignore[misc] # onnxruntime has no types
    """Runs on CPU, and claims whatever providers it was asked for."""

    opened: tuple[str, ...] = ()
    """What was opened on CUDA, in all."""
    refuses = ""
    """Files of this name are refused on CUDA."""
    factor = 1.0
    """What answers of CUDA are multiplied with."""

    def __init__(self, model: str, options: ort.SessionOptions, *, providers: list[str], **others: object) -> None:
        self._claimed = providers
        if CUDA in providers:
            Claiming.opened += (Path(model).parent.name,)
            if Path(model).name == self.refuses:
                raise RuntimeError("no kernel for RoiAlign")
        super().__init__(model, options, providers=[CPU], enable_fallback=others["enable_fallback"])

    def get_providers(self) -> list[str]:
        return self._claimed

    def get_provider_graph_assignment_info(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(ep_name=self._claimed[0])]

    def run(self, names: list[str], feeds: dict[str, object], options: ort.RunOptions | None = None) -> list[object]:
        answers = super().run(names, feeds, options)
        if CUDA not in self._claimed:
            return list(answers)
        return [one * np.float32(self.factor) if one.dtype == np.float32 else one for one in answers]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.proof._proofs", {})
    return tmp_path / "cache"


@pytest.fixture
def claiming(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Claiming]]:
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.plugins._LIBRARIES", {})
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(ort, "InferenceSession", Claiming)
    yield Claiming
    Claiming.opened, Claiming.refuses, Claiming.factor = (), "", 1.0


def providers() -> dict[str, str]:
    """The first provider of each graph of a session that was left to choose."""
    with Sam3Session.from_folder(NATIVE) as session:
        return {role: names[0] for role, names in session.providers.items()}


def test_with_cpu_alone_there_is_no_proof_no_file_and_no_warning(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["AzureExecutionProvider", CPU])
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.plugins._LIBRARIES", {})
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.proof.prove", lambda *_: pytest.fail("a proof was run"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(providers().values()) == {CPU}
    assert not (cache / "providers.json").exists()


def test_a_provider_that_answers_as_cpu_does_is_taken_and_proven_once(
    claiming: type[Claiming], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(providers().values()) == {CUDA}
    first = claiming.opened
    assert first.count("miniature") == PARTS
    (kept,) = cache.glob("providers.json")
    ((key, numbers),) = json.loads(kept.read_text(encoding="utf-8")).items()
    assert key.startswith(f"onnxruntime {ort.__version__} | {CUDA}")
    assert numbers["largest"] == 0
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.proof._proofs", {})  # as in another process
    assert set(providers().values()) == {CUDA}
    assert claiming.opened.count("miniature") == PARTS
    assert len(claiming.opened) > len(first)


def test_another_version_of_onnxruntime_has_to_prove_itself_anew(
    claiming: type[Claiming], monkeypatch: pytest.MonkeyPatch
) -> None:
    providers()
    monkeypatch.setattr(ort, "__version__", "99.0")
    providers()
    assert claiming.opened.count("miniature") == 2 * PARTS


@pytest.mark.parametrize("factor", [0.9, float("nan")])
def test_a_provider_that_answers_wrongly_is_passed_over_aloud(
    claiming: type[Claiming], cache: Path, factor: float
) -> None:
    claiming.factor = factor
    with pytest.warns(ProviderWarning, match=r"runs on cpu. cuda: its answers on the miniature are off by .* allowed"):
        assert set(providers().values()) - {CUDA} == {CPU}
    assert not cache.exists()


def test_a_graph_that_a_provider_refuses_runs_on_cpu_alone_and_it_is_said(claiming: type[Claiming]) -> None:
    claiming.refuses = "decoder.onnx"
    with pytest.warns(ProviderWarning, match=r"The decoder runs on cpu. cuda: no kernel for RoiAlign"):
        found = providers()
    assert found["image_encoder"] == CUDA
    assert found["decoder"] == CPU


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": {"difference": "x"}}', b"\xff\xfe"])
def test_a_memory_that_cannot_be_read_is_made_anew(claiming: type[Claiming], cache: Path, content: bytes) -> None:
    cache.mkdir()
    (cache / "providers.json").write_bytes(content)
    assert providers()["decoder"] == CUDA
    assert len(json.loads((cache / "providers.json").read_bytes())) == 1
    assert claiming.opened.count("miniature") == PARTS


def test_a_folder_that_cannot_be_written_costs_a_proof_and_is_no_error(claiming: type[Claiming], cache: Path) -> None:
    cache.write_text("a file where the folder should be", encoding="utf-8")
    assert providers()["image_encoder"] == CUDA
    assert claiming.opened.count("miniature") == PARTS
    assert cache.is_file()


def test_a_proof_names_differences_and_seconds(claiming: type[Claiming]) -> None:
    settings = RuntimeSettings(threads=1)
    cuda, cpu = (prove((name, {}), settings) for name in (CUDA, CPU))
    assert (cuda.provider, cpu.provider) == (CUDA, CPU)
    assert cuda.passed
    assert cuda.seconds > 0
    assert cuda.cpu_seconds > 0
    claiming.factor = 0.5
    assert not prove((CUDA, {}), settings).passed


@pytest.mark.parametrize("name", ["logits", "boxes_xyxy", "masks"])
def test_a_proof_sees_a_fault_in_every_output(name: str) -> None:
    truth = {
        "logits": np.array([[6.0, -6.0]]),
        "presence": np.array([[6.0]]),
        "boxes_xyxy": np.array([[[0.1, 0.1, 0.4, 0.4], [0.5, 0.5, 0.6, 0.6]]]),
        "masks": np.pad(np.ones((1, 2, 4, 4)), ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=-1.0),
    }
    assert changes([truth], [truth]) == Changes(0, 0, 0)
    off = np.roll(truth[name], 1, axis=-1) if name != "boxes_xyxy" else truth[name] + 0.05
    assert EXACT.broken_by(changes([{**truth, name: off}], [truth]))
