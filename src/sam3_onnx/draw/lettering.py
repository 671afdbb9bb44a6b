"""Text that OpenCV can draw, its size, and drawing it onto a picture.

OpenCV 5 draws Latin, Greek, Cyrillic and East Asian letters, OpenCV 4 only ASCII. Both put question marks in place of
everything else without a word, and neither joins Arabic letters or places combining marks, so ask `is_drawable` first.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx._support.lazy_values import cached_property

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Lettering", "is_drawable"]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_RIGHT_TO_LEFT = ("R", "AL", "AN")


def is_drawable(text: str) -> bool:
    """Tell whether every letter of a text comes out as itself."""
    return all(_is_drawable_letter(letter) for letter in unicodedata.normalize("NFC", text))


@lru_cache(maxsize=4096)
def _is_drawable_letter(letter: str) -> bool:
    if letter.isascii():
        return letter.isprintable()
    if unicodedata.category(letter)[0] in "CM" or unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT:
        return False
    drawn = _sample(letter)
    return not any(np.array_equal(drawn, _sample("?" * count)) for count in (1, len(letter.encode())))


def _sample(text: str) -> NDArray[np.uint8]:
    canvas = np.zeros((40, 120), np.uint8)
    cv2.putText(canvas, text, (5, 30), _FONT, 1.0, 255)
    return canvas


@dataclass(frozen=True)
class Lettering:
    """Letters of one size."""

    height: int
    """Pixels from the baseline to the top of a capital."""

    @cached_property
    def _scale(self) -> float:
        return self.height / np.count_nonzero(_sample("H").any(axis=1))

    @property
    def _thickness(self) -> int:
        return max(1, round(self.height / 12))

    def width(self, text: str) -> int:
        """Pixels that a text takes from left to right."""
        (width, _), _ = cv2.getTextSize(unicodedata.normalize("NFC", text), _FONT, self._scale, self._thickness)
        return width

    def write(
        self, canvas: NDArray[np.uint8], text: str, *, left: int, baseline: int, colour: tuple[int, int, int]
    ) -> None:
        """Draw a text onto a canvas (H, W, 3) uint8, in place."""
        text = unicodedata.normalize("NFC", text)
        cv2.putText(canvas, text, (left, baseline), _FONT, self._scale, colour, self._thickness, cv2.LINE_AA)
