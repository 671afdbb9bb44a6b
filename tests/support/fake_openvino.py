"""An ONNX Runtime that seems to offer OpenVINO, on a processor that seems to have matrix units.

Sessions run on CPU. Those on "OpenVINO" round what they answer to the precision that they were asked for, and can be
made to refuse, to fail or to answer wrongly.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx._support.folders import CACHE_VARIABLE
from sam3_onnx.models.runtime.providers import choosing, plugins, proof
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.providers.proof import Proof

__all__ = ["FakeOpenVino", "matrix_units", "openvino", "rounded"]

PROCESSOR = "vendor_id\t: {}\nmodel name\t: Xeon of the tests\nflags\t\t: fpu avx2 amx_bf16 amx_tile sse\n"
PROOFS: dict[str, Proof] = {}
"""Proofs that an earlier test has passed, so that each need not be made in every test."""


def rounded(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The nearest numbers that bfloat16 has, of float32 ones; others as they are."""
    if array.dtype != np.float32:
        return array
    bits = np.ascontiguousarray(array).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


class FakeOpenVino(ort.InferenceSession):  # type: ignore[misc] # onnxruntime has no types
    """Runs on CPU, and claims the providers that it was asked for."""

    opened: list[tuple[str, str]]
    """Folder and name of each file that was opened on OpenVINO, and the hint of its precision."""
    refuses = ""
    """Files of this name are refused."""
    fails = ""
    """Runs of files of this name, folder included, raise."""
    spoils = ""
    """Answers of files of this name, folder included, are multiplied with `factor`."""
    factor = 0.5

    def __init__(self, model: str, options: ort.SessionOptions, *, providers: list[str], **others: Any) -> None:  # noqa: ANN401
        self._claimed = providers
        self._name = "/".join(Path(model).parts[-2:])
        self._hint = ""
        if OPENVINO in providers:
            given = others["provider_options"][providers.index(OPENVINO)]
            self._hint = json.loads(given.get("load_config", "{}")).get("CPU", {}).get("INFERENCE_PRECISION_HINT", "")
            FakeOpenVino.opened.append((self._name, self._hint))
            if self.refuses and self._name.endswith(self.refuses):
                raise RuntimeError("no kernel for RoiAlign")
        options.intra_op_num_threads = 1
        super().__init__(model, options, providers=[CPU], enable_fallback=others["enable_fallback"])

    def get_providers(self) -> list[str]:
        return self._claimed

    def get_provider_graph_assignment_info(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(ep_name=self._claimed[0])]

    def run(self, names: list[str], feeds: dict[str, object], options: ort.RunOptions | None = None) -> list[object]:
        if self._hint and self.fails and self._name.endswith(self.fails):
            raise RuntimeError("the plug-in lost its device")
        answers = super().run(names, feeds, options)
        if self._hint == "bf16":
            answers = [rounded(one) for one in answers]
        if self._hint and self.spoils and self._name.endswith(self.spoils):
            answers = [one + np.float32(self.factor) * np.abs(one).max() if one.ndim > 3 else one for one in answers]
        return list(answers)


@pytest.fixture
def matrix_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The processor seems to be Intel's, with AMX; the file that says so."""
    path = tmp_path / "cpuinfo"
    path.write_text(PROCESSOR.format("GenuineIntel"))
    monkeypatch.setattr("sam3_onnx._support.processor._CPUINFO", path)
    choosing.say_what_is_quicker.cache_clear()
    return path


@pytest.fixture
def openvino(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeOpenVino]]:
    """The fake, in place of ONNX Runtime's sessions, with a cache folder of its own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    proofs = dict(PROOFS)
    monkeypatch.setattr(proof, "_proofs", proofs)
    monkeypatch.setattr(plugins, "_LIBRARIES", {})
    monkeypatch.setattr(ort, "get_available_providers", lambda: [OPENVINO, CPU])
    monkeypatch.setattr(ort, "InferenceSession", FakeOpenVino)
    FakeOpenVino.opened = []
    yield FakeOpenVino
    PROOFS.update({key: found for key, found in proofs.items() if found.passed and OPENVINO in key})
    FakeOpenVino.refuses = FakeOpenVino.fails = FakeOpenVino.spoils = ""
