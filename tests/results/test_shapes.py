"""Do shapes give back the masks that they were made from?"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sam3_onnx import Instance, Shape
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.results import Segmentation

SMALL = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12))
MASKS = SMALL.map(lambda mask: cv2.resize(mask.astype(np.uint8), None, fx=3, fy=4, interpolation=cv2.INTER_NEAREST) > 0)


def found(*masks: np.ndarray) -> Segmentation:
    size = (masks[0].shape[0], masks[0].shape[1])
    box = np.array([0, 0, 1, 1], np.float32)
    return Segmentation(tuple(Instance("coin", "coin", 0.5, box, PackedMask.pack(mask)) for mask in masks), size)


def filled(shapes: list[Shape], size: tuple[int, int]) -> np.ndarray:
    canvas = np.zeros(size, np.bool_)
    for held in shapes:
        mask = held.to_mask(size)
        assert mask is not None
        canvas |= mask
    return canvas


def shape(shape_type: str, *points: tuple[float, float]) -> Shape:
    return Shape("coin", shape_type, np.array(points, np.float64).reshape(-1, 2))


@given(mask=MASKS)
@settings(deadline=None, max_examples=100)
def test_all_parts_with_their_holes_are_the_mask(mask: np.ndarray) -> None:
    result = found(mask)
    shapes = result.shapes("polygon", epsilon=0, parts="all")
    np.testing.assert_array_equal(filled(shapes, result.size), mask)


@given(mask=MASKS)
@settings(deadline=None, max_examples=100)
def test_a_mask_shape_is_the_mask(mask: np.ndarray) -> None:
    result = found(mask)
    shapes = result.shapes("mask")
    assert len(shapes) == mask.any()
    np.testing.assert_array_equal(filled(shapes, result.size), mask)
    for held in shapes:
        assert held.mask is not None
        (left, top), (right, bottom) = held.points
        assert held.mask.shape == (bottom - top + 1, right - left + 1)


def test_a_rectangle_holds_the_pixels_of_the_crop() -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[3:9, 4:17] = True
    (rectangle,) = found(mask).shapes("rectangle")
    np.testing.assert_array_equal(rectangle.to_mask((20, 30)), mask)
    diagonal = shape("rectangle", (17, 3), (4, 9))
    np.testing.assert_array_equal(diagonal.to_mask((20, 30)), mask)


def test_parts_of_one_instance_share_a_group_and_a_whole_one_has_none() -> None:
    torn = np.zeros((40, 40), np.bool_)
    torn[2:8, 2:8] = torn[20:35, 20:38] = True
    whole = np.zeros((40, 40), np.bool_)
    whole[10:20, 10:20] = True
    whole[13:17, 13:17] = False
    result = found(torn, whole, torn)
    shapes = result.shapes("polygon", parts="all")
    assert [held.group_id for held in shapes] == [1, 1, None, 2, 2]
    assert [len(held.holes) for held in shapes] == [0, 0, 1, 0, 0]
    assert result.shapes("polygon") == [one.shape("polygon") for one in result]
    assert all(held.holes == () and held.group_id is None for held in result.shapes("polygon"))


def test_a_circle_holds_what_is_no_farther_than_its_edge() -> None:
    disc = shape("circle", (10, 12), (14, 15)).to_mask((30, 30))
    assert disc is not None
    rows, columns = np.indices((30, 30))
    np.testing.assert_array_equal(disc, np.hypot(columns - 10, rows - 12) <= 5)


@pytest.mark.parametrize("kind", ["polygon", "rotation", "quadrilateral", "oriented_rectangle"])
def test_four_corners_are_filled_whether_the_ring_is_open_or_closed(kind: str) -> None:
    corners = [(2.0, 3.0), (9.0, 3.0), (9.0, 6.0), (2.0, 6.0)]
    mask = shape(kind, *corners).to_mask((10, 12))
    expected = np.zeros((10, 12), np.bool_)
    expected[3:7, 2:10] = True
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(shape(kind, *corners, corners[0]).to_mask((10, 12)), expected)


@pytest.mark.parametrize(
    "held",
    [
        shape("point", (1, 1)),
        shape("line", (1, 1), (4, 4)),
        shape("linestrip", (1, 1), (4, 4), (4, 8)),
        shape("cuboid", *[(1.0, 1.0)] * 8),
        shape("polygon", (1, 1), (4, 4)),
        shape("mask", (1, 1), (4, 4)),
        shape("from the future", (1, 1), (4, 4), (1, 4)),
    ],
    ids=lambda held: held.shape_type,
)
def test_what_has_no_area_has_no_mask(held: Shape) -> None:
    assert held.to_mask((10, 10)) is None


@given(
    kind=st.sampled_from(["polygon", "rectangle", "circle", "rotation"]),
    points=st.lists(st.tuples(*[st.floats(-1e12, 1e12) | st.floats(-30, 60)] * 2), min_size=4, max_size=6),
)
@settings(deadline=None, max_examples=100)
def test_what_lies_outside_the_picture_is_cut_off(kind: str, points: list[tuple[float, float]]) -> None:
    mask = shape(kind, *points).to_mask((30, 40))
    assert mask is not None
    assert mask.shape == (30, 40)
    assert mask.dtype == np.bool_


def test_a_mask_that_hangs_over_the_edge_is_cut_there() -> None:
    crop = np.ones((6, 8), np.bool_)
    held = Shape("coin", "mask", np.array([(-3.0, 7.0), (4.0, 12.0)]), mask=crop)
    mask = held.to_mask((10, 20))
    expected = np.zeros((10, 20), np.bool_)
    expected[7:, :5] = True
    np.testing.assert_array_equal(mask, expected)
    away = Shape("coin", "mask", np.array([(50.0, 7.0), (57.0, 12.0)]), mask=crop).to_mask((10, 20))
    assert away is not None
    assert not away.any()


def test_every_fact_counts_when_shapes_are_compared() -> None:
    points = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]])
    facts: list[dict[str, object]] = [
        {},
        {"group_id": 3},
        {"holes": (points + 1,)},
        {"mask": np.ones((2, 2), np.bool_)},
        {"extra": {"difficult": True}},
        {"direction": 0.5},
    ]
    shapes = [Shape("coin", "polygon", points, **fact) for fact in facts]  # type: ignore[arg-type]
    again = [Shape("coin", "polygon", points.copy(), **fact) for fact in facts]  # type: ignore[arg-type]
    for at, one in enumerate(shapes):
        assert [one == other for other in again] == [at == other for other in range(len(facts))]
        assert hash(one) == hash(again[at])


def test_small_parts_are_left_out_when_asked_for() -> None:
    mask = np.zeros((40, 60), np.bool_)
    mask[5:25, 5:25] = mask[30:32, 50:53] = True
    result = found(mask)
    counts = [len(result.shapes("polygon", parts="all", min_area=pixels)) for pixels in (0, 6, 7)]
    assert counts == [2, 2, 1]
