"""Do all functions take a mask in every usual form, leave it alone, and refuse what is none?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from sam3_onnx.errors import MaskError, OptionError
from sam3_onnx.geometry import (
    mask_iou,
    mask_iou_matrix,
    mask_to_polygon,
    mask_to_polygons,
    mask_to_rectangle,
    mask_to_rle,
    mask_to_rotated_box,
    non_max_suppression,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Answer = Callable[[NDArray[np.generic], float], object]

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=10))


def polygon_list(mask: NDArray[np.generic], threshold: float) -> object:
    polygon = mask_to_polygon(mask, threshold=threshold)
    return None if polygon is None else polygon.tolist()


def stack_of(mask: NDArray[np.generic]) -> NDArray[np.generic]:
    return mask if mask.ndim == 3 else mask[np.newaxis]


ANSWERS: dict[str, Answer] = {
    "polygon": polygon_list,
    "polygons": lambda mask, threshold: mask_to_polygons(mask, threshold=threshold),
    "rectangle": lambda mask, threshold: mask_to_rectangle(mask, threshold=threshold),
    "rotated box": lambda mask, threshold: mask_to_rotated_box(mask, threshold=threshold),
    "rle": lambda mask, threshold: mask_to_rle(mask, threshold=threshold),
    "iou": lambda mask, threshold: mask_iou(mask, np.ones(mask.shape, dtype=bool), threshold=threshold),
    "iou matrix": lambda mask, threshold: mask_iou_matrix(
        stack_of(mask), np.ones(stack_of(mask).shape, dtype=bool), threshold=threshold
    ).tolist(),
    "nms": lambda mask, threshold: non_max_suppression(stack_of(mask), [0.5], threshold=threshold).tolist(),
}
EVERY_FUNCTION = pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())


def same_mask_otherwise_stored(mask: NDArray[np.bool_]) -> list[NDArray[np.generic]]:
    spread = np.zeros((2 * mask.shape[0], 3 * mask.shape[1]), dtype=bool)
    spread[::2, ::3] = mask
    read_only = mask.copy()
    read_only.flags.writeable = False
    return [
        np.asfortranarray(mask),
        mask[::-1, ::-1].copy()[::-1, ::-1],
        spread[::2, ::3],
        np.pad(mask, 2)[2:-2, 2:-2],
        mask[np.newaxis],
        read_only,
        mask.astype(np.uint8) * 255,
        mask.astype(np.uint16),
        mask.astype(np.int64),
        np.where(mask, np.float16(0.25), np.float16(-3)),
        np.where(mask, np.float32(1e-20), np.float32(0)),
        np.where(mask, np.inf, -np.inf),
        np.where(mask, 2.0, -2.0).astype(">f8"),
        np.where(mask, 2.0, -2.0).T.copy().T[np.newaxis],
    ]


@EVERY_FUNCTION
@given(mask=MASKS)
@settings(deadline=None, max_examples=40)
def test_dtype_and_memory_layout_do_not_change_the_answer(answer: Answer, mask: NDArray[np.bool_]) -> None:
    expected = answer(mask, 0.0)
    assert [answer(stored, 0.0) for stored in same_mask_otherwise_stored(mask)] == [expected] * 14


@EVERY_FUNCTION
@given(mask=MASKS)
@settings(deadline=None, max_examples=40)
def test_the_input_is_not_changed(answer: Answer, mask: NDArray[np.bool_]) -> None:
    for stored in [mask, *same_mask_otherwise_stored(mask)]:
        before = stored.tobytes()
        answer(stored, 0.0)
        assert stored.tobytes() == before


@EVERY_FUNCTION
def test_a_logit_equal_to_the_threshold_is_background(answer: Answer) -> None:
    logits = np.full((6, 6), 1.5)
    logits[1:4, 2:5] = np.nextafter(1.5, 2)
    assert answer(logits, 1.5) == answer(logits > 1.5, 0.0)


@EVERY_FUNCTION
@pytest.mark.parametrize("threshold", [-1.0, 0.5, 300.0])
def test_the_threshold_is_for_logits_only(answer: Answer, threshold: float) -> None:
    mask = np.zeros((5, 5), dtype=np.uint8)
    mask[1:4, 1:4] = 200
    assert answer(mask, threshold) == answer(mask > 0, threshold) == answer(mask, 0.0)


@EVERY_FUNCTION
@pytest.mark.parametrize(
    "not_a_mask",
    [
        np.zeros((2, 0), dtype=bool),
        np.zeros((0, 3)),
        np.zeros((1, 0, 3)),
        np.zeros(7),
        np.zeros((1, 1, 4, 4)),
        np.array([[0.5, np.nan]]),
        np.array([[1, -1]]),
        np.array([[1j]]),
        np.array([["a"]]),
        np.array([[None]]),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_what_is_no_mask_is_refused(answer: Answer, not_a_mask: NDArray[np.generic]) -> None:
    with pytest.raises(MaskError, match=r"expected .*, got "):
        answer(not_a_mask, 0.0)


@pytest.mark.parametrize("name", ["polygon", "polygons", "rectangle", "rotated box", "rle", "iou"])
@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5, 1), (2, 4, 5)])
def test_channels_and_stacks_are_refused_where_one_mask_is_expected(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(MaskError, match=r"shape \(H, W\) or \(1, H, W\).*got shape \(.*one mask at a time"):
        ANSWERS[name](np.zeros(shape, dtype=np.uint8), 0.0)


@EVERY_FUNCTION
def test_a_threshold_that_is_nan_is_refused(answer: Answer) -> None:
    with pytest.raises(OptionError, match="threshold must be a number, got nan"):
        answer(np.ones((2, 2)), np.nan)
