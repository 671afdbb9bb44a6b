"""The labels on a picture: what they say, and where they stand so that they hide little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx.draw.lettering import Lettering, is_drawable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Chip", "ChipStyle", "draw_chip", "place_chips"]

_LEAST_CAPITALS = 7
_CAPITALS_PER_SIDE = 75


@dataclass(frozen=True)
class ChipStyle:
    """Sizes of the chips on one picture, in pixels."""

    lettering: Lettering
    gap: int
    """Between a chip and the box that it belongs to."""

    @classmethod
    def for_picture(cls, size: tuple[int, int], *, gap: int) -> ChipStyle:
        """Letters in proportion to the side of a square of the picture's area, but legible."""
        side = float(np.sqrt(size[0] * size[1]))
        return cls(Lettering(max(_LEAST_CAPITALS, round(side / _CAPITALS_PER_SIDE))), gap)

    @property
    def padding(self) -> int:
        """Between the capitals and the upper and lower edge."""
        return round(0.6 * self.lettering.height)

    @property
    def height(self) -> int:
        """Of every chip."""
        return self.lettering.height + 2 * self.padding

    def width(self, text: str) -> int:
        """Of the chip with a text; a little more than letters and padding, since its ends are round."""
        return self.lettering.width(text) + 5 * self.padding // 2


@dataclass(frozen=True)
class Chip:
    """A text and its place on the picture."""

    text: str
    """What it says."""
    place: NDArray[np.int64]
    """(4,) x1, y1, x2, y2 in pixels, half-open."""


_NEARER_TO_ANOTHER = 0.4
"""Cost of lying nearer to another object, which the chip then seems to name; wholly hiding an object costs 1."""
_NEXT_PLACE = 0.004
"""Cost of every further place, enough to prefer the earlier of two that hide the same."""
_SCORE_ONLY = 0.1
"""Cost of leaving the label out."""
_NO_CHIP = 0.5
"""Cost of leaving the chip out: it may hide less than half an object."""
_APART = 1
"""Pixels between two chips, at least: one on another could be read as the name of the wrong object."""


def place_chips(
    labels: Sequence[str],
    scores: Sequence[float],
    boxes: NDArray[np.float32],
    style: ChipStyle,
    *,
    size: tuple[int, int],
) -> list[Chip | None]:
    """Choose text and place of each chip: near its box, inside the picture, hiding little of objects, and no chip.

    Args:
        labels: N labels. Those that cannot be drawn are replaced by numbers, counted from 1.
        scores: N scores.
        boxes: (N, 4) x1, y1, x2, y2 of the objects, in pixels.
        style: Sizes of the chips.
        size: Height and width of the picture.

    Returns:
        N chips, with label and score or the score alone; None where any chip would hide too much.
    """
    areas = np.maximum(_areas(boxes), 1.0)
    taken = np.empty((0, 4), np.int64)
    chips: list[Chip | None] = []
    for index, (label, score, box) in enumerate(zip(labels, scores, boxes, strict=True)):
        least, chosen = _NO_CHIP, None
        name = label if is_drawable(label) else f"#{index + 1}"
        for text, cost_of_text in _texts(name, f"{score:.2f}", style, size):
            places = _places(box, style.width(text), style, size)
            costs = cost_of_text + (_overlaps(places, boxes) / areas).sum(axis=1) + _NEXT_PLACE * np.arange(len(places))
            distances = _distances(places, boxes)
            costs += _NEARER_TO_ANOTHER * (distances.min(axis=1) < distances[:, index])
            costs[_overlaps(_grown(places, _APART), taken).any(axis=1)] = np.inf
            best = int(np.argmin(costs))
            if costs[best] < least:
                least, chosen = costs[best], Chip(text, places[best])
        if chosen is not None:
            taken = np.vstack([taken, chosen.place])
        chips.append(chosen)
    return chips


def _texts(name: str, score: str, style: ChipStyle, size: tuple[int, int]) -> Iterator[tuple[str, float]]:
    """The texts to choose from that fit into the picture, with what each costs."""
    if style.height > size[0]:
        return
    cut = (f"{name[:count].rstrip()}... {score}" for count in range(len(name) - 1, 0, -1))
    full = next((text for text in (f"{name} {score}", *cut) if style.width(text) <= size[1]), None)
    if full is not None:
        yield full, 0.0
    if style.width(score) <= size[1]:
        yield score, _SCORE_ONLY


