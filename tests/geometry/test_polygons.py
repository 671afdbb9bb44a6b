"""Do polygons say what the mask says, and are they those that X-AnyLabeling would draw?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sam3_onnx.errors import OptionError
from sam3_onnx.geometry import Polygon, mask_to_polygon, mask_to_polygons

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

SMALL = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))
BLOBS = SMALL.map(lambda mask: cv2.resize(mask.astype(np.float32), None, fx=6, fy=5) > 0.4)
MASKS = SMALL | BLOBS


def disc(radius: int, side: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[:side, :side] - side // 2
    return np.asarray(x**2 + y**2 <= radius**2)


def filled(rings: Iterable[NDArray[np.float64]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    canvas = np.zeros(shape, dtype=np.uint8)
    cv2.fillPoly(canvas, [ring.astype(np.int32) for ring in rings], 1)
    return canvas > 0


def parts_of(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return [np.asarray(labels == label) for label in range(1, count)]


def without_holes(part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    _, labels = cv2.connectedComponents(np.pad(~part, 1, constant_values=True).astype(np.uint8), connectivity=4)
    return np.asarray(labels != labels[0, 0])[1:-1, 1:-1]


def enclosed_area(part: NDArray[np.bool_]) -> float:
    """Area within the chain of outer pixel centres, from the 2 by 2 neighbourhoods that it covers wholly or half."""
    solid = without_holes(part).astype(int)
    covered = solid[1:, 1:] + solid[1:, :-1] + solid[:-1, 1:] + solid[:-1, :-1]
    return np.count_nonzero(covered == 4) + np.count_nonzero(covered == 3) / 2


def is_straight_line(part: NDArray[np.bool_]) -> bool:
    y, x = np.nonzero(part)
    return bool(np.all((x - x[0]) * (y[-1] - y[0]) == (y - y[0]) * (x[-1] - x[0])))


@given(mask=MASKS)
@settings(deadline=None, max_examples=150)
def test_with_epsilon_0_the_filled_polygon_is_the_largest_part(mask: NDArray[np.bool_]) -> None:
    polygon = mask_to_polygon(mask, 0)
    parts = parts_of(mask)
    if polygon is None:
        assert max(map(enclosed_area, parts), default=0) == 0
        return
    solid = filled([polygon], mask.shape)
    (outlined,) = (part for part in parts if np.array_equal(without_holes(part), solid))
    assert enclosed_area(outlined) == max(map(enclosed_area, parts))


@given(mask=MASKS)
@settings(deadline=None, max_examples=150)
def test_with_epsilon_0_the_filled_polygons_are_the_parts(mask: NDArray[np.bool_]) -> None:
    drawn = [filled([polygon.exterior, *polygon.holes], mask.shape) for polygon in mask_to_polygons(mask, 0)]
    parts = [part for part in parts_of(mask) if not is_straight_line(part)]
    assert sorted(part.tobytes() for part in drawn) == sorted(part.tobytes() for part in parts)
    areas = [enclosed_area(part) for part in drawn]
    assert areas == sorted(areas, reverse=True)


@given(mask=MASKS, epsilon=st.floats(0, 0.05))
@settings(deadline=None, max_examples=150)
def test_the_polygon_is_the_one_of_x_anylabeling(mask: NDArray[np.bool_], epsilon: float) -> None:
    areas = sorted(map(enclosed_area, parts_of(mask)), reverse=True)
    assume(len(areas) == 1 or (len(areas) > 1 and areas[0] > areas[1]))
    contours, _ = cv2.findContours(mask.astype(np.uint8) * 255, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea)
    expected = cv2.approxPolyDP(contour, epsilon * cv2.arcLength(contour, closed=True), closed=True).reshape(-1, 2)
    polygon = mask_to_polygon(mask, epsilon)
    assert (polygon.tolist() if polygon is not None else None) == (expected.tolist() if len(expected) >= 3 else None)


@given(mask=MASKS, epsilon=st.floats(0, 0.05))
@settings(deadline=None, max_examples=80)
def test_vertices_are_float64_on_centres_of_foreground_pixels(mask: NDArray[np.bool_], epsilon: float) -> None:
    for polygon in mask_to_polygons(mask, epsilon):
        for ring in (polygon.exterior, *polygon.holes):
            assert ring.dtype == np.float64
            columns, rows = ring.astype(int).T
            assert np.array_equal(ring, np.stack([columns, rows], axis=1))
            assert mask[rows, columns].all()


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((4, 4), dtype=bool),
        np.ones((1, 1), dtype=bool),
        np.eye(1, 9, 4, dtype=bool).reshape(3, 3),
        np.ones((1, 7), dtype=bool),
        np.ones((7, 1), dtype=bool),
        np.eye(6, dtype=bool),
    ],
    ids=["empty", "only pixel", "one pixel", "row", "column", "diagonal"],
)
def test_no_polygon_where_nothing_has_an_inside(mask: NDArray[np.bool_]) -> None:
    assert mask_to_polygon(mask) is None
    assert mask_to_polygons(mask) == []


def test_the_whole_picture_is_outlined_by_its_corner_pixels() -> None:
    (polygon,) = mask_to_polygons(np.ones((4, 6), dtype=bool))
    assert sorted(polygon.exterior.tolist()) == [[0, 0], [0, 3], [5, 0], [5, 3]]
    assert polygon.holes == ()
    assert polygon.area == 15


def test_a_part_at_the_border_is_outlined_along_the_border() -> None:
    mask = np.zeros((5, 6), dtype=bool)
    mask[2:, 4:] = True
    polygon = mask_to_polygon(mask)
    assert polygon is not None
    assert sorted(polygon.tolist()) == [[4, 2], [4, 4], [5, 2], [5, 4]]


def test_an_island_in_a_hole_is_a_polygon_of_its_own() -> None:
    mask = np.zeros((12, 14), dtype=bool)
    mask[1:11, 1:11] = True
    mask[3:9, 3:9] = False
    mask[5:7, 5:7] = True
    mask[0:3, 12:14] = True
    ring, *small = mask_to_polygons(mask, 0)
    assert sorted(ring.exterior.tolist()) == [[1, 1], [1, 10], [10, 1], [10, 10]]
    (hole,) = ring.holes
    assert filled([hole], mask.shape)[3:9, 3:9].all()
    assert [len(polygon.holes) for polygon in small] == [0, 0]
    assert [polygon.area for polygon in small] == [2, 1]
    assert 81 - 49 <= ring.area < 81 - 36


def test_the_largest_part_is_the_one_that_encloses_most() -> None:
    mask = np.zeros((24, 60), dtype=bool)
    mask[2:10, 2:10] = True  # most pixels
    mask[22, :] = True  # longest contour
    mask[10:21, 20:31] = True
    mask[11:20, 21:30] = False
    mask[13:18, 23:28] = True
    polygon = mask_to_polygon(mask)
    assert polygon is not None
    assert sorted(polygon.tolist()) == [[20, 10], [20, 20], [30, 10], [30, 20]]
    assert [(*part.exterior.min(axis=0),) for part in mask_to_polygons(mask)] == [(20, 10), (2, 2), (23, 13)]
    assert np.array_equal(mask_to_polygons(mask)[0].exterior, polygon)


def test_a_checkerboard_is_one_part_full_of_holes() -> None:
    mask = np.indices((7, 9)).sum(axis=0) % 2 == 0
    (polygon,) = mask_to_polygons(mask, 0)
    inner_background = np.count_nonzero(~mask[1:-1, 1:-1])
    assert len(polygon.holes) == inner_background
    assert np.array_equal(filled([polygon.exterior, *polygon.holes], mask.shape), mask)


def test_of_parts_that_enclose_nothing_the_longest_is_outlined() -> None:
    mask = np.zeros((8, 12), dtype=bool)
    mask[0, 0:4] = mask[2, 0] = True
    mask[[4, 5, 6, 5, 4], [6, 7, 8, 9, 10]] = True
    polygon = mask_to_polygon(mask)
    assert polygon is not None
    assert [8, 6] in polygon.tolist()
    assert filled([polygon], mask.shape).sum() == 5


@example(mask=np.kron(np.eye(2), np.ones((3, 3))) > 0, min_area=18)
@given(mask=MASKS, min_area=st.integers(0, 40))
@settings(deadline=None, max_examples=100)
def test_the_smallest_area_counts_the_pixels_of_a_part(mask: NDArray[np.bool_], min_area: int) -> None:
    every = mask_to_polygons(mask, 0)
    pixels = [filled([polygon.exterior, *polygon.holes], mask.shape).sum() for polygon in every]
    expected = [polygon for polygon, count in zip(every, pixels, strict=True) if count >= min_area]
    assert mask_to_polygons(mask, 0, min_area=min_area) == expected


def test_parts_below_the_smallest_area_are_left_out_by_their_pixels() -> None:
    mask = np.zeros((9, 20), dtype=bool)
    mask[1:8, 1:8] = True
    mask[2:7, 2:7] = False  # 24 pixels
    mask[1:6, 10:15] = True  # 25 pixels
    assert len(mask_to_polygons(mask, min_area=24)) == 2
    assert [len(polygon.holes) for polygon in mask_to_polygons(mask, min_area=24.5)] == [0]
    assert mask_to_polygons(mask, min_area=26) == []


def test_epsilon_is_a_fraction_of_the_perimeter() -> None:
    mask = np.zeros((60, 120), dtype=bool)
    mask[20:51, 10:111] = True  # contour: 100 by 30, perimeter about 264
    mask[18:20, 60] = True  # a spike of 2 pixels, 0.0076 of it
    spiked, plain = mask_to_polygon(mask, 0.007), mask_to_polygon(mask, 0.008)
    assert spiked is not None
    assert plain is not None
    assert [60, 18] in spiked.tolist()
    assert sorted(plain.tolist()) == [[10, 20], [10, 50], [110, 20], [110, 50]]


def test_close_repeats_the_first_vertex() -> None:
    open_ring, closed_ring = mask_to_polygon(disc(20, 50)), mask_to_polygon(disc(20, 50), close=True)
    assert open_ring is not None
    assert closed_ring is not None
    assert np.array_equal(closed_ring[:-1], open_ring)
    assert np.array_equal(closed_ring[-1], open_ring[0])


@given(mask=MASKS, max_vertices=st.integers(3, 12), epsilon=st.floats(0, 0.02))
@settings(deadline=None, max_examples=150)
def test_max_vertices_is_kept_and_never_loses_the_polygon(
    mask: NDArray[np.bool_], max_vertices: int, epsilon: float
) -> None:
    free = mask_to_polygon(mask, epsilon)
    bound = mask_to_polygon(mask, epsilon, max_vertices=max_vertices)
    if free is None:
        assert bound is None
        return
    assert bound is not None
    assert 3 <= len(bound) <= max_vertices
    if len(free) <= max_vertices:
        assert np.array_equal(bound, free)


@pytest.mark.parametrize("max_vertices", [4, 6, 10, 20])
def test_max_vertices_raises_epsilon_no_further_than_needed(max_vertices: int) -> None:
    mask = disc(60, 130)
    mask[60:66, 100:128] = True
    bound = mask_to_polygon(mask, 0, max_vertices=max_vertices)
    candidates = (mask_to_polygon(mask, epsilon) for epsilon in np.linspace(0, 0.2, 4001))
    first = next(polygon for polygon in candidates if polygon is not None and len(polygon) <= max_vertices)
    assert bound is not None
    assert np.array_equal(bound, first)


def test_max_vertices_keeps_a_triangle_where_every_epsilon_gives_four_vertices_or_two() -> None:
    polygon = mask_to_polygon(np.ones((10, 10), dtype=bool), max_vertices=3)
    assert polygon is not None
    assert len(polygon) == 3
    assert Polygon(polygon).area == 81 / 2


def test_the_vertex_that_changes_the_area_least_is_dropped() -> None:
    kite = filled([np.array([[10, 30], [40, 10], [120, 30], [40, 50]])], (60, 140))
    polygon = mask_to_polygon(kite, max_vertices=3)
    assert polygon is not None
    assert [10, 30] not in polygon.tolist()
    assert [120, 30] in polygon.tolist()


@pytest.mark.parametrize("epsilon", [-0.001, np.nan, np.inf])
def test_an_impossible_epsilon_is_refused(epsilon: float) -> None:
    for function in (mask_to_polygon, mask_to_polygons):
        with pytest.raises(OptionError, match="epsilon must be"):
            function(np.ones((3, 3)), epsilon)


def test_other_impossible_options_are_refused() -> None:
    with pytest.raises(OptionError, match=r"max_vertices must be a whole number of at least 3, or None .*, got 2"):
        mask_to_polygon(np.ones((3, 3)), max_vertices=2)
    for area in (-1, np.nan):
        with pytest.raises(OptionError, match="min_area must be"):
            mask_to_polygons(np.ones((3, 3)), min_area=area)
