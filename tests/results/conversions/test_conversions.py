"""Do other programs get the same instances: masks to the pixel, outlines with their holes, labels and scores?"""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Instance, Segmentation
from sam3_onnx.errors import MissingExtraError, OptionError
from sam3_onnx.geometry import mask_to_rectangle, rle_to_mask
from sam3_onnx.geometry.mask_sources import PackedMask

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SIZE = (40, 60)
SHORT = settings(deadline=None, max_examples=60)


def block(*boxes: tuple[int, int, int, int], holes: tuple[tuple[int, int, int, int], ...] = ()) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE, np.bool_)
    for value, parts in ((True, boxes), (False, holes)):
        for x1, y1, x2, y2 in parts:
            mask[y1:y2, x1:x2] = value
    return mask


RING = block((10, 5, 40, 35), holes=((20, 15, 30, 25),))
PARTS = block((2, 2, 12, 12), (20, 2, 55, 38), holes=((30, 10, 40, 20),))
NOTHING = np.zeros(SIZE, np.bool_)
LINE = block((5, 5, 30, 6))


def result_of(*masks: NDArray[np.bool_], labels: tuple[str, ...] = ("coin", "dog", "coin", "cat")) -> Segmentation:
    found = (
        Instance(label, f"a {label}", 0.75, np.array([1, 2, 30, 39.5], np.float32), PackedMask.pack(mask))
        for mask, label in zip(masks, labels, strict=False)
    )
    return Segmentation(tuple(found), SIZE)


def random_masks(seed: int, density: float) -> Segmentation:
    draw = np.random.default_rng(seed)
    masks = [draw.random(SIZE) < density for _ in range(3)]
    masks[1][10:30, 10:50] = True
    return result_of(*masks)


MASKS = st.builds(random_masks, st.integers(0, 2**32 - 1), st.sampled_from([0.02, 0.3, 0.7]))


def signed_area(ring: list[list[float]]) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in itertools.pairwise(ring)) / 2


class TestCoco:
    @SHORT
    @given(result=MASKS)
    def test_masks_come_back_to_the_pixel(self, result: Segmentation) -> None:
        for annotation, instance in zip(json.loads(json.dumps(result.to_coco())), result, strict=True):
            mask = rle_to_mask(annotation["segmentation"])
            np.testing.assert_array_equal(mask, instance.mask)
            x, y, width, height = annotation["bbox"]
            assert (x, y, x + width, y + height) == mask_to_rectangle(mask)
            assert annotation["area"] == mask.sum()

    def test_ids_count_on_and_categories_are_numbered_as_labels_appear(self) -> None:
        found = result_of(RING, PARTS, LINE, NOTHING).to_coco(image_id=7, first_id=100)
        assert [annotation["id"] for annotation in found] == [100, 101, 102, 103]
        assert [annotation["category_id"] for annotation in found] == [1, 2, 1, 3]
        assert {annotation["image_id"] for annotation in found} == {7}
        assert {(annotation["iscrowd"], annotation["score"]) for annotation in found} == {(0, 0.75)}
        assert found[3]["bbox"] == [0, 0, 0, 0]

    def test_category_ids_can_be_given_and_must_be_whole(self) -> None:
        result = result_of(RING, PARTS)
        assert [one["category_id"] for one in result.to_coco(category_ids={"dog": 3, "coin": 9})] == [9, 3]
        with pytest.raises(OptionError, match="category_ids must be a number for every label, 'dog' among them"):
            result.to_coco(category_ids={"coin": 1})
        with pytest.raises(OptionError, match="whole numbers"):
            result.to_coco(category_ids={"coin": 1, "dog": 2.5})  # type: ignore[dict-item] # wrong on purpose
        for options in ({"image_id": "7"}, {"first_id": 1.5}):
            with pytest.raises(OptionError, match="whole number"):
                result.to_coco(**options)  # wrong on purpose

    def test_nothing_found_is_an_empty_list(self) -> None:
        assert result_of().to_coco() == []


