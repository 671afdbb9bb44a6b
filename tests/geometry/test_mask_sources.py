"""Is a mask that is held small the same mask as one made at the picture's size?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sam3_onnx.errors import MaskError
from sam3_onnx.geometry.mask_sources import CroppedMask, LogitMask, PackedMask, RunLengthMask
from sam3_onnx.geometry.window import Window, window_iou

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = st.tuples(st.integers(1, 70), st.integers(1, 70))
SMALL = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)
LEVELS = st.one_of(st.integers(-3, 3).map(float), st.floats(-8, 8, width=32))
LOGITS = hnp.arrays(np.float32, SMALL, elements=LEVELS, fill=st.just(-1.0))
MASKS = hnp.arrays(np.bool_, SMALL)
TIE = 1e-5  # closer to 0 than this, the order of additions decides


def weights(cells: int, pixels: int) -> NDArray[np.float64]:
    """(pixels, cells): how each cell enters each pixel, half-pixel centres, edges repeated."""
    places = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(cells))))


def resized(logits: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float64]:
    rows, columns = weights(logits.shape[0], size[0]), weights(logits.shape[1], size[1])
    return np.asarray(rows @ logits.astype(np.float64) @ columns.T)


def shown(window: Window, size: tuple[int, int]) -> NDArray[np.bool_]:
    full = window.full(size)
    assert full.shape == size
    assert full.dtype == np.bool_
    return full


def assert_tight(window: Window) -> None:
    if window.mask.size:
        assert window.mask[[0, -1]].any(1).all()
        assert window.mask[:, [0, -1]].any(0).all()
    else:
        assert window.mask.shape == (0, 0)


@settings(deadline=None, max_examples=300)
@given(logits=LOGITS, size=SIZES)
def test_logits_give_the_mask_of_the_whole_resize(logits: NDArray[np.float32], size: tuple[int, int]) -> None:
    source = LogitMask(logits, size)
    whole = resized(logits, size)
    mask = shown(source.window, size)
    decided = np.abs(whole) > TIE
    np.testing.assert_array_equal(mask[decided], (whole > 0)[decided])
    assert_tight(source.window)


@pytest.mark.parametrize("size", [(5, 7), (24, 32), (31, 90), (200, 150), (1, 400)])
@pytest.mark.parametrize("seed", range(3))
def test_opencv_resizes_to_the_same_mask(size: tuple[int, int], seed: int) -> None:
    logits = np.random.default_rng(seed).normal(size=(24, 32)).astype(np.float32)
    whole = cv2.resize(logits, size[::-1], interpolation=cv2.INTER_LINEAR)
    decided = np.abs(whole) > TIE
    np.testing.assert_array_equal(shown(LogitMask(logits, size).window, size)[decided], (whole > 0)[decided])


@pytest.mark.parametrize("size", [(3, 4), (12, 16), (37, 41), (300, 200)])
@pytest.mark.parametrize("cell", [(0, 0), (0, 15), (11, 0), (11, 15), (5, 0), (0, 7), (6, 8)])
def test_a_single_positive_cell_anywhere(size: tuple[int, int], cell: tuple[int, int]) -> None:
    logits = np.full((12, 16), -1.0, np.float32)
    logits[cell] = 1.5
    whole = resized(logits, size)
    decided = np.abs(whole) > TIE
    mask = shown(LogitMask(logits, size).window, size)
    np.testing.assert_array_equal(mask[decided], (whole > 0)[decided])


def test_the_window_of_a_small_thing_in_a_large_picture_is_small() -> None:
    logits = np.full((50, 50), -4.0, np.float32)
    logits[20:22, 30:33] = 4.0
    window = LogitMask(logits, (1000, 2000)).window
    assert window.mask.shape == (40, 120)
    assert (window.x, window.y) == (1200, 400)


def test_a_value_of_exactly_zero_is_outside() -> None:
    logits = np.array([[1.0, -1.0]], np.float32)
    np.testing.assert_array_equal(shown(LogitMask(logits, (1, 3)).window, (1, 3)), [[True, False, False]])


@pytest.mark.parametrize("fill", [-1.0, 0.0])
def test_no_positive_logit_is_an_empty_mask(fill: float) -> None:
    window = LogitMask(np.full((4, 6), fill, np.float32), (40, 50)).window
    assert window.mask.shape == (0, 0)
    assert window.area == 0
    assert not shown(window, (40, 50)).any()


def test_a_positive_cell_between_the_sampled_places_of_a_small_picture_is_not_seen() -> None:
    logits = np.full((9, 9), -1.0, np.float32)
    logits[0, 0] = 5.0
    assert LogitMask(logits, (3, 3)).window.mask.shape == (0, 0)
    assert not (resized(logits, (3, 3)) > 0).any()


@settings(deadline=None)
@given(mask=MASKS)
def test_a_packed_mask_comes_back(mask: NDArray[np.bool_]) -> None:
    packed = PackedMask.pack(mask)
    assert packed.size == mask.shape
    np.testing.assert_array_equal(shown(packed.window, packed.size), mask)
    assert_tight(packed.window)


def test_a_packed_mask_holds_bits_of_its_window_only() -> None:
    mask = np.zeros((3000, 4000), np.bool_)
    mask[100:180, 200:300] = True
    packed = PackedMask.pack(mask)
    assert packed.bits.nbytes == 80 * 100 // 8
    assert not np.shares_memory(packed.bits, mask)


def test_only_a_plane_can_be_packed() -> None:
    with pytest.raises(MaskError, match=r"expected a mask of shape \(H, W\), got shape \(1, 4, 4\)"):
        PackedMask.pack(np.zeros((1, 4, 4), np.bool_))


EDGES = st.floats(-20, 40, width=32)


@settings(deadline=None, max_examples=200)
@given(mask=MASKS, box=st.tuples(EDGES, EDGES, EDGES, EDGES))
def test_a_cropped_mask_keeps_the_pixels_that_its_box_touches(
    mask: NDArray[np.bool_], box: tuple[float, float, float, float]
) -> None:
    x1, x2 = sorted(box[::2])
    y1, y2 = sorted(box[1::2])
    cropped = CroppedMask(PackedMask.pack(mask), (x1, y1, x2, y2))
    rows, columns = np.indices(mask.shape)
    touched = (columns >= np.floor(x1)) & (columns < np.ceil(x2)) & (rows >= np.floor(y1)) & (rows < np.ceil(y2))
    assert cropped.size == mask.shape
    np.testing.assert_array_equal(shown(cropped.window, cropped.size), mask & touched)
    assert_tight(cropped.window)


@settings(deadline=None, max_examples=200)
@given(pair=SMALL.flatmap(lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))))
def test_the_overlap_of_windows_is_that_of_the_masks(pair: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> None:
    one, two = pair
    union = np.count_nonzero(one | two)
    expected = np.count_nonzero(one & two) / union if union else 0.0
    windows = PackedMask.pack(one).window, PackedMask.pack(two).window
    assert window_iou(*windows) == window_iou(*windows[::-1]) == pytest.approx(expected, abs=1e-12)
    loose = Window(one, 0, 0), Window(two, 0, 0)
    assert window_iou(*loose) == pytest.approx(expected, abs=1e-12)


def test_windows_apart_do_not_overlap() -> None:
    square = np.ones((3, 3), np.bool_)
    assert window_iou(Window(square, 0, 0), Window(square, 3, 0)) == 0.0
    assert window_iou(Window(square, 0, 0), Window(square, 2, 2)) == pytest.approx(1 / 17)


def test_an_origin_turns_window_coordinates_into_the_pictures() -> None:
    window = Window(np.ones((2, 3), np.bool_), 7, 5)
    np.testing.assert_array_equal(np.array([[0.0, 1.0]]) + window.origin, [[7.0, 6.0]])


@given(MASKS)
def test_a_mask_of_run_lengths_is_the_mask_and_has_the_window_of_a_packed_one(mask: NDArray[np.bool_]) -> None:
    lengths, packed = RunLengthMask.pack(mask), PackedMask.pack(mask)
    assert lengths.size == packed.size == mask.shape
    assert np.array_equal(lengths.window.full(lengths.size), mask)
    assert lengths.window.mask.shape == packed.window.mask.shape
    assert window_iou(lengths.window, packed.window) == (1.0 if mask.any() else 0.0)
