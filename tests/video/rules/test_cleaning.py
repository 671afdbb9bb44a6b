"""Holes and specks: the part around the mask that is looked at decides as the whole does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sam3_onnx.video.rules.cleaning import cleaned
from sam3_onnx.video.rules.planes import Plane


def by_the_whole(logits: np.ndarray, area: int) -> np.ndarray:
    """`fill_holes_in_mask_scores`, part by part over the whole mask."""
    logits = logits.copy()
    for value in (0.1, -0.1):
        mask = (logits <= 0) if value > 0 else (logits > 0)
        most = area if value > 0 else min(area, int(mask.sum()) // 2)
        count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        for part in range(1, count):
            if np.count_nonzero(labels == part) <= most:
                logits[labels == part] = value
    return logits


@given(arrays(np.bool_, st.tuples(st.integers(5, 30), st.integers(5, 30))), st.integers(0, 18))
def test_cleaning_around_the_mask_is_cleaning_the_whole(mask: np.ndarray, area: int) -> None:
    logits = np.where(mask, np.float32(2), np.float32(-2))
    ours = cleaned(Plane(logits), area).logits
    if mask.any() and area:
        np.testing.assert_array_equal(ours, by_the_whole(logits, area))
    else:
        assert ours is logits


@pytest.mark.parametrize("place", [(0, 0), (20, 20), (37, 0), (20, 37)])
def test_a_small_thing_is_not_taken_for_the_rim_of_a_hole(place: tuple[int, int]) -> None:
    logits = np.full((40, 40), -1, np.float32)
    logits[place[0] : place[0] + 3, place[1] : place[1] + 3] = 1
    logits[place[0] + 1, place[1] + 1] = -1
    filled = cleaned(Plane(logits), 4).logits
    assert np.count_nonzero(filled > 0) == 9
    assert filled[place[0] + 1, place[1] + 1] == np.float32(0.1)


def test_a_clean_mask_is_the_same_one() -> None:
    logits = np.full((40, 40), -1, np.float32)
    logits[4:20, 4:20] = 1
    assert cleaned(Plane(logits), 16).logits is logits
