"""A picture of where a model and the labels disagree most."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx.draw.lettering import Lettering
from sam3_onnx.geometry.polygons import mask_to_outlines
from sam3_onnx.images.loading import load_image
from sam3_onnx.images.sheets import contact_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.evaluate.tally import Comparison
    from sam3_onnx.geometry.window import Window

__all__ = ["WorstPictures"]

_MOST = 12
_CORRECT, _MISSED, _UNLABELLED = (60, 200, 80), (230, 40, 40), (255, 170, 0)
_LEGEND = ((_CORRECT, "found and labelled"), (_MISSED, "labelled, not found"), (_UNLABELLED, "found, not labelled"))
_BAND = 44
_LETTERS = 14
_PAPER, _INK = 255, (0, 0, 0)
_SHARE_OF_SIDE = 250
"""Of a picture's longer side, how many lines are as wide as it."""


@dataclass
class WorstPictures:
    """The pictures with the most disagreements so far."""

    _kept: list[tuple[Path, Comparison]] = field(default_factory=list)

    def offer(self, picture: Path, comparison: Comparison) -> None:
        """Keeps a picture if it has more disagreements than another one; of equal ones the earlier stays."""
        if comparison.missed or comparison.unlabelled:
            self._kept.append((picture, comparison))
            self._kept.sort(key=lambda one: -_disagreements(one[1]))
            del self._kept[_MOST:]

    def sheet(self) -> NDArray[np.uint8]:
        """Returns the pictures on one sheet (H, W, 3) uint8 RGB, with a legend below.

        Raises:
            PictureError: A picture cannot be read any more.
        """
        if not self._kept:
            return _with_legend(np.full((60, 640, 3), _PAPER, np.uint8), ((_CORRECT, "no disagreement"),))
        return _with_legend(contact_sheet([_drawn(load_image(picture), one) for picture, one in self._kept]), _LEGEND)


def _disagreements(comparison: Comparison) -> int:
    return len(comparison.missed) + len(comparison.unlabelled)


def _drawn(image: NDArray[np.uint8], comparison: Comparison) -> NDArray[np.uint8]:
    canvas = np.array(image)
    _outline(canvas, (one.source.window for one in comparison.correct), _CORRECT)
    _outline(canvas, (one.mask for one in comparison.missed), _MISSED)
    _outline(canvas, (one.source.window for one in comparison.unlabelled), _UNLABELLED)
    return canvas


def _outline(canvas: NDArray[np.uint8], masks: Iterable[Window], colour: tuple[int, int, int]) -> None:
    width = max(1, round(max(canvas.shape) / _SHARE_OF_SIDE))
    for mask in (mask for mask in masks if mask.area):
        for polygon in mask_to_outlines(mask.mask).polygons:
            points = np.round(polygon.exterior + mask.origin).astype(np.int32)
            cv2.polylines(canvas, [points], isClosed=True, color=colour, thickness=width, lineType=cv2.LINE_AA)


def _with_legend(sheet: NDArray[np.uint8], entries: Iterable[tuple[tuple[int, int, int], str]]) -> NDArray[np.uint8]:
    lettering = Lettering(_LETTERS)
    band = np.full((_BAND, sheet.shape[1], 3), _PAPER, np.uint8)
    left, top = _LETTERS, (_BAND - _LETTERS) // 2
    for colour, text in entries:
        band[top : top + _LETTERS, left : left + _LETTERS] = colour
        left += 2 * _LETTERS
        lettering.write(band, text, left=left, baseline=top + _LETTERS, colour=_INK)
        left += lettering.width(text) + 3 * _LETTERS
    return np.concatenate([sheet, band])
