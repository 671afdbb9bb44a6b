"""Labels are written where the letters are known, and numbered where they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sam3_onnx.draw.chips import ChipStyle, place_chips
from sam3_onnx.draw.lettering import Lettering, is_drawable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Boxes = NDArray[np.float32]


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
