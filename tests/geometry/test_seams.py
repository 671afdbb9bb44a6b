"""A polygon with holes, and polygons beside one another, can be walked as one ring that encloses as much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from sam3_onnx.geometry import mask_to_polygons
from sam3_onnx.geometry.filling import rings_to_mask
from sam3_onnx.geometry.seams import in_one_ring, signed_area, with_seams

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=10))
MASKS = SMALL.map(lambda mask: cv2.resize(mask.astype(np.uint8), None, fx=5, fy=4, interpolation=cv2.INTER_NEAREST) > 0)


@given(mask=MASKS)
@settings(deadline=None, max_examples=100)
def test_a_ring_with_seams_encloses_the_area_of_the_polygon_and_draws_all_of_it(mask: NDArray[np.bool_]) -> None:
    size = (mask.shape[0], mask.shape[1])
    for polygon in mask_to_polygons(mask, 0):
        ring = with_seams(polygon.exterior, polygon.holes)
        assert len(ring) == len(polygon.exterior) + sum(len(hole) + 2 for hole in polygon.holes)
        assert abs(signed_area(ring)) == polygon.area
        drawn = rings_to_mask([ring], size)
        assert drawn[rings_to_mask([polygon.exterior, *polygon.holes], size)].all()


@given(mask=MASKS)
@settings(deadline=None, max_examples=100)
def test_parts_in_one_ring_enclose_what_they_enclose_together(mask: NDArray[np.bool_]) -> None:
    polygons = mask_to_polygons(mask, 0)
    if not polygons:
        return
    exteriors = [polygon.exterior if index % 2 else polygon.exterior[::-1] for index, polygon in enumerate(polygons)]
    ring = in_one_ring(exteriors)
    assert abs(signed_area(ring)) == sum(abs(signed_area(exterior)) for exterior in exteriors)
    assert {tuple(vertex) for vertex in ring.tolist()} == {tuple(v) for ring in exteriors for v in ring.tolist()}


def test_a_hole_is_open_to_the_outside_by_its_seam_only() -> None:
    square = np.array([(0, 0), (40, 0), (40, 40), (0, 40)], np.float64)
    hole = np.array([(10, 10), (30, 10), (30, 30), (10, 30)], np.float64)
    inside = rings_to_mask([with_seams(square, [hole])], (41, 41))[11:30, 11:30]
    assert not inside.any()
