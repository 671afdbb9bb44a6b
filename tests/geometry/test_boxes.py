"""Do upright and turned rectangles hold the mask, tightly, and in the order that label files expect?"""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sam3_onnx.errors import OptionError
from sam3_onnx.geometry import RotatedBox, mask_to_polygon, mask_to_rectangle, mask_to_rotated_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))
BLOBS = SMALL.map(lambda mask: cv2.resize(mask.astype(np.float32), None, fx=6, fy=5) > 0.4)
MASKS = SMALL | BLOBS


def turned(width: float, height: float, degrees: float) -> NDArray[np.float64]:
    """Corners of a rectangle about (50, 40), turned clockwise on the screen, the former top left first."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    upright = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    return np.asarray(upright @ [[cos, sin], [-sin, cos]] + (50, 40))


def filled(vertices: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    canvas = np.zeros(shape, dtype=np.uint8)
    cv2.fillPoly(canvas, [np.rint(vertices).astype(np.int32)], 1)
    return canvas > 0


def traced(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    polygon = mask_to_polygon(mask, 0)
    assert polygon is not None
    return polygon


@given(mask=MASKS)
@settings(deadline=None, max_examples=150)
def test_the_rectangle_holds_all_foreground_and_no_line_too_many(mask: NDArray[np.bool_]) -> None:
    rectangle = mask_to_rectangle(mask)
    rows, columns = np.nonzero(mask)
    if rectangle is None:
        assert rows.size == 0
        return
    assert rectangle == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert all(type(side) is int for side in rectangle)


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (np.zeros((3, 4), dtype=bool), None),
        (np.ones((3, 4), dtype=bool), (0, 0, 4, 3)),
        (np.eye(1, 12, 6, dtype=bool).reshape(3, 4), (2, 1, 3, 2)),
        (np.eye(3, 4, 1, dtype=bool), (1, 0, 4, 3)),
        (np.array([[True, False, False, True]]), (0, 0, 4, 1)),
    ],
    ids=["empty", "whole", "one pixel", "diagonal", "two parts"],
)
def test_rectangles_are_half_open(mask: NDArray[np.bool_], expected: tuple[int, int, int, int] | None) -> None:
    assert mask_to_rectangle(mask) == expected


@given(mask=MASKS)
@settings(deadline=None, max_examples=150)
def test_the_rotated_box_is_the_smallest_around_the_largest_part(mask: NDArray[np.bool_]) -> None:
    box = mask_to_rotated_box(mask)
    if box is None:
        assert mask_to_polygon(mask, 0) is None
        return
    outline = traced(mask)
    first, second, _, fourth = box.corners
    along, across = second - first, fourth - first
    assert abs(along @ across) < 1e-9
    for axis in (along, across):
        share = (outline - first) @ axis / (axis @ axis)
        assert np.allclose((share.min(), share.max()), (0, 1), atol=1e-9)
    _, smallest, _ = cv2.minAreaRect(outline.astype(np.float32))
    assert math.prod(box.size) == pytest.approx(math.prod(smallest), rel=1e-4)


@given(mask=MASKS)
@settings(deadline=None, max_examples=150)
def test_a_turned_mask_has_the_turned_box(mask: NDArray[np.bool_]) -> None:
    assume(mask_to_rotated_box(mask) is not None)
    part = filled(traced(mask), mask.shape)
    box, turned_box = mask_to_rotated_box(part), mask_to_rotated_box(np.rot90(part))
    assert box is not None
    assert turned_box is not None
    x, y = box.corners.T
    expected = RotatedBox(np.stack([y, mask.shape[1] - 1 - x], axis=1))
    assert np.allclose(turned_box.corners, expected.corners, atol=1e-9)


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((4, 4), dtype=bool),
        np.ones((1, 1), dtype=bool),
        np.ones((1, 9), dtype=bool),
        np.ones((9, 1), dtype=bool),
        np.eye(7, dtype=bool)[::-1],
    ],
    ids=["empty", "one pixel", "row", "column", "diagonal"],
)
def test_no_rotated_box_without_area(mask: NDArray[np.bool_]) -> None:
    assert mask_to_rotated_box(mask) is None


def test_the_rotated_box_is_of_the_largest_part_only() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[2:10, 3:20] = True
    mask[18, 29] = True
    box = mask_to_rotated_box(mask)
    assert box is not None
    assert box.corners.tolist() == [[3, 2], [19, 2], [19, 9], [3, 9]]


@pytest.mark.parametrize("degrees", [-80, -40, -25, -10, 0, 10, 25, 40, 60])
def test_the_box_of_a_turned_bar(degrees: float) -> None:
    bar = turned(60, 30, degrees)
    box = mask_to_rotated_box(filled(bar, (90, 100)))
    assert box is not None
    assert box.center == pytest.approx((50, 40), abs=1)
    assert box.size == pytest.approx(RotatedBox(bar).size, abs=2)
    assert box.angle == pytest.approx(RotatedBox(bar).angle, abs=2)


def test_direction_and_angle_of_a_box_turned_against_the_clock() -> None:
    box = RotatedBox(turned(60, 30, -20))
    assert box.size == pytest.approx((60, 30))
    assert box.angle == pytest.approx(-20)
    assert box.direction == pytest.approx(math.radians(340))


def test_of_equal_boxes_the_one_turned_least_is_taken() -> None:
    square = filled(turned(31, 31, 0), (90, 100))
    assert (box := mask_to_rotated_box(square)) is not None
    assert box.angle == 0
    y, x = np.mgrid[-30:31, -30:31]
    assert (box := mask_to_rotated_box(x**2 + y**2 <= 27**2)) is not None
    assert 0 <= box.angle < 45


def test_a_standing_square_begins_at_its_top_corner() -> None:
    y, x = np.mgrid[:9, :9] - 4
    box = mask_to_rotated_box(abs(x) + abs(y) <= 4)
    assert box is not None
    assert np.allclose(box.corners, [[4, 0], [8, 4], [4, 8], [0, 4]], atol=1e-9)
    assert box.direction == pytest.approx(math.pi / 4)


@pytest.mark.parametrize("noise", [-1e-12, -0.0, 0.0, 1e-12])
def test_the_corner_on_the_left_comes_last_whatever_the_rounding(noise: float) -> None:
    box = RotatedBox(np.array([[0.0, 2.0 + noise], [2.0, 0.0], [4.0, 2.0 - noise], [2.0, 4.0]]))
    assert box.corners[3, 0] == 0
    assert box.angle == pytest.approx(45)


@given(
    width=st.floats(0.1, 90),
    height=st.floats(0.1, 90),
    degrees=st.floats(-400, 400),
    order=st.permutations(range(4)),
)
@settings(deadline=None, max_examples=200)
def test_a_rotated_box_says_in_numbers_what_its_corners_say(
    width: float, height: float, degrees: float, order: list[int]
) -> None:
    corners = turned(width, height, degrees)
    box = RotatedBox(corners[order])
    assert sorted(map(tuple, box.corners.tolist())) == sorted(map(tuple, corners.tolist()))
    assert box.center == pytest.approx((50, 40))
    assert sorted(box.size) == pytest.approx(sorted((width, height)))
    assert -90 < box.angle < 90
    assert np.allclose(turned(*box.size, box.angle), box.corners)
    angles = np.arctan2(*(np.round(box.corners - box.center, 6) + 0.0).T[::-1])
    assert np.all(np.diff(angles) > 0)
    assert 0 <= box.direction < math.tau
    x, y = box.corners[1] - box.corners[0]
    assert math.cos(box.direction) == pytest.approx(x / box.size[0], abs=1e-9)
    assert math.sin(box.direction) == pytest.approx(y / box.size[0], abs=1e-9)


def test_the_direction_never_rounds_up_to_a_full_turn() -> None:
    box = RotatedBox(np.array([[0.0, 0.0], [4.0, -1e-17], [4.0, 2.0], [0.0, 2.0]]))
    assert box.direction == 0


def test_rotated_boxes_are_values() -> None:
    corners = turned(30, 20, 15)
    one, same = RotatedBox(corners), RotatedBox(corners[::-1])
    assert one == same
    assert hash(one) == hash(same)
    assert one not in (RotatedBox(turned(30, 20, 16)), "box")


def test_rotated_boxes_cannot_be_changed_from_outside() -> None:
    corners = turned(30, 20, 0)
    box = RotatedBox(corners)
    corners[0] = 99
    assert box.corners[0].tolist() == [35, 30]
    with pytest.raises(ValueError, match="read-only"):
        box.corners[0] = 99
    with pytest.raises(FrozenInstanceError):
        box.corners = corners  # type: ignore[misc] # that is the point


@pytest.mark.parametrize("shape", [(3, 2), (4, 3), (8,)])
def test_a_rotated_box_of_something_else_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match=r"corners must be of shape \(4, 2\), got"):
        RotatedBox(np.zeros(shape))
