"""An ONNX Runtime that seems to offer a graphics card.

Sessions run on CPU and claim the providers that they were asked for. The memory of the card is the host's, in ONNX
Runtime's own values, so that binding is real; what goes to the card and comes back is counted.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx._support.folders import CACHE_VARIABLE
from sam3_onnx.models.runtime.devices import operators
from sam3_onnx.models.runtime.providers import plugins, proof
from sam3_onnx.models.runtime.providers.names import CPU

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sam3_onnx.models.runtime.providers.proof import Proof

__all__ = ["CUDA", "TENSORRT", "FakeCard", "card"]

CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
PROOFS: dict[str, Proof] = {}
"""Proofs that an earlier test has passed, so that each need not be made in every test."""
_SMALL = 4096
"""Bytes of prompts and scores, which may travel."""


class FakeCard(ort.InferenceSession):  # type: ignore[misc] # onnxruntime has no types
    """Runs on CPU, and claims the providers that it was asked for."""

    options: list[dict[str, str]]
    """What each session on the card was asked for, beside its graph."""
    sent = 0
    """Bytes that were copied to the card, but for small arrays."""
    fails = False
    """Bound runs raise."""

    def __init__(self, model: str | bytes, options: ort.SessionOptions, *, providers: list[str], **others: Any) -> None:  # noqa: ANN401
        self._claimed = providers
        self._given = dict(zip(providers, others["provider_options"], strict=True))
        if providers[0] != CPU:
            FakeCard.options.append(self._given[providers[0]])
        options.intra_op_num_threads = 1
        super().__init__(model, options, providers=[CPU], enable_fallback=others["enable_fallback"])

    def get_providers(self) -> list[str]:
        return self._claimed

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        return self._given

    def get_provider_graph_assignment_info(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(ep_name=self._claimed[0])]

    def run(self, names: list[str], feeds: dict[str, Any], options: ort.RunOptions | None = None) -> list[Any]:
        self._count(feeds)
        return list(super().run(names, feeds, options))

    def _count(self, feeds: dict[str, Any]) -> None:
        if self._claimed[0] != CPU:
            FakeCard.sent += sum(size for array in feeds.values() if (size := np.asarray(array).nbytes) > _SMALL)

    def run_with_iobinding(self, binding: ort.IOBinding, options: ort.RunOptions | None = None) -> None:
        if self.fails:
            raise RuntimeError("CUDA failure 2: out of memory")
        self._count(binding._numpy_obj_references)  # noqa: SLF001 - what was copied
        super().run_with_iobinding(binding, options)


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeCard]]:
    """The fake, in place of ONNX Runtime's sessions, with a cache folder of its own."""
    proofs = dict(PROOFS)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(proof, "_proofs", proofs)
    monkeypatch.setattr(plugins, "_LIBRARIES", {})
    monkeypatch.setattr(ort, "get_available_providers", lambda: [TENSORRT, CUDA, CPU])
    monkeypatch.setattr(ort, "InferenceSession", FakeCard)
    monkeypatch.setattr(operators, "MEMORIES", dict.fromkeys((CUDA, TENSORRT), ("cpu", CUDA)))
    monkeypatch.setattr(operators, "_devices", {})
    FakeCard.options = []
    yield FakeCard
    PROOFS.update({key: found for key, found in proofs.items() if found.passed})
    FakeCard.sent, FakeCard.fails = 0, False