def _places(box: NDArray[np.float32], width: int, style: ChipStyle, size: tuple[int, int]) -> NDArray[np.int64]:
    """(C, 4) places above the box, below, beside and in it, moved into the picture; the preferred one first."""
    x1, y1, x2, y2 = box.tolist()
    gap, height = style.gap, style.height
    above, below, left, right = y1 - gap - height, y2 + gap, x1 - gap - width, x2 + gap
    along = [x1 + share * (x2 - width - x1) for share in _STOPS]
    down = [y1 + share * (y2 - height - y1) for share in _STOPS]
    corners = [(x, y) for y in (above, below) for x in along]
    corners += [(x, y) for y in down for x in (right, left)]
    columns, rows = (along[0] + gap, along[1], along[2] - gap), (down[0] + gap, down[1], down[2] - gap)
    corners += [(x, y) for y in rows for x in columns]
    inside = np.clip(np.rint(corners), 0, (size[1] - width, size[0] - height)).astype(np.int64)
    return np.hstack([inside, inside + np.array((width, height))])


_STOPS = (0, 0.5, 1, 0.25, 0.75)
"""Places along a side of the box, as shares of the way from its one end to the other; the preferred one first."""


def _grown(places: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """(C, 4) places with so many pixels more on each side."""
    grown: NDArray[np.int64] = places + np.array((-by, -by, by, by))
    return grown


def _areas(boxes: NDArray[np.float32] | NDArray[np.int64]) -> NDArray[np.float64]:
    sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
    return sides[:, 0] * sides[:, 1]


def _distances(places: NDArray[np.int64], boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """(C, N) pixels from the middle of each place to each box, 0 in it."""
    middles = (places[:, None, :2] + places[:, None, 2:]) / 2
    away = np.maximum(np.maximum(boxes[None, :, :2] - middles, middles - boxes[None, :, 2:]), 0)
    distances: NDArray[np.float64] = np.hypot(away[..., 0], away[..., 1])
    return distances


def _overlaps(places: NDArray[np.int64], others: NDArray[np.float32] | NDArray[np.int64]) -> NDArray[np.float64]:
    """(C, N) pixels that each place shares with each of the others."""
    starts = np.maximum(places[:, None, :2], others[None, :, :2])
    ends = np.minimum(places[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(ends - starts, 0).astype(np.float64)
    shared: NDArray[np.float64] = sides[..., 0] * sides[..., 1]
    return shared


_DARK, _LIGHT = (0, 0, 0), (255, 255, 255)
_LINEAR_BELOW = 0.04045
_EQUAL_CONTRAST = 0.179
"""Relative luminance at which black and white letters have the same contrast ratio (WCAG 2.2)."""


def draw_chip(canvas: NDArray[np.uint8], chip: Chip, style: ChipStyle, colour: tuple[int, int, int]) -> None:
    """Draw a pill and the text on it, dark or light whichever stands out more.

    Args:
        canvas: (H, W, 3) uint8, changed in place.
        chip: Text and place.
        style: Sizes of the chips.
        colour: Of the pill, in the canvas's channel order.
    """
    left, top, right, bottom = chip.place.tolist()
    radius = (bottom - top) // 2
    start, end = (left + radius, top + radius), (right - 1 - radius, top + radius)
    cv2.line(canvas, start, end, colour, bottom - top - 1, cv2.LINE_AA)
    ink = _DARK if _luminance(colour) > _EQUAL_CONTRAST else _LIGHT
    indent = (right - left - style.lettering.width(chip.text)) // 2
    style.lettering.write(canvas, chip.text, left=left + indent, baseline=bottom - style.padding, colour=ink)


def _luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance of an sRGB colour as WCAG 2.2 defines it, 0 to 1."""
    encoded = np.array(colour) / 255
    linear = np.where(encoded <= _LINEAR_BELOW, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
