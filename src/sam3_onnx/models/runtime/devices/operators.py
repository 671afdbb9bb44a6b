"""The devices in whose memory answers can stay, and the little that has to be done with these answers there.

ONNX Runtime lets Python leave outputs in the memory of NVIDIA's cards (onnxruntime.ai, "I/O binding"). Other providers
give their answers to the host, as CPU does.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.forking import ForkSafeLock, keep_for_ever, renew_in_children, undivided
from sam3_onnx.models.runtime.devices.arrays import DeviceArray, on_host
from sam3_onnx.models.runtime.devices.binding import run_bound
from sam3_onnx.models.runtime.graphs.elementary import ANSWER, TAKEN, conversion, residue
from sam3_onnx.models.runtime.library import ort
from sam3_onnx.models.runtime.providers.names import CPU
from sam3_onnx.models.runtime.session_options import session_options

if TYPE_CHECKING:
    from typing import Any

    from sam3_onnx.models.runtime.devices.arrays import AnyArray

__all__ = ["MEMORIES", "Device", "device_of"]

MEMORIES = {
    "CUDAExecutionProvider": ("cuda", "CUDAExecutionProvider"),
    "TensorrtExecutionProvider": ("cuda", "CUDAExecutionProvider"),
}
"""By provider: ONNX Runtime's name of the memory that answers can stay in, and the provider for operators there."""
_FATAL_ONLY = 4  # severity of onnxruntime's log
_TOO_LARGE = 70000.0
"""Infinite in float16, whose largest number is 65504."""
_LOG = logging.getLogger("sam3_onnx.providers")
_devices: dict[tuple[str, int], Device | None] = {}
_lock = ForkSafeLock()


class Device:
    """A device whose memory ONNX Runtime can leave answers in. Safe under threads.

    Attributes:
        provider: The execution provider for operators on it.
        memory: ONNX Runtime's name of the kind of memory, such as "cuda".
        index: Which of the devices of this kind.
    """

    def __init__(self, provider: str, memory: str, index: int) -> None:
        """Loads nothing yet."""
        self.provider = provider
        self.memory = memory
        self.index = index
        self._sessions: dict[bytes, ort.InferenceSession] = {}
        self._lock = ForkSafeLock()
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Gives the sessions up in the child of a fork, which has no use of the parent's device."""
        for session in self._sessions.values():
            keep_for_ever(session)
        self._sessions = {}

    def __str__(self) -> str:
        return f"{self.memory}:{self.index}"

    def convert(self, array: AnyArray, dtype: np.dtype[Any]) -> DeviceArray:
        """Returns floats as another type of floats, in this device's memory."""
        (answer,) = self._run(conversion(array.dtype, dtype), array, stay=True)
        if not isinstance(answer, DeviceArray):
            raise TypeError(f"an answer that was to stay on {self} is a {type(answer).__name__}")
        return answer

    def are_finite(self, array: AnyArray) -> bool:
        """Returns whether none of some floats is NaN or infinite."""
        (answer,) = self._run(residue(array.dtype), array, stay=False)
        return bool(on_host(answer) == 0)

    def require_right(self) -> None:
        """Tries on a few numbers whether the device keeps, converts, examines and gives back.

        Raises:
            ValueError: It answers wrongly.
            Exception: Whatever ONNX Runtime raises, of classes of its own.
        """
        numbers = np.array([[0.1, -2.5, _TOO_LARGE], [1e-3, 4096.0, 0.0]], np.float32)
        with np.errstate(over="ignore"):
            halves = numbers.astype(np.float16)
        there = self.convert(numbers, np.dtype(np.float16))
        back = self.convert(there, np.dtype(np.float32))
        is_right = (
            np.array_equal(there.to_host(), halves)
            and np.array_equal(back.to_host(), halves.astype(np.float32))
            and self.are_finite(numbers)
            and not self.are_finite(there)
            and not self.are_finite(back)
        )
        if not is_right:
            raise ValueError("numbers do not come back as they were left there")

    def _run(self, model: bytes, array: AnyArray, *, stay: bool) -> list[AnyArray]:
        return run_bound(self._session(model), [ANSWER], {TAKEN: array}, device=self, stay=stay)

    def _session(self, model: bytes) -> ort.InferenceSession:
        with self._lock:
            if model not in self._sessions:
                with undivided():
                    self._sessions[model] = ort.InferenceSession(
                        model,
                        session_options(1, _FATAL_ONLY),
                        providers=[self.provider, CPU],
                        provider_options=[{"device_id": str(self.index)}, {}],
                        enable_fallback=0,
                    )
            return self._sessions[model]


def device_of(session: ort.InferenceSession) -> Device | None:
    """Returns the device in whose memory a session can leave its answers; None for the host's memory.

    A device is tried when it is first met. One that does not keep numbers rightly is not used for it, and the log
    `sam3_onnx.providers` says so.
    """
    first = session.get_providers()[0]
    if first not in MEMORIES:
        return None
    memory, provider = MEMORIES[first]
    index = int(session.get_provider_options().get(first, {}).get("device_id", 0))
    with _lock:
        if (memory, index) not in _devices:
            _devices[memory, index] = _tried(Device(provider, memory, index))
        return _devices[memory, index]


def _tried(device: Device) -> Device | None:
    try:
        device.require_right()
    except Exception as error:  # noqa: BLE001 - whatever is wrong, answers go through the host's memory instead
        _LOG.warning("Features do not stay in the memory of %s: %s. They go through the host's memory.", device, error)
        return None
    return device
