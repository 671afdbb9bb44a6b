"""Is overlap measured right, and are exactly the repetitions left out?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sam3_onnx.errors import MaskError, OptionError
from sam3_onnx.geometry import mask_iou, mask_iou_matrix, non_max_suppression, suppress_overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = st.tuples(st.integers(1, 8), st.integers(1, 8))
PAIRS = SIZES.flatmap(lambda size: st.tuples(arrays(np.bool_, size), arrays(np.bool_, size)))
STACKS = st.tuples(st.integers(0, 6), st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: arrays(np.bool_, shape)
)
SCORED = STACKS.flatmap(
    lambda stack: st.tuples(st.just(stack), st.lists(st.floats(-5, 5), min_size=len(stack), max_size=len(stack)))
)


@given(pair=PAIRS)
@settings(deadline=None, max_examples=100)
def test_iou_is_the_shared_part_of_all_pixels(pair: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> None:
    a, b = pair
    first, second = set(np.flatnonzero(a).tolist()), set(np.flatnonzero(b).tolist())
    expected = len(first & second) / len(first | second) if first | second else 0.0
    assert mask_iou(a, b) == mask_iou(b, a) == expected
    assert type(mask_iou(a, b)) is float


@given(pair=PAIRS)
@settings(deadline=None, max_examples=100)
def test_iou_is_symmetric_in_range_and_one_with_itself(pair: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> None:
    a, b = pair
    assert mask_iou(a, b) == mask_iou(b, a)
    assert 0 <= mask_iou(a, b) <= 1
    assert mask_iou(a, a) == (1.0 if a.any() else 0.0)


def test_two_empty_masks_do_not_overlap() -> None:
    assert mask_iou(np.zeros((3, 3)), np.zeros((3, 3))) == 0.0
    assert mask_iou(np.zeros((3, 3)), np.ones((3, 3))) == 0.0
    assert mask_iou_matrix(np.zeros((1, 3, 3)), np.zeros((2, 3, 3))).tolist() == [[0.0, 0.0]]


@given(stack=STACKS, data=st.data())
@settings(deadline=None, max_examples=100)
def test_the_matrix_holds_the_iou_of_every_pair(stack: NDArray[np.bool_], data: st.DataObject) -> None:
    other = data.draw(arrays(np.bool_, (3, *stack.shape[1:])))
    matrix = mask_iou_matrix(stack, other)
    assert matrix.shape == (len(stack), 3)
    assert matrix.dtype == np.float64
    assert matrix.tolist() == [[mask_iou(a, b) for b in other] for a in stack]


def test_masks_of_different_dtypes_can_be_compared() -> None:
    mask = np.array([[True, False, True]])
    logits = np.array([[3.0, 1.0, -1.0]], dtype=np.float32)
    assert mask_iou(mask, logits, threshold=2.0) == 0.5
    assert mask_iou(mask[np.newaxis], logits, threshold=0.5) == pytest.approx(1 / 3)


def test_masks_of_different_sizes_are_refused() -> None:
    with pytest.raises(MaskError, match=r"same height and width, got \(2, 3\) and \(3, 2\)"):
        mask_iou(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(MaskError, match=r"same height and width, got \(2, 3\) and \(3, 2\)"):
        mask_iou_matrix(np.zeros((4, 2, 3)), np.zeros((4, 3, 2)))


def test_one_mask_is_no_stack() -> None:
    with pytest.raises(MaskError, match=r"stack of shape \(N, H, W\).*np\.newaxis"):
        mask_iou_matrix(np.zeros((2, 3)), np.zeros((1, 2, 3)))
    with pytest.raises(MaskError, match=r"stack of shape \(N, H, W\)"):
        non_max_suppression(np.zeros((2, 3)), [0.5, 0.5])


@given(scored=SCORED, iou_threshold=st.floats(0, 1))
@settings(deadline=None, max_examples=150)
def test_suppression_leaves_out_exactly_what_repeats_a_kept_mask(
    scored: tuple[NDArray[np.bool_], list[float]], iou_threshold: float
) -> None:
    masks, scores = scored
    kept = non_max_suppression(masks, scores, iou_threshold=iou_threshold)
    assert kept.dtype == np.intp
    order = sorted(range(len(masks)), key=lambda index: (-scores[index], index))
    assert kept.tolist() == [index for index in order if index in kept]
    for position, index in enumerate(order):
        better_kept = [other for other in order[:position] if other in kept]
        repeats = any(mask_iou(masks[index], masks[other]) > iou_threshold for other in better_kept)
        assert (index in kept) is not repeats


def test_equal_scores_keep_the_earlier_mask() -> None:
    masks = np.ones((5, 2, 2), dtype=bool)
    assert non_max_suppression(masks, np.full(5, 0.5)).tolist() == [0]
    assert non_max_suppression(masks, np.full(5, 0.5), iou_threshold=1.0).tolist() == [0, 1, 2, 3, 4]


def test_a_mask_that_only_a_suppressed_one_overlaps_is_kept() -> None:
    masks = np.zeros((3, 1, 8), dtype=bool)
    masks[0, 0, 0:4] = masks[1, 0, 1:5] = masks[2, 0, 2:6] = True
    assert non_max_suppression(masks, [0.9, 0.8, 0.7]).tolist() == [0, 2]


def test_scores_of_any_number_type_are_taken() -> None:
    overlaps = np.eye(3)
    assert suppress_overlaps(overlaps, np.array([1, 3, 2], dtype=np.uint8)).tolist() == [1, 2, 0]
    assert suppress_overlaps(overlaps, np.array([1, 3, 2], dtype=np.float16)).tolist() == [1, 2, 0]


def test_no_masks_give_no_indices() -> None:
    kept = non_max_suppression(np.zeros((0, 4, 4), dtype=bool), [])
    assert kept.shape == (0,)
    assert kept.dtype == np.intp


@pytest.mark.parametrize("iou_threshold", [-0.1, 1.1, np.nan])
def test_an_impossible_overlap_threshold_is_refused(iou_threshold: float) -> None:
    with pytest.raises(OptionError, match=r"iou_threshold must be in \[0, 1\]"):
        non_max_suppression(np.ones((1, 2, 2)), [0.5], iou_threshold=iou_threshold)


@pytest.mark.parametrize(
    ("overlaps", "scores"),
    [
        (np.eye(2), [0.5]),
        (np.eye(2), [[0.5, 0.5]]),
        (np.ones((2, 3)), [0.5, 0.5]),
        (np.eye(2), [0.5, np.nan]),
        (np.full((2, 2), np.nan), [0.5, 0.6]),
    ],
    ids=["too few", "two dimensions", "not square", "NaN score", "NaN overlap"],
)
def test_scores_and_overlaps_that_do_not_fit_are_refused(overlaps: NDArray[np.float64], scores: list[float]) -> None:
    with pytest.raises(OptionError, match="scores"):
        suppress_overlaps(overlaps, scores)
