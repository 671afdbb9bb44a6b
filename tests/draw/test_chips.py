"""Chips can be read and hide little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.draw import draw_instances
from sam3_onnx.draw.chips import ChipStyle, place_chips
from tests.support.drawings import block, drawn, ground

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Boxes = NDArray[np.float32]

BOX = st.tuples(*[st.integers(0, 399)] * 2, *[st.integers(1, 200)] * 2)


def places(boxes: Boxes, labels: Sequence[str], size: tuple[int, int]) -> list[NDArray[np.int64]]:
    chips = place_chips(labels, [0.9] * len(labels), boxes, ChipStyle.for_picture(size, gap=2), size=size)
    return [chip.place for chip in chips if chip is not None]


def shared(left: NDArray[np.generic], right: NDArray[np.generic]) -> float:
    """Pixels that two boxes have in common."""
    x1, y1 = np.maximum(left[:2], right[:2])
    x2, y2 = np.minimum(left[2:], right[2:])
    return float(max(0, x2 - x1) * max(0, y2 - y1))


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
    def test_no_chip_lies_on_another(self, boxes: list[tuple[int, int, int, int]]) -> None:
        corners = np.array([(x, y, min(x + w, 400), min(y + h, 400)) for x, y, w, h in boxes], np.float32)
        chips = places(corners, ["coin"] * len(boxes), (400, 400))
        assert all(shared(chip, earlier) == 0 for index, chip in enumerate(chips) for earlier in chips[:index])

    def test_a_chip_is_nearer_to_its_own_object_than_to_another(self) -> None:
        beside_the_top_edge, left_of_it = (300, 4, 390, 80), (230, 40, 290, 90)
        chip = places(np.array([beside_the_top_edge, left_of_it], np.float32), ["coin"] * 2, (300, 400))[0]
        assert chip[0] > 290

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
