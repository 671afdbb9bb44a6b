"""Arrays on a device have NumPy's attributes, are converted and examined there, and belong to one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import ProviderError, SessionForkedError
from sam3_onnx.models.runtime.devices.arrays import DeviceArray, on_host
from sam3_onnx.models.runtime.devices.operators import Device
from tests.support.fake_card import CUDA
from tests.support.forks import forks, in_child

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.support.fake_card import FakeCard

FLOATS = st.floats(-60000, 60000, width=32)


def there(array: NDArray[np.generic]) -> DeviceArray:
    """An array in the memory of a device, which is the host's here."""
    return DeviceArray(ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array)), Device(CUDA, "cpu", 0))


@pytest.mark.usefixtures("card")
def test_numbers_come_back_as_they_were_left() -> None:
    numbers = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    array = there(numbers)
    assert (array.shape, array.ndim, array.dtype.name, array.itemsize, array.nbytes) == ((2, 3, 4), 3, "float32", 4, 96)
    np.testing.assert_array_equal(on_host(array), numbers)
    assert on_host(numbers) is numbers
    assert array.astype(np.float32, copy=False) is array


def test_conversions_round_as_numpy_does(card: type[FakeCard]) -> None:
    @settings(deadline=None, max_examples=30)
    @given(st.lists(FLOATS, min_size=0, max_size=9))
    def check(values: list[float]) -> None:
        numbers = np.array(values, np.float32)
        half = device.convert(numbers, np.dtype(np.float16))
        np.testing.assert_array_equal(half.to_host(), numbers.astype(np.float16))
        np.testing.assert_array_equal(half.astype(np.float32).to_host(), numbers.astype(np.float16).astype(np.float32))
        assert half.is_finite()

    device = Device(CUDA, "cpu", 0)
    check()
    assert card.options == [{"device_id": "0"}] * 3, "one session for each conversion, and one that examines"


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_is_found(dtype: type[np.floating], wrong: float) -> None:
    numbers = np.full((3, 5), np.finfo(dtype).max, dtype)
    assert there(numbers).is_finite(), "the sum of these alone would overflow"
    numbers[2, 4] = wrong
    assert not there(numbers).is_finite()


def test_a_type_that_numpy_lacks_is_refused() -> None:
    value = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.zeros(2, np.uint16), 16)
    with pytest.raises(ValueError, match=r"tensor\(bfloat16\), which NumPy does not have"):
        DeviceArray(value, Device(CUDA, "cpu", 0))


def test_a_device_that_does_not_answer_is_an_error_that_says_what_to_do(card: type[FakeCard]) -> None:
    array = there(np.zeros(3, np.float32))
    card.fails = True
    with pytest.raises(ProviderError, match=r"lost what lay in the memory of its device: CUDA failure 2.*cache.clear"):
        array.is_finite()


@forks
@pytest.mark.usefixtures("card")
def test_the_child_of_a_fork_can_neither_read_nor_free_what_is_its_parents() -> None:
    array = there(np.ones(3, np.float32))
    for question in (array.to_host, array.is_finite, lambda: array.astype(np.float16)):
        with pytest.raises(SessionForkedError, match="features on cpu:0 cannot be used: they are the parent's"):
            in_child(question)
    assert array.to_host().sum() == 3


@pytest.mark.usefixtures("card")
def test_what_lies_on_another_device_goes_through_the_host() -> None:
    one, other = Device(CUDA, "cpu", 0), Device(CUDA, "cpu", 1)
    array = one.convert(np.arange(3, dtype=np.float32), np.dtype(np.float16))
    moved = other.convert(array, np.dtype(np.float32))
    assert (array.device, moved.device) == (one, other)
    np.testing.assert_array_equal(moved.to_host(), [0, 1, 2])
