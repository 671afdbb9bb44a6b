"""Are boxes that a graph reports in traced pixels put back into the picture's pixels?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.geometry.window import Window
from sam3_onnx.models.families.box_scale import TRACED_SIDE, rescaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDES = st.integers(40, 5000)
SIZES = st.tuples(SIDES, SIDES)
INPUTS = st.sampled_from([(336, 336), (448, 448), (504, 896), (672, 672)])
PLACES, EXTENTS = st.floats(0, 0.5), st.floats(0.3, 0.5)
BOX = st.tuples(PLACES, PLACES, EXTENTS, EXTENTS)
BOXES = st.lists(BOX, min_size=1, max_size=5)
BOUNDED = settings(deadline=None, max_examples=60)


def in_pixels(boxes: list[tuple[float, float, float, float]], size: tuple[int, int]) -> NDArray[np.float32]:
    """(N, 4) xyxy of boxes given as x, y, width and height in shares of a picture."""
    shares = np.array(boxes, np.float32)
    shares[:, 2:] += shares[:, :2]
    return shares * np.array([size[1], size[0], size[1], size[0]], np.float32)


def window(left: int, top: int, width: int, height: int) -> Window:
    """A full mask; no memory behind it, however large."""
    return Window(np.broadcast_to(np.True_, (height, width)), left, top)


def fitting(boxes: NDArray[np.float32]) -> list[Window]:
    """Masks that fill boxes."""
    return [window(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in np.rint(boxes).astype(int).tolist()]


@BOUNDED
@given(boxes=BOXES, size=SIZES, input_size=INPUTS)
def test_boxes_traced_at_1008_come_back_in_any_picture(
    boxes: list[tuple[float, float, float, float]], size: tuple[int, int], input_size: tuple[int, int]
) -> None:
    expected = in_pixels(boxes, size)
    found = rescaled(in_pixels(boxes, (TRACED_SIDE, TRACED_SIDE)), fitting(expected), size=size, input_size=input_size)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)


@BOUNDED
@given(boxes=BOXES, size=SIZES, input_size=INPUTS)
def test_boxes_traced_at_the_size_of_the_input_are_told_by_masks_that_fit_them(
    boxes: list[tuple[float, float, float, float]], size: tuple[int, int], input_size: tuple[int, int]
) -> None:
    expected = in_pixels(boxes, size)
    found = rescaled(in_pixels(boxes, input_size), fitting(expected), size=size, input_size=input_size)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)


@BOUNDED
@given(boxes=BOXES, size=SIZES, input_size=INPUTS)
def test_without_any_mask_1008_is_believed(
    boxes: list[tuple[float, float, float, float]], size: tuple[int, int], input_size: tuple[int, int]
) -> None:
    empty = [window(0, 0, 0, 0) for _ in boxes]
    found = rescaled(in_pixels(boxes, (TRACED_SIDE, TRACED_SIDE)), empty, size=size, input_size=input_size)
    np.testing.assert_allclose(found, in_pixels(boxes, size), rtol=1e-5, atol=1e-3)


def test_where_nothing_was_found_there_is_nothing_to_rescale() -> None:
    assert rescaled(np.zeros((0, 4), np.float32), [], size=(30, 40), input_size=(336, 336)).shape == (0, 4)


@BOUNDED
@given(boxes=BOXES, size=SIZES, input_size=INPUTS)
def test_masks_that_fit_neither_side_change_nothing(
    boxes: list[tuple[float, float, float, float]], size: tuple[int, int], input_size: tuple[int, int]
) -> None:
    specks = [window(size[1] - 1, size[0] - 1, 1, 1) for _ in boxes]
    found = rescaled(in_pixels(boxes, (TRACED_SIDE, TRACED_SIDE)), specks, size=size, input_size=input_size)
    np.testing.assert_allclose(found, in_pixels(boxes, size), rtol=1e-5, atol=1e-3)


def test_one_empty_mask_does_not_outvote_the_others() -> None:
    expected = np.array([[10, 20, 60, 90], [5, 5, 55, 45], [100, 20, 180, 70]], np.float32)
    windows = [*fitting(expected[:2]), window(0, 0, 0, 0)]
    traced = expected * np.float32(336 / 200)
    np.testing.assert_allclose(rescaled(traced, windows, size=(200, 200), input_size=(336, 336)), expected, rtol=1e-5)


@pytest.mark.parametrize("side", [336, TRACED_SIDE])
def test_a_picture_of_the_traced_size_is_left_as_it_is(side: int) -> None:
    boxes = np.array([[10, 20, 60, 90]], np.float32)
    found = rescaled(boxes, fitting(boxes), size=(side, side), input_size=(336, 336))
    np.testing.assert_array_equal(found, boxes)
