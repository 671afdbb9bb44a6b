"""Features of a picture as they are kept: in the host's memory, or in that of the device that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import DTypeLike, NDArray

__all__ = ["FeaturePrecision", "Features", "OnDevice"]

FeaturePrecision: TypeAlias = Literal["float16", "exact"]
_HALF_LARGEST = float(np.finfo(np.float16).max)


class OnDevice(Protocol):
    """An array in the memory of a device, which ONNX Runtime has left there."""

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's type of its elements."""
        ...

    def astype(self, dtype: DTypeLike) -> OnDevice:
        """Returns the same numbers as another type of floats, on the same device."""
        ...

    def is_finite(self) -> bool:
        """Returns whether no element is NaN or infinite."""
        ...

    def to_host(self) -> NDArray[Any]:
        """Returns a copy in the host's memory."""
        ...


class Features:
    """Named arrays that can be moved from a device to the host; their numbers never change. Safe under threads.

    Whoever shares them has them moved too. A pickled or copied one lies on the host.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.generic] | OnDevice]) -> None:
        """Takes arrays as they are."""
        self._arrays = dict(arrays)

    @classmethod
    def store(cls, arrays: Mapping[str, NDArray[np.generic] | OnDevice], precision: FeaturePrecision) -> Features:
        """Keeps arrays, float32 ones as float16 unless `precision` is "exact", each where it lies.

        What is beyond float16's range, 65504, stays as it is.
        """
        return cls({name: _stored(array, precision) for name, array in arrays.items()})

    def __reduce__(self) -> tuple[type[Features], tuple[dict[str, NDArray[np.generic]]]]:
        return Features, (self.on_host(),)

    @property
    def nbytes(self) -> int:
        """Bytes, wherever they lie."""
        return sum(array.nbytes for array in self._arrays.values())

    @property
    def device_bytes(self) -> int:
        """Bytes in the memory of a device."""
        return sum(array.nbytes for array in self._arrays.values() if not isinstance(array, np.ndarray))

    def in_place(self) -> dict[str, Any]:
        """Returns the arrays where they lie now."""
        return dict(self._arrays)

    def on_host(self) -> dict[str, NDArray[np.generic]]:
        """Returns the arrays in the host's memory, read-only; those on a device are copied and stay there.

        Raises:
            ProviderError: The device does not give them back.
        """
        return {name: _on_host(array) for name, array in self._arrays.items()}

    def move_to_host(self) -> None:
        """Moves what lies on a device to the host's memory.

        Raises:
            ProviderError: The device does not give them back.
        """
        self._arrays.update(self.on_host())


def _on_host(array: NDArray[np.generic] | OnDevice) -> NDArray[np.generic]:
    if isinstance(array, np.ndarray):
        return array
    moved: NDArray[np.generic] = array.to_host()
    moved.flags.writeable = False
    return moved


def _stored(array: NDArray[np.generic] | OnDevice, precision: FeaturePrecision) -> NDArray[np.generic] | OnDevice:
    halved = precision == "float16" and array.dtype == np.float32
    if not isinstance(array, np.ndarray):
        half = array.astype(np.float16) if halved else array
        return half if half.is_finite() else array
    stored: NDArray[np.generic] = array.astype(np.float16) if halved and _fits_half(array) else array
    stored.flags.writeable = False
    return stored


def _fits_half(array: NDArray[np.generic]) -> bool:
    return bool(array.min(initial=0) >= -_HALF_LARGEST and array.max(initial=0) <= _HALF_LARGEST)
