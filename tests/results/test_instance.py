"""Are outlines and shapes of an instance those of its whole mask?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Shape, geometry
from sam3_onnx.errors import OptionError
from sam3_onnx.results import Segmentation
from tests.support.instances import DISC, MASKS, NOTHING, RING, SIZE, instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sam3_onnx.results import ShapeType

EVERY = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())


@EVERY
def test_outlines_are_those_of_the_whole_mask(mask: NDArray[np.bool_]) -> None:
    found = instance(mask)
    for epsilon in (0.0, 0.001, 0.02):
        expected = geometry.mask_to_polygon(mask, epsilon)
        np.testing.assert_array_equal(found.polygon(epsilon), expected)
        assert found.polygons(epsilon) == geometry.mask_to_polygons(mask, epsilon)
    np.testing.assert_array_equal(found.polygon(), geometry.mask_to_polygon(mask, 0.001))
    np.testing.assert_array_equal(found.polygon(close=True), geometry.mask_to_polygon(mask, close=True))
    np.testing.assert_array_equal(found.polygon(0.0, max_vertices=7), geometry.mask_to_polygon(mask, 0, max_vertices=7))
    assert found.polygons(min_area=50) == geometry.mask_to_polygons(mask, min_area=50)


@EVERY
def test_boxes_run_lengths_and_area_are_those_of_the_whole_mask(mask: NDArray[np.bool_]) -> None:
    found = instance(mask)
    expected = geometry.mask_to_rotated_box(mask)
    turned = found.rotated_box()
    assert expected is not None
    assert turned is not None
    np.testing.assert_allclose(turned.corners, expected.corners, atol=1e-9)
    assert turned.direction == pytest.approx(expected.direction, abs=1e-9)
    assert found.rectangle() == geometry.mask_to_rectangle(mask)
    assert found.rle() == geometry.mask_to_rle(mask)
    assert found.rle(compressed=False) == geometry.mask_to_rle(mask, compressed=False)
    assert found.area == mask.sum()
    np.testing.assert_array_equal(found.mask, mask)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    density=st.sampled_from([0.02, 0.3, 0.7]),
    corner=st.tuples(st.integers(0, 40), st.integers(0, 70)),
)
def test_any_mask_anywhere_is_outlined_where_it_lies(seed: int, density: float, corner: tuple[int, int]) -> None:
    mask = np.zeros(SIZE, np.bool_)
    patch = np.random.default_rng(seed).random((20, 20)) < density
    mask[corner[0] : corner[0] + 20, corner[1] : corner[1] + 20] = patch
    found = instance(mask)
    assert found.polygons(0.0) == geometry.mask_to_polygons(mask, 0.0)
    polygon = geometry.mask_to_polygon(mask)
    assert (found.polygon() is None) == (polygon is None)
    if polygon is not None:
        np.testing.assert_array_equal(found.polygon(), polygon)
    assert found.rectangle() == geometry.mask_to_rectangle(mask)


def test_an_empty_mask_has_no_outline_of_any_kind() -> None:
    found = instance(NOTHING)
    assert found.area == 0
    assert found.polygon() is None
    assert found.polygons() == []
    assert found.rectangle() is None
    assert found.rotated_box() is None
    assert found.rle() == geometry.mask_to_rle(NOTHING)
    assert not found.mask.any()
    assert found.mask.shape == SIZE
    modes: tuple[ShapeType, ...] = ("polygon", "rectangle", "rotation")
    for mode in modes:
        assert found.shape(mode) is None
        assert Segmentation((found, instance(DISC)), SIZE).shapes(mode) == [instance(DISC).shape(mode)]


def polygon_points(mask: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    return geometry.mask_to_polygon(mask)


def rectangle_points(mask: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    rectangle = geometry.mask_to_rectangle(mask)
    if rectangle is None:
        return None
    x1, y1, x2, y2 = rectangle
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float64)


def rotation_points(mask: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    box = geometry.mask_to_rotated_box(mask)
    return None if box is None else box.corners


@EVERY
@pytest.mark.parametrize(
    ("mode", "points"),
    [("polygon", polygon_points), ("rectangle", rectangle_points), ("rotation", rotation_points)],
)
def test_shapes_are_what_label_files_hold(
    mask: NDArray[np.bool_],
    mode: ShapeType,
    points: Callable[[NDArray[np.bool_]], NDArray[np.float64] | None],
) -> None:
    (shape,) = Segmentation((instance(mask, "dog", 0.5),), SIZE).shapes(mode)
    assert (shape.label, shape.shape_type, shape.score) == ("dog", mode, 0.5)
    expected = points(mask)
    assert expected is not None
    np.testing.assert_allclose(shape.points, expected, atol=1e-9)
    assert shape.points.dtype == np.float64
    turned = geometry.mask_to_rotated_box(mask)
    assert turned is not None
    assert shape.direction == (pytest.approx(turned.direction) if mode == "rotation" else None)


def test_the_epsilon_of_an_instance_is_the_default_and_can_be_overridden() -> None:
    coarse = dataclasses.replace(instance(RING), epsilon=0.05)
    np.testing.assert_array_equal(coarse.polygon(), geometry.mask_to_polygon(RING, 0.05))
    np.testing.assert_array_equal(coarse.polygon(0.0), geometry.mask_to_polygon(RING, 0.0))
    (shape,) = Segmentation((coarse,), SIZE).shapes("polygon", epsilon=0.0)
    np.testing.assert_array_equal(shape.points, coarse.polygon(0.0))
    assert coarse.polygons() == geometry.mask_to_polygons(RING, 0.05)


def test_another_mode_is_refused_even_where_there_is_nothing_to_shape() -> None:
    for shaped in (Segmentation((), SIZE).shapes, instance(DISC).shape):
        with pytest.raises(OptionError, match='"rectangle", "rotation" or "mask", got \'circle\''):
            shaped("circle")  # type: ignore[arg-type]


def test_shapes_are_compared_by_value() -> None:
    points = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]])
    shape = Shape("coin", "polygon", points, 0.5)
    assert shape == Shape("coin", "polygon", points.copy(), 0.5)
    assert hash(shape) == hash(Shape("coin", "polygon", points.copy(), 0.5))
    for other in (Shape("dog", "polygon", points, 0.5), Shape("coin", "polygon", points + 1, 0.5), "coin"):
        assert shape != other
