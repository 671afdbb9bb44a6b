"""Maps have one number for each pixel, and the right one where instances overlap."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sam3_onnx.draw import instance_colour
from sam3_onnx.errors import OptionError, OutputExistsError
from sam3_onnx.results import Segmentation
from tests.support.instances import BAR, CORNER, DISC, NOTHING, RING, SIZE, instance

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.results import MapKind, Overlap

PARTS = (instance(RING, "dog", 0.5), instance(DISC, "coin", 0.9), instance(BAR, "dog", 0.7), instance(NOTHING, "cat"))
RESULT = Segmentation(PARTS, SIZE, classes=("bird", "coin"))


class TestNumbers:
    def test_classes_are_numbered_as_they_were_asked_for(self) -> None:
        ids, legend = RESULT.segmentation_map()
        assert legend == {1: "bird", 2: "coin", 3: "dog", 4: "cat"}
        assert (ids.shape, ids.dtype.name) == (SIZE, "uint8")
        np.testing.assert_array_equal(ids == 2, DISC)
        np.testing.assert_array_equal(ids == 3, (RING | BAR) & ~DISC)
        np.testing.assert_array_equal(RESULT.filter(label="dog").segmentation_map().ids == 3, RING | BAR)

    def test_they_are_those_that_are_given(self) -> None:
        result = RESULT.filter(label=["coin", "dog"])
        assert result.segmentation_map(["dog", "coin"]).legend == {1: "dog", 2: "coin"}
        ids, legend = result.segmentation_map({"dog": 0, "coin": 7}, background=255)
        assert legend == {0: "dog", 7: "coin"}
        assert set(np.unique(ids)) == {0, 7, 255}
        assert result.segmentation_map(["dog", "coin"], background=1).legend == {2: "dog", 3: "coin"}
        assert result.segmentation_map({"dog": 300, "coin": 1}).ids.dtype == np.uint16

    def test_instances_are_numbered_in_their_order(self) -> None:
        ids, legend = RESULT.segmentation_map(kind="instance")
        assert legend == {1: "dog", 2: "coin", 3: "dog", 4: "cat"}
        assert set(np.unique(ids)) == {0, 1, 2, 3}
        many = Segmentation((instance(DISC),) * 300, SIZE).segmentation_map(kind="instance")
        assert (many.ids.dtype.name, many.ids.max(), len(many.legend)) == ("uint16", 1, 300)

    def test_nothing_found_is_all_background(self) -> None:
        assert not Segmentation((), SIZE, classes=("coin",)).segmentation_map().ids.any()


class TestOverlap:
    def test_the_score_or_the_smaller_area_decides(self) -> None:
        big, small = instance(RING | DISC, "big", 0.9), instance(DISC, "small", 0.3)
        for parts in ((big, small), (small, big)):
            result = Segmentation(parts, SIZE, classes=("big", "small"))
            assert not (result.segmentation_map().ids == 2).any()
            np.testing.assert_array_equal(result.segmentation_map(overlap="area").ids == 2, DISC)

    def test_of_equals_the_first_has_the_pixel(self) -> None:
        result = Segmentation((instance(DISC, "first"), instance(DISC, "second")), SIZE)
        overlaps: tuple[Overlap, ...] = ("score", "area")
        for overlap in overlaps:
            assert set(np.unique(result.segmentation_map(overlap=overlap).ids)) == {0, 1}

    @settings(deadline=None, max_examples=40)
    @given(
        st.lists(st.tuples(st.sampled_from(range(4)), st.sampled_from([0.2, 0.5, 0.9])), max_size=6),
        st.sampled_from(["score", "area"]),
    )
    def test_every_pixel_has_the_instance_that_comes_first(
        self, chosen: list[tuple[int, float]], overlap: Overlap
    ) -> None:
        masks = [DISC, RING, BAR, CORNER]
        found = [instance(masks[which], str(which), score) for which, score in chosen]
        ids, _ = Segmentation(tuple(found), SIZE).segmentation_map(kind="instance", overlap=overlap)
        for y, x in np.random.default_rng(0).integers(0, SIZE, (50, 2)):
            over = [(n, one) for n, one in enumerate(found, start=1) if one.mask[y, x]]
            rank = (lambda one: -one.score) if overlap == "score" else (lambda one: (one.area, -one.score))
            assert ids[y, x] == min(over, key=lambda pair: (rank(pair[1]), pair[0]), default=(0, None))[0]


class TestFiles:
    def test_a_png_has_the_numbers_and_the_colours_of_drawings(self, tmp_path: Path) -> None:
        drawn = RESULT.segmentation_map()
        path = drawn.save(tmp_path / "map.png")
        image = Image.open(path)
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), drawn.ids)
        colours = np.asarray(image.convert("RGB"))
        assert tuple(colours[25, 60]) == instance_colour(RESULT.classes.index("coin"))
        assert not colours[drawn.ids == 0].any()

    def test_numbers_beyond_255_are_grey_of_16_bits(self) -> None:
        drawn = RESULT.segmentation_map({"bird": 1, "coin": 1000, "dog": 65535, "cat": 3})
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(drawn.to_png()))), drawn.ids)

    def test_a_file_is_replaced_only_if_asked(self, tmp_path: Path) -> None:
        drawn = RESULT.segmentation_map()
        drawn.save(tmp_path / "map.png")
        with pytest.raises(OutputExistsError):
            drawn.save(tmp_path / "map.png")
        drawn.save(tmp_path / "map.png", overwrite=True)
        with pytest.raises(OptionError, match=r"ends with \.png"):
            drawn.save(tmp_path / "map.jpg")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"classes": ["coin"]}, r"'dog' among them.*filter\(label="),
        ({"classes": "coin"}, "classes must be a list of labels"),
        ({"classes": 3}, "classes must be a list of labels"),
        ({"classes": ["dog", "dog", "coin", "cat"]}, "labels that differ"),
        ({"classes": {"dog": 1, "coin": 1, "cat": 2}}, "numbers that differ"),
        ({"classes": {"dog": 1, "coin": 0, "cat": 2}}, "background's, 0"),
        ({"classes": {"dog": -1, "coin": 1, "cat": 2}}, "whole numbers in 0..65535"),
        ({"classes": {"dog": 1.5, "coin": 1, "cat": 2}}, "whole numbers in 0..65535"),
        ({"classes": {"dog": 65536, "coin": 1, "cat": 2}}, "whole numbers in 0..65535"),
        ({"classes": ["dog"], "kind": "instance"}, "classes must be left out"),
        ({"kind": "panoptic"}, 'kind must be "semantic" or "instance"'),
        ({"overlap": "first"}, 'overlap must be "score" or "area"'),
        ({"background": -1}, "background must be"),
        ({"background": True}, "background must be"),
    ],
)
def test_what_makes_no_map_is_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        RESULT.segmentation_map(**options)  # type: ignore[arg-type] # wrong on purpose


def test_kinds_are_two() -> None:
    kinds: tuple[MapKind, ...] = ("semantic", "instance")
    assert [len(RESULT.segmentation_map(kind=kind).legend) for kind in kinds] == [4, 4]