class TestGeoJson:
    def test_a_ring_with_a_hole(self) -> None:
        (feature,) = result_of(RING).to_geojson()["features"]
        assert feature["properties"] == {
            "label": "coin",
            "prompt": "a coin",
            "score": 0.75,
            "box": [1.0, 2.0, 30.0, 39.5],
        }
        geometry = feature["geometry"]
        assert geometry is not None
        assert geometry["type"] == "Polygon"
        exterior, hole = geometry["coordinates"]
        assert signed_area(exterior) == 29 * 29
        # its corners are cut: the pixels around a hole touch each other at their corners
        assert -11 * 11 <= signed_area(hole) < -10 * 10

    def test_several_parts_none_and_what_the_coordinates_mean(self) -> None:
        collection = result_of(PARTS, NOTHING, LINE).to_geojson()
        several, none, line = (feature["geometry"] for feature in collection["features"])
        assert several is not None
        assert several["type"] == "MultiPolygon"
        assert [len(rings) for rings in several["coordinates"]] == [2, 1]
        assert none is None
        assert line is None
        assert collection["picture"] == {"width": 60, "height": 40, "axes": "pixels, x to the right, y down"}

    @SHORT
    @given(result=MASKS)
    def test_rings_are_closed_wound_and_those_of_the_instance(self, result: Segmentation) -> None:
        collection = json.loads(json.dumps(result.to_geojson(epsilon=0.0)))
        for feature, instance in zip(collection["features"], result, strict=True):
            geometry = feature["geometry"] or {"type": "MultiPolygon", "coordinates": []}
            parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
            polygons = instance.polygons(0.0)
            assert len(parts) == len(polygons)
            for (exterior, *holes), polygon in zip(parts, polygons, strict=True):
                assert signed_area(exterior) >= 0
                assert all(signed_area(hole) <= 0 for hole in holes)
                assert all(ring[0] == ring[-1] for ring in (exterior, *holes))
                assert signed_area(exterior) + sum(map(signed_area, holes)) == pytest.approx(polygon.area)
                assert {tuple(point) for point in exterior} == {tuple(point) for point in polygon.exterior.tolist()}

    def test_small_parts_can_be_left_out(self) -> None:
        (feature,) = result_of(PARTS).to_geojson(min_area=101)["features"]
        assert feature["geometry"] is not None
        assert feature["geometry"]["type"] == "Polygon"
        with pytest.raises(OptionError, match="min_area"):
            result_of(PARTS).to_geojson(min_area=-1)


class TestShapely:
    @SHORT
    @given(result=MASKS, epsilon=st.sampled_from([0.0, 0.001, 0.02, 0.1]))
    def test_geometries_are_valid_whatever_the_mask(self, result: Segmentation, epsilon: float) -> None:
        pytest.importorskip("shapely")
        geometries = result.to_shapely(epsilon=epsilon)
        assert len(geometries) == len(result)
        for geometry in geometries:
            assert geometry.is_valid
            assert geometry.geom_type in {"Polygon", "MultiPolygon"}

    def test_areas_are_those_of_the_polygons_with_their_holes(self) -> None:
        pytest.importorskip("shapely")
        result = result_of(RING, PARTS, NOTHING)
        ring, parts, nothing = result.to_shapely()
        assert (ring.geom_type, parts.geom_type) == ("Polygon", "MultiPolygon")
        assert len(ring.interiors) == 1
        for geometry, instance in zip((ring, parts), result, strict=False):
            assert geometry.area == pytest.approx(sum(part.area for part in instance.polygons()))
        assert nothing.is_empty


class TestSupervision:
    def test_detections_hold_the_same_instances(self) -> None:
        pytest.importorskip("supervision")
        result = result_of(RING, PARTS, LINE)
        found = result.to_supervision()
        assert len(found) == 3
        np.testing.assert_array_equal(found.mask, result.masks)
        np.testing.assert_array_equal(found.xyxy, result.boxes)
        np.testing.assert_array_equal(found.confidence, result.scores)
        assert found.class_id.tolist() == [0, 1, 0]
        assert found.data["class_name"].tolist() == ["coin", "dog", "coin"]
        assert result.to_supervision(class_ids={"coin": 5, "dog": 2}).class_id.tolist() == [5, 2, 5]
        with pytest.raises(OptionError, match="class_ids"):
            result.to_supervision(class_ids={"coin": 5})

    def test_nothing_found_is_empty(self) -> None:
        pytest.importorskip("supervision")
        found = result_of().to_supervision()
        assert len(found) == 0
        assert found.mask.shape == (0, *SIZE)


class TestDataFrame:
    def test_a_row_for_each_instance(self) -> None:
        pytest.importorskip("pandas")
        table = result_of(RING, PARTS, NOTHING).to_dataframe()
        assert list(table.columns) == ["label", "prompt", "score", "x1", "y1", "x2", "y2", "area"]
        assert table.label.tolist() == ["coin", "dog", "coin"]
        assert table.prompt[1] == "a dog"
        assert table.area.tolist() == [int(RING.sum()), int(PARTS.sum()), 0]
        assert table.y2.tolist() == [39.5] * 3

    def test_nothing_found_has_the_same_columns_of_the_same_kinds(self) -> None:
        pytest.importorskip("pandas")
        full, empty = result_of(RING).to_dataframe(), result_of().to_dataframe()
        assert len(empty) == 0
        assert empty.dtypes.equals(full.dtypes)


@pytest.mark.parametrize(
    ("package", "convert"),
    [
        ("shapely", Segmentation.to_shapely),
        ("supervision", Segmentation.to_supervision),
        ("pandas", Segmentation.to_dataframe),
    ],
)
def test_a_package_that_is_not_there_is_named_with_its_extra(
    package: str, convert: Callable[[Segmentation], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf'needs the package {package}.*"sam3-onnx\[{package}\]"'):
        convert(result_of(RING))
