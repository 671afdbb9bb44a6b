"""Numbers in the memory of a device, with what families ask of NumPy's arrays."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from sam3_onnx._support.forking import keep_for_ever, renew_in_children
from sam3_onnx.errors import ProviderError, SessionForkedError
from sam3_onnx.models.runtime.library import ort

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from numpy.typing import DTypeLike, NDArray

    from sam3_onnx.models.runtime.devices.operators import Device

    _Answer = TypeVar("_Answer")

__all__ = ["AnyArray", "DeviceArray", "on_host"]

_TYPES = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}
"""NumPy's names of the element types that graphs of this library answer with."""


class DeviceArray:
    """An array in the memory of a device; nothing changes what is in it. Safe under threads.

    ONNX Runtime's value holds on to the allocator that it came from, so that it outlives the session that made it.

    Attributes:
        value: ONNX Runtime's value.
        device: Where it lies.
        shape: Sizes of its axes.
        dtype: NumPy's type of its elements.
    """

    def __init__(self, value: ort.OrtValue, device: Device) -> None:
        """Takes what a run has left on a device.

        Raises:
            ValueError: Its elements are of a type that NumPy does not have.
        """
        if value.data_type() not in _TYPES:
            raise ValueError(f"an output is a {value.data_type()}, which NumPy does not have")
        self.value = value
        self.device = device
        self.shape: tuple[int, ...] = tuple(value.shape())
        self.dtype: np.dtype[Any] = np.dtype(_TYPES[value.data_type()])
        self._is_foreign = False
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Gives the numbers up in the child of a fork, which can neither read them nor free them."""
        self._is_foreign = True
        keep_for_ever(self.value)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return prod(self.shape) * self.itemsize

    def __repr__(self) -> str:
        return f"<DeviceArray {self.dtype}{list(self.shape)} on {self.device}>"

    def astype(self, dtype: DTypeLike, *, copy: bool = True) -> DeviceArray:
        """Returns the same numbers as another type of floats, on the same device.

        Args:
            dtype: Of floats, if this array is of floats.
            copy: Whether the answer has to be another array if the type is the same; nothing changes either of them.

        Raises:
            ProviderError: The device does not answer.
        """
        wanted = np.dtype(dtype)
        if wanted == self.dtype and not copy:
            return self
        return self._ask(lambda: self.device.convert(self, wanted))

    def is_finite(self) -> bool:
        """Returns whether no element is NaN or infinite. The device looks; one number leaves it.

        Raises:
            ProviderError: The device does not answer.
        """
        return self._ask(lambda: self.device.are_finite(self))

    def to_host(self) -> NDArray[Any]:
        """Returns a copy in the host's memory.

        Raises:
            ProviderError: The device does not give it back.
        """
        return self._ask(lambda: np.asarray(self.value.numpy()))

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        """Asks the device.

        Raises:
            SessionForkedError: It is the parent's.
            ProviderError: It does not answer.
        """
        if self._is_foreign:
            raise SessionForkedError(
                reason=f"features on {self.device} cannot be used: they are the parent's",
                remedy="Open a session in each process, and encode the picture there.",
            )
        try:
            return question()
        except MemoryError:
            raise
        except Exception as error:
            raise ProviderError(
                wanted=[self.device.provider],
                active=[self.device.provider],
                available=ort.get_available_providers(),
                fault="lost what lay in the memory of its device",
                reason=str(error).strip(),
                mend="Call session.cache.clear() and encode the picture again.",
            ) from error


AnyArray: TypeAlias = "NDArray[Any] | DeviceArray"
"""An array in the host's memory or in a device's."""


def on_host(array: AnyArray) -> NDArray[Any]:
    """Returns an array in the host's memory: itself, or a copy of one that lies on a device.

    Raises:
        ProviderError: The device does not give it back.
    """
    return array.to_host() if isinstance(array, DeviceArray) else array
