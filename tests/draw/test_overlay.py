"""Drawings show every instance in a colour of its own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from sam3_onnx import Instance
from sam3_onnx.draw import draw_instances, draw_result, instance_colour
from sam3_onnx.errors import MaskError, OptionError, PictureTypeError
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.results import Segmentation
from tests.support.drawings import block, drawn, ground

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Boxes = NDArray[np.float32]


class TestMasks:
    def test_the_picture_itself_is_not_changed(self) -> None:
        image = ground()
        masks = [block((300, 400), (100, 100, 200, 200))]
        before = image.copy(), masks[0].copy()
        boxes = np.array([[100, 100, 200, 200]], np.float32)
        result = draw_instances(image, masks=masks, labels=["coin"], scores=[0.5], boxes=boxes)
        assert np.array_equal(image, before[0])
        assert np.array_equal(masks[0], before[1])
        assert result.shape == image.shape
        assert not np.shares_memory(result, image)

    def test_nothing_found_draws_nothing(self) -> None:
        assert np.array_equal(drawn(ground(), []), ground())

    def test_inside_is_tinted_and_outside_untouched(self) -> None:
        result = drawn(ground(), [(100, 100, 200, 200)])
        expected = np.rint(0.55 * 90 + 0.45 * np.array(instance_colour(0)))
        assert np.array_equal(result[150, 150], expected)
        outside = np.ones((300, 400), np.bool_)
        outside[60:240, 60:260] = False
        assert np.all(result[outside] == 90)

    @pytest.mark.parametrize("opacity", [0.0, 1.0])
    def test_opacity_reaches_from_none_to_all(self, opacity: float) -> None:
        result = drawn(ground(), [(100, 100, 200, 200)], opacity=opacity)
        assert tuple(result[150, 150]) == (instance_colour(0) if opacity else (90, 90, 90))

    @pytest.mark.parametrize("level", [0, 90, 255])
    def test_contours_stand_out_on_dark_and_light(self, level: int) -> None:
        row = drawn(ground(level=level), [(100, 100, 200, 200)])[150, 95:106].astype(int)
        assert np.abs(row - level).max() > 120
        assert np.abs(row - row[-1]).max() > 60

    def test_holes_are_neither_filled_nor_without_contour(self) -> None:
        mask = block((300, 400), (100, 100, 200, 200))
        mask[130:170, 130:170] = False
        boxes = np.array([[100, 100, 200, 200]], np.float32)
        result = draw_instances(ground(), masks=[mask], labels=["coin"], scores=[0.5], boxes=boxes)
        assert np.all(result[140:160, 140:160] == 90)
        assert np.abs(result[150, 129].astype(int) - instance_colour(0)).max() < 30

    def test_small_objects_lie_on_large_ones(self) -> None:
        small, large = (140, 140, 160, 160), (100, 100, 220, 220)
        for boxes in ([small, large], [large, small]):
            result = drawn(ground(), boxes, opacity=1.0)
            assert tuple(result[150, 150]) == instance_colour(boxes.index(small))

    def test_lines_grow_with_the_picture(self) -> None:
        def line(scale: int) -> int:
            box = [edge * scale for edge in (100, 100, 200, 200)]
            result = drawn(ground(300 * scale, 400 * scale), [box], opacity=0.0)
            return int(np.any(result[150 * scale, : 150 * scale] != 90, axis=1).sum())

        assert 1 <= line(1) < line(4) < line(8)

    def test_an_empty_mask_has_no_tint_but_a_chip(self) -> None:
        boxes = np.array([[100, 100, 200, 200]], np.float32)
        nothing = np.zeros((300, 400), np.bool_)
        result = draw_instances(ground(), masks=[nothing], labels=["coin"], scores=[0.5], boxes=boxes)
        assert np.all(result[110:190, 110:190] == 90)
        assert not np.array_equal(result, ground())


class TestColours:
    def test_the_first_dozen_differ_clearly(self) -> None:
        colours = np.array([[instance_colour(index) for index in range(12)]], np.float32) / 255
        lab = cv2.cvtColor(colours, cv2.COLOR_RGB2Lab)[0]
        apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)
        assert apart[~np.eye(12, dtype=np.bool_)].min() > 25

    def test_the_colour_depends_on_the_index_alone(self) -> None:
        box, other = (20, 60, 80, 120), (200, 150, 300, 250)
        alone, together = drawn(ground(), [box]), drawn(ground(), [box, other], ["cat", "dog"])
        assert np.array_equal(alone[100, 50], together[100, 50])


class TestRefusals:
    def test_numbers_that_differ(self) -> None:
        mask, boxes = np.zeros((300, 400), np.bool_), np.zeros((1, 4), np.float32)
        with pytest.raises(OptionError, match=r"\(1, 2, 1, 1\)"):
            draw_instances(ground(), masks=[mask], labels=["a", "b"], scores=[0.5], boxes=boxes)

    def test_opacity_may_be_any_number(self) -> None:
        fraction: Any = Fraction(1, 2)
        one, other = (drawn(ground(), [(100, 100, 200, 200)], opacity=half) for half in (0.5, fraction))
        assert np.array_equal(one, other)

    @pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
    def test_opacity_out_of_range(self, opacity: float) -> None:
        with pytest.raises(OptionError, match="opacity"):
            drawn(ground(), [], opacity=opacity)

    @pytest.mark.parametrize("mask", [np.zeros((30, 40), np.bool_), np.zeros((300, 400), np.uint8)])
    def test_masks_of_another_kind(self, mask: NDArray[np.bool_]) -> None:
        with pytest.raises(MaskError, match=r"\(300, 400\)"):
            draw_instances(ground(), masks=[mask], labels=["a"], scores=[0.5], boxes=np.zeros((1, 4), np.float32))

    def test_pictures_of_another_kind(self) -> None:
        for image in (np.zeros((30, 40), np.uint8), np.zeros((0, 40, 3), np.uint8)):
            with pytest.raises(PictureTypeError, match="load_image"):
                drawn(image, [])
        with pytest.raises(PictureTypeError, match="float64"):
            drawn(np.zeros((30, 40, 3)), [])  # type: ignore[arg-type] # wrong on purpose


class TestResults:
    def result(self) -> Segmentation:
        boxes = [(100, 100, 200, 200), (220, 40, 260, 80)]
        return Segmentation(
            tuple(
                Instance("coin", "coin", 0.9, np.array(box, np.float32), PackedMask.pack(block((300, 400), box)))
                for box in boxes
            ),
            size=(300, 400),
        )

    def test_a_result_is_drawn_as_its_instances(self) -> None:
        result = self.result()
        expected = drawn(ground(), result.boxes.tolist(), result.labels)
        assert np.array_equal(draw_result(ground(), result), expected)

    def test_contours_alone_and_labels_left_out(self) -> None:
        result = self.result()
        bare = draw_result(ground(), result, fill=False, labels=False)
        assert np.all(bare[110:190, 110:190] == 90)
        assert np.abs(bare[150, 100].astype(int) - instance_colour(0)).max() < 30
        assert np.array_equal(bare, draw_result(ground(), result, opacity=0, labels=False))
        around = np.any(draw_result(ground(), result) != draw_result(ground(), result, labels=False), axis=2)
        assert around.any()
        assert np.all(draw_result(ground(), result, labels=False)[60:95, 60:210] == 90)

    def test_a_class_has_one_colour_that_stays_when_others_are_left_out(self) -> None:
        coin, dog = self.result().instances
        result = Segmentation((coin, replace(dog, label="dog"), replace(dog, label="coin")), (300, 400))
        colours = {"opacity": 1.0, "labels": False, "color_mode": "class"}
        of_dog = [
            tuple(draw_result(ground(), part, **colours)[60, 240])  # type: ignore[arg-type] # plain values
            for part in (result[:2], result.filter(label="dog"), result[1:2])
        ]
        assert of_dog == [instance_colour(1)] * 3
        drawn_coins = draw_result(ground(), result.filter(label="coin"), **colours)  # type: ignore[arg-type]
        assert tuple(drawn_coins[60, 240]) == tuple(drawn_coins[150, 150]) == instance_colour(0)

    def test_a_result_of_another_picture(self) -> None:
        with pytest.raises(PictureTypeError, match="picture of this result"):
            draw_result(ground(30, 40), self.result())


def test_a_number_of_numpy_has_the_colour_of_its_value() -> None:
    assert instance_colour(np.uint8(200)) == instance_colour(200)  # type: ignore[arg-type]
