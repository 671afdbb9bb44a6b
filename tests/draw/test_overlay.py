"""Drawings show every instance in a colour of its own, and chips that can be read and hide little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Instance
from sam3_onnx.draw import draw_instances, draw_result, instance_colour
from sam3_onnx.draw.chips import ChipStyle, place_chips
from sam3_onnx.draw.lettering import Lettering, is_drawable
from sam3_onnx.errors import MaskError, OptionError, PictureTypeError
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.results import Segmentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Boxes = NDArray[np.float32]

BOX = st.tuples(*[st.integers(0, 399)] * 2, *[st.integers(1, 200)] * 2)


def ground(height: int = 300, width: int = 400, level: int = 90) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def block(size: tuple[int, int], box: Sequence[float]) -> NDArray[np.bool_]:
    x1, y1, x2, y2 = (int(edge) for edge in box)
    mask = np.zeros(size, np.bool_)
    mask[y1:y2, x1:x2] = True
    return mask


def drawn(
    image: NDArray[np.uint8], boxes: Sequence[Sequence[float]], labels: Sequence[str] = (), opacity: float = 0.45
) -> NDArray[np.uint8]:
    return draw_instances(
        image,
        masks=[block(image.shape[:2], box) for box in boxes],
        labels=labels or ["coin"] * len(boxes),
        scores=[0.9] * len(boxes),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        opacity=opacity,
    )


def places(boxes: Boxes, labels: Sequence[str], size: tuple[int, int]) -> list[NDArray[np.int64]]:
    chips = place_chips(labels, [0.9] * len(labels), boxes, ChipStyle.for_picture(size, gap=2), size=size)
    return [chip.place for chip in chips if chip is not None]


def shared(left: NDArray[np.generic], right: NDArray[np.generic]) -> float:
    """Pixels that two boxes have in common."""
    x1, y1 = np.maximum(left[:2], right[:2])
    x2, y2 = np.minimum(left[2:], right[2:])
    return float(max(0, x2 - x1) * max(0, y2 - y1))


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


class TestChips:
    @given(boxes=st.lists(BOX, max_size=12), height=st.integers(1, 600), width=st.integers(1, 600))
    @settings(deadline=None, max_examples=80)
    def test_chips_stay_inside_the_picture(
        self, boxes: list[tuple[int, int, int, int]], height: int, width: int
    ) -> None:
        corners = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], np.float32).reshape(-1, 4)
        corners = np.clip(corners, 0, (width, height, width, height)).astype(np.float32)
        for x1, y1, x2, y2 in places(corners, ["coin"] * len(boxes), (height, width)):
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height

    @given(boxes=st.lists(BOX, min_size=1, max_size=30))
    @settings(deadline=None, max_examples=80)
    def test_chips_stay_readable_in_a_crowd(self, boxes: list[tuple[int, int, int, int]]) -> None:
        corners = np.array([(x, y, min(x + w, 400), min(y + h, 400)) for x, y, w, h in boxes], np.float32)
        chips = places(corners, ["coin"] * len(boxes), (400, 400))
        for index, chip in enumerate(chips):
            hidden = sum(shared(chip, earlier) for earlier in chips[:index])
            assert hidden <= 0.25 * np.prod(chip[2:] - chip[:2])

    def test_a_tiny_object_has_its_chip_above_it(self) -> None:
        box = np.array([[200, 150, 206, 156]], np.float32)
        (chip,) = places(box, ["coin"], (300, 400))
        assert shared(chip, box[0]) == 0
        assert chip[3] <= 150
        assert chip[3] >= 130

    def test_an_object_at_the_top_edge_has_its_chip_below(self) -> None:
        (chip,) = places(np.array([[200, 0, 230, 20]], np.float32), ["coin"], (300, 400))
        assert chip[1] >= 20

    def test_an_object_of_the_whole_picture_has_its_chip_inside(self) -> None:
        assert len(places(np.array([[0, 0, 400, 300]], np.float32), ["coin"], (300, 400))) == 1

    def test_neighbours_do_not_hide_each_other(self) -> None:
        boxes = np.array([[x, y, x + 40, y + 40] for y in (40, 120, 200) for x in (30, 130, 230, 330)], np.float32)
        chips = places(boxes, ["coin"] * 12, (300, 400))
        assert len(chips) == 12
        assert all(shared(chip, box) == 0 for chip in chips for box in boxes)
        assert all(shared(chips[i], chips[j]) == 0 for i in range(12) for j in range(i))

    def test_a_crowd_on_a_tiny_picture_is_not_papered_over(self) -> None:
        boxes = [(x, y, x + 12, y + 12) for y in (4, 24, 44) for x in (4, 24, 44)]
        result = drawn(ground(64, 64), boxes)
        visible = sum(np.any(result[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2] != 90) for x1, y1, x2, y2 in boxes)
        assert visible == 9
        chips = places(np.array(boxes, np.float32), ["coin"] * 9, (64, 64))
        assert sum(np.prod(chip[2:] - chip[:2]) for chip in chips) < 64 * 64 / 2

    def test_a_chip_rather_lies_on_its_own_object_than_on_another(self) -> None:
        own, above, below, beside = (300, 100, 400, 180), (290, 60, 400, 98), (290, 182, 400, 220), (0, 0, 285, 300)
        chip = places(np.array([own, above, below, beside], np.float32), ["coin"] * 4, (300, 400))[0]
        assert shared(chip, np.array(own)) == np.prod(chip[2:] - chip[:2])

    @pytest.mark.parametrize("size", [(12, 400), (400, 12)])
    def test_a_strip_too_narrow_for_letters_has_none(self, size: tuple[int, int]) -> None:
        assert places(np.array([[2, 2, 9, 9]], np.float32), ["coin"], size) == []

    def test_a_picture_too_small_for_letters_has_none(self) -> None:
        result = drawn(ground(12, 12), [(2, 2, 9, 9)], opacity=0.0)
        assert np.all(result[5, 5] == 90)

    def test_a_long_label_is_shortened_to_the_picture(self) -> None:
        style = ChipStyle.for_picture((300, 400), gap=2)
        box = np.array([[100, 100, 200, 200]], np.float32)
        (chip,) = place_chips(["a person with a very red hat " * 10], [0.9], box, style, size=(300, 400))
        assert chip is not None
        assert chip.text.startswith("a person with a")
        assert chip.text.endswith("... 0.90")
        assert chip.place[2] <= 400

    @pytest.mark.parametrize("index", range(12))
    def test_letters_stand_out_from_their_chip(self, index: int) -> None:
        boxes = [(100, 100, 200, 200)] * (index + 1)
        empty = [np.zeros((300, 400), np.bool_)] * index + [block((300, 400), boxes[0])]
        corners = np.array([(0, 0, 0, 0)] * index + [boxes[0]], np.float32)
        result = draw_instances(
            ground(), masks=empty, labels=["coin"] * len(empty), scores=[0.9] * len(empty), boxes=corners
        )
        style = ChipStyle.for_picture((300, 400), gap=2)
        chip = place_chips(["coin"] * len(empty), [0.9] * len(empty), corners, style, size=(300, 400))[-1]
        assert chip is not None
        x1, y1, x2, y2 = chip.place
        middle = cv2.cvtColor(result[y1 + 2 : y2 - 2, x1 + 6 : x2 - 6], cv2.COLOR_RGB2GRAY).astype(int)
        assert middle.max() - middle.min() > 80


class TestLabels:
    def test_ascii_is_always_drawn(self) -> None:
        assert is_drawable("a person? 100% [sure]")

    @pytest.mark.parametrize("label", ["عملة", "מטבע", "हिन्दी", "\N{COIN}", "two\nlines", "tab\t", "\x00"])
    def test_what_cannot_be_drawn_rightly_is_known(self, label: str) -> None:
        assert not is_drawable(label)

    @pytest.mark.parametrize("label", ["Münze", "монета", "κέρμα", "硬币", "コイン", "동전"])
    def test_other_scripts_are_drawn_or_known_not_to_be(self, label: str) -> None:
        assert is_drawable(label) == (int(cv2.__version__.split(".")[0]) >= 5)

    def test_accents_may_come_as_combining_marks(self) -> None:
        assert is_drawable("Mu\N{COMBINING DIAERESIS}nze") == is_drawable("Münze")

    def test_a_label_that_cannot_be_drawn_becomes_a_number(self) -> None:
        boxes = np.array([[20, 100, 60, 140], [200, 100, 240, 140]], np.float32)
        style = ChipStyle.for_picture((300, 400), gap=2)
        first, second = place_chips(["عملة", "\N{COIN}"], [0.87, 0.5], boxes, style, size=(300, 400))
        assert first is not None
        assert second is not None
        assert (first.text, second.text) == ("#1 0.87", "#2 0.50")

    def test_letters_have_the_height_asked_for(self) -> None:
        for height in (7, 12, 30, 60):
            canvas = np.zeros((100, 400, 3), np.uint8)
            Lettering(height).write(canvas, "H", left=10, baseline=80, colour=(255, 255, 255))
            rows = np.flatnonzero(canvas.max(axis=(1, 2)) > 127)
            assert abs(rows[-1] - rows[0] + 1 - height) <= max(2, height // 6)
            assert np.flatnonzero(canvas.any(axis=(0, 2)))[-1] <= 10 + Lettering(height).width("H") + 1


class TestRefusals:
    def test_numbers_that_differ(self) -> None:
        mask, boxes = np.zeros((300, 400), np.bool_), np.zeros((1, 4), np.float32)
        with pytest.raises(OptionError, match=r"\(1, 2, 1, 1\)"):
            draw_instances(ground(), masks=[mask], labels=["a", "b"], scores=[0.5], boxes=boxes)

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

    def test_a_result_of_another_picture(self) -> None:
        with pytest.raises(PictureTypeError, match="picture of this result"):
            draw_result(ground(30, 40), self.result())
