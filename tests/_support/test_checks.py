"""The checks of arguments that every public function shares."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from sam3_onnx._support.checks import (
    as_finite,
    as_sign,
    is_number,
    is_share,
    is_whole,
    require_choice,
    require_size,
)
from sam3_onnx.errors import OptionError

NO_NUMBERS = [
    True,
    np.False_,
    "1",
    b"1",
    None,
    1j,
    float("nan"),
    float("inf"),
    np.float32("nan"),
    10**400,
    -(10**400),
    Fraction(10**400, 3),
    Decimal("nan"),
    np.array([1.0, 2.0]),
    np.datetime64("2020-01-01"),
    dt.date(2020, 1, 1),
    [1],
]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: str(value)[:20])
def test_what_is_no_finite_number_is_none(value: object) -> None:
    assert as_finite(value) is None
    assert not is_number(value)
    assert not is_share(value)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int8(1), np.uint64(1), Fraction(1, 3)])
def test_numbers_of_numpy_and_of_the_standard_library_are_numbers(value: float) -> None:
    assert as_finite(value) == float(value)
    assert is_number(value)
    assert is_share(value)


def test_what_turns_itself_into_a_float_is_one_as_an_element_of_a_tensor_does() -> None:
    assert as_finite(np.array(2.5)) == 2.5
    assert as_finite(Decimal("2.5")) == 2.5


@pytest.mark.parametrize("value", [-0.1, 1.1, 50, np.float64(1.5)])
def test_a_share_is_in_0_to_1(value: float) -> None:
    assert is_number(value)
    assert not is_share(value)


def test_whole_numbers_may_be_as_large_as_they_like() -> None:
    assert is_whole(10**400)
    assert not is_whole(np.True_)
    assert not is_whole(1.0)


@pytest.mark.parametrize("value", [1.0, 0.0, "1", 2, -1, None, [1], np.array([1]), float("nan")])
def test_a_sign_is_true_false_1_or_0(value: object) -> None:
    assert as_sign(value) is None


@pytest.mark.parametrize("value", [True, np.True_, 1, np.int64(1), np.uint8(1)])
def test_numpys_signs_are_signs(value: int) -> None:
    assert as_sign(value) is True
    assert as_sign(1 - int(value)) is False


@pytest.mark.parametrize("value", [None, [], {}, np.array(["a", "b"]), b"a", 1, "A"])
def test_a_choice_is_one_of_the_names(value: object) -> None:
    require_choice("mode", "a", ("a", "b"))
    with pytest.raises(OptionError, match=r'^mode must be "a" or "b", got '):
        require_choice("mode", value, ("a", "b"))


def test_of_many_names_a_near_one_is_offered() -> None:
    formats = ("xanylabeling", "labelme", "yolo-detect", "coco")
    with pytest.raises(OptionError, match=r"got 'COCO'. Did you mean coco\?"):
        require_choice("format", "COCO", formats)
    with pytest.raises(OptionError, match=r"got 'yolo'. Did you mean yolo-detect\?"):
        require_choice("format", "yolo", formats)
    with pytest.raises(OptionError, match=r"got 'pascal'.$"):
        require_choice("format", "pascal", formats)


@pytest.mark.parametrize("size", [(60, 90), [60, 90], np.array([60, 90]), (np.int64(60), np.uint8(90))])
def test_a_size_is_two_whole_numbers(size: object) -> None:
    assert require_size("image_size", size) == (60, 90)


@pytest.mark.parametrize("size", [None, 60, "60", "ab", b"ab", (60,), (60, 90, 3), (0, 90), (60.5, 90), (True, 90), {}])
def test_what_is_no_size_is_refused(size: object) -> None:
    with pytest.raises(OptionError, match=r"^image_size must be the height and width of the picture, in whole pixels"):
        require_size("image_size", size)
