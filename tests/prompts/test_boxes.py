"""Boxes are read as people mean them, or refused with the reason."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import BoxError
from sam3_onnx.prompts import Box, Concept, box_labels, normalised_cxcywh, parse_boxes

if TYPE_CHECKING:
    from sam3_onnx.prompts import BoxesLike

SIZE = (480, 640)  # height, width
few = settings(deadline=None, max_examples=100)
coordinate = st.floats(-1000, 2000, allow_nan=False, width=32)


def test_boxes_are_taken_in_every_form() -> None:
    expected = (Box(10, 20, 90, 80), Box(5, 6, 9, 9))
    assert parse_boxes([Box(10, 20, 90, 80), (5, 6, 9, 9)], SIZE) == expected
    assert parse_boxes(([10, 20, 90, 80], np.array([5, 6, 9, 9])), SIZE) == expected
    assert parse_boxes(np.array([[10, 20, 90, 80], [5, 6, 9, 9]], dtype=np.float32), SIZE) == expected
    assert parse_boxes((box for box in expected), SIZE) == expected
    assert parse_boxes([], SIZE) == ()
    assert parse_boxes(np.zeros((0, 4)), SIZE) == ()


def test_coordinates_become_plain_floats() -> None:
    (box,) = parse_boxes(np.array([[1, 2, 3, 4]], dtype=np.int64), SIZE)
    assert [type(value) for value in dataclasses.astuple(box)] == [float] * 4 + [bool]


def test_the_sign_of_a_box_is_kept() -> None:
    assert [box.positive for box in parse_boxes([Box(1, 2, 3, 4, positive=False), (1, 2, 3, 4)], SIZE)] == [False, True]


def test_reversed_corners_are_put_in_order() -> None:
    found = parse_boxes([(90, 80, 10, 20), (10, 80, 90, 20), Box(90, 20, 10, 80)], SIZE)
    assert found == (Box(10, 20, 90, 80),) * 3


def test_a_box_partly_outside_is_clipped() -> None:
    assert parse_boxes([(-5, -6, 1000, 1000)], size=(480, 640)) == (Box(0, 0, 640, 480),)
    assert parse_boxes([(639.5, 0, 700, 479)], size=(480, 640)) == (Box(639.5, 0, 640, 479),)


@pytest.mark.parametrize(
    "box", [(640, 0, 700, 10), (0, 480, 10, 500), (-9, 0, 0, 10), (0, -9, 10, 0), Box(1000, 1000, 1100, 1100)]
)
def test_a_box_outside_the_picture_is_an_error(box: Box | tuple[float, ...]) -> None:
    with pytest.raises(BoxError) as caught:
        parse_boxes([box], SIZE)
    assert str(caught.value) == (
        f"The box {box!r} cannot be used: it is outside the picture. Expected x1, y1, x2, y2 "
        "with an area inside the picture of 640 x 480 pixels (width x height)."
    )


@pytest.mark.parametrize("box", [(10, 10, 10, 20), (10, 10, 20, 10), Box(5, 5, 5, 5)])
def test_a_box_without_area_is_an_error(box: Box | tuple[float, ...]) -> None:
    with pytest.raises(BoxError, match="cannot be used: it has no area"):
        parse_boxes([box], SIZE)


@pytest.mark.parametrize(
    "boxes",
    [
        [(math.nan, 0, 9, 9)],
        [Box(0, 0, math.inf, 9)],
        [(0, 0, 9)],
        [(0, 0, 9, 9, 1)],
        [(0, 0, "9", 9)],
        ["1234"],
        [None],
        [(0, 0, None, 9)],
        [{"x1": 0}],
        [(10**400, 0, 9, 9)],
        [Box(0, 0, 10**400, 9)],
        [(True, 0, 9, 9)],
        [(np.array([5.0, 6.0]), 0, 9, 9)],
        [(np.datetime64("2020-01-01"), 0, 9, 9)],
        [np.zeros((1, 4)).view(np.matrix)],
        "1234",
        np.array(7),
        np.zeros((1, 2, 2)),
        np.zeros((1, 4, 2)),
        7,
    ],
)
def test_what_is_no_box_is_an_error(boxes: BoxesLike) -> None:
    expected = (
        r"cannot be used: it is not four finite numbers. Expected a list of Box\(x1, y1, x2, y2\) or "
        r"\(x1, y1, x2, y2\) inside the picture of 640 x 480 pixels \(width x height\)"
    )
    with pytest.raises(BoxError, match=expected):
        parse_boxes(boxes, SIZE)


@pytest.mark.parametrize("box", [(0, 0, 9, 9), [0, 0, 9, 9], np.array([0, 0, 9, 9]), Box(0, 0, 9, 9)])
def test_one_box_that_is_in_no_list_is_refused_with_the_list(box: Any) -> None:  # noqa: ANN401 - of several kinds
    with pytest.raises(BoxError) as caught:
        parse_boxes(box, SIZE)
    assert str(caught.value).endswith(f"it is not in a list. Expected a list of boxes: boxes=[{box!r}].")


@pytest.mark.parametrize("positive", [-10, -1, 0.5, 1.0, "1", "0", None, 7, math.nan, [True], np.array([1])])
def test_a_box_is_positive_or_not_and_nothing_else(positive: Any) -> None:  # noqa: ANN401 - what nobody expects
    with pytest.raises(BoxError, match=r"positive is .*Expected positive=True for an example to find, or positive="):
        Box(0, 0, 9, 9, positive=positive)


@pytest.mark.parametrize("positive", [True, 1, np.True_, np.int8(1)])
def test_one_and_zero_stand_for_true_and_false(positive: Any) -> None:  # noqa: ANN401 - of several kinds
    assert Box(0, 0, 9, 9, positive=positive) == Box(0, 0, 9, 9)
    assert Box(0, 0, 9, 9, positive=positive).positive is True
    assert Box(0, 0, 9, 9, positive=not positive).positive is False


@given(coordinate, coordinate, coordinate, coordinate)
@few
def test_a_box_comes_back_inside_or_not_at_all(x1: float, y1: float, x2: float, y2: float) -> None:
    height, width = SIZE
    meets = max(min(x1, x2), 0) < min(max(x1, x2), width) and max(min(y1, y2), 0) < min(max(y1, y2), height)
    if not meets:
        with pytest.raises(BoxError):
            parse_boxes([(x1, y1, x2, y2)], SIZE)
        return
    try:
        (box,) = parse_boxes([(x1, y1, x2, y2)], SIZE)
    except BoxError as error:
        assert "boxes are in pixels, not in fractions" in str(error)  # noqa: PT017 - most boxes are no error
        return
    assert 0 <= box.x1 < box.x2 <= width
    assert 0 <= box.y1 < box.y2 <= height
    assert parse_boxes([box], SIZE) == (box,)
    assert parse_boxes([(x2, y2, x1, y1)], SIZE) == (box,)


@pytest.mark.parametrize("box", [(0.1, 0.1, 0.2, 0.2), (0, 0, 1, 1), (0, 0.25, 1, 0.5), (30.1, 40.1, 30.9, 40.9)])
def test_a_box_in_fractions_is_taken_for_what_it_is(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(BoxError, match="it covers at most one pixel; boxes are in pixels, not in fractions"):
        parse_boxes([box], SIZE)


def test_one_box_beside_a_list_is_told_to_go_into_one() -> None:
    with pytest.raises(BoxError, match=r"it is not in a list. Expected a list of boxes: boxes=\[Box"):
        parse_boxes(Box(1, 1, 9, 9), SIZE)  # type: ignore[arg-type]


def test_a_box_of_one_pixel_is_a_box() -> None:
    assert parse_boxes([(5, 5, 6, 6)], SIZE) == (Box(5, 5, 6, 6),)
    assert parse_boxes([(0, 0, 1, 1)], (1, 1)) == (Box(0, 0, 1, 1),)


def test_models_get_centre_and_size_as_fractions() -> None:
    found = normalised_cxcywh([Box(0, 0, 640, 480), Box(64, 48, 128, 144)], SIZE)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0.5, 0.5, 1, 1], [0.15, 0.2, 0.1, 0.2]], rtol=1e-6)


def test_models_get_the_signs_as_numbers() -> None:
    found = box_labels([Box(0, 0, 1, 1), Box(0, 0, 1, 1, positive=False)])
    assert found.dtype == np.int64
    assert found.tolist() == [1, 0]


def test_no_boxes_keep_their_shape() -> None:
    assert normalised_cxcywh([], SIZE).shape == (0, 4)
    assert box_labels([]).shape == (0,)


@given(coordinate, coordinate, coordinate, coordinate, st.integers(1, 3000), st.integers(1, 3000))
@few
def test_fractions_lead_back_to_the_box(x1: float, y1: float, x2: float, y2: float, height: int, width: int) -> None:
    try:
        (box,) = parse_boxes([(x1, y1, x2, y2)], (height, width))
    except BoxError:
        assume(False)  # noqa: FBT003 (hypothesis has no keyword for it)
    ((cx, cy, w, h),) = normalised_cxcywh([box], (height, width)).astype(float)
    assert 0 <= cx <= 1
    assert 0 <= cy <= 1
    assert 0 <= w <= 1
    assert 0 <= h <= 1
    corners = [(cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height]
    np.testing.assert_allclose(corners, [box.x1, box.y1, box.x2, box.y2], atol=2e-3)


def test_boxes_and_concepts_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Box(0, 0, 1, 1).x1 = 5  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Concept("cat", "cat").label = "dog"  # type: ignore[misc]
