"""Low-resolution mask logits as the rules look at them, and how much of them overlaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx._support.lazy_values import cached_property
from sam3_onnx.geometry.window import Window, window_iou

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

__all__ = ["EMPTY_LOGIT", "Plane", "iou_table", "own_iou_table", "touching_pairs"]

EMPTY_LOGIT = -10.0
"""Logit of cells that are taken from a mask: `NO_OBJ_LOGIT` in transformers and Meta."""


@dataclass(frozen=True, eq=False)
class Plane:
    """The logits of one mask; cells above 0 are its foreground."""

    logits: NDArray[np.float32]
    """(h, w); the arrays are never written to."""

    @cached_property
    def window(self) -> Window:
        """The foreground in the smallest rectangle that holds it."""
        mask = self.logits > 0
        x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
        return Window(np.ascontiguousarray(mask[y : y + height, x : x + width]), x, y)

    @property
    def is_empty(self) -> bool:
        """Whether there is no foreground."""
        return not self.window.mask.size

    def emptied(self) -> Plane:
        """Returns logits of the same size that are `EMPTY_LOGIT` everywhere."""
        return Plane(np.full_like(self.logits, EMPTY_LOGIT))

    def lowered(self) -> Plane:
        """Returns the logits with none above `EMPTY_LOGIT`."""
        return Plane(np.minimum(self.logits, np.float32(EMPTY_LOGIT)))


def iou_table(
    rows: Sequence[Plane],
    columns: Sequence[Plane],
    row_prompts: Sequence[Hashable],
    column_prompts: Sequence[Hashable],
) -> NDArray[np.float64]:
    """Intersection over union of every mask with every other one.

    Args:
        rows: N masks of one size.
        columns: M masks of the same size.
        row_prompts: What each of the rows was found by.
        column_prompts: The same of the columns.

    Returns:
        `(N, M)` in 0..1; 0 for masks of two prompts.
    """
    table = np.zeros((len(rows), len(columns)))
    for i, j in touching_pairs(rows, columns):
        if row_prompts[i] == column_prompts[j]:
            table[i, j] = window_iou(rows[i].window, columns[j].window)
    return table


def own_iou_table(planes: Sequence[Plane]) -> NDArray[np.float64]:
    """Returns the intersection over union of every two masks of one word, (N, N) and symmetric, with 0 for itself."""
    table = np.zeros((len(planes), len(planes)))
    for i, j in touching_pairs(planes, planes):
        if i < j:
            table[i, j] = table[j, i] = window_iou(planes[i].window, planes[j].window)
    return table


def touching_pairs(rows: Sequence[Plane], columns: Sequence[Plane]) -> list[tuple[int, int]]:
    """Returns the indices of the masks whose rectangles overlap, each as (row, column)."""
    left, top, right, bottom = (edge[:, None] for edge in _edges(rows))
    lefts, tops, rights, bottoms = _edges(columns)
    touching = (left < rights) & (lefts < right) & (top < bottoms) & (tops < bottom)
    return [(int(i), int(j)) for i, j in np.argwhere(touching)]


def _edges(planes: Sequence[Plane]) -> NDArray[np.intp]:
    """(4, N) x1, y1, x2, y2 of the rectangles that hold the masks."""
    windows = [plane.window for plane in planes]
    edges = [(w.x, w.y, w.x + w.mask.shape[1], w.y + w.mask.shape[0]) for w in windows]
    return np.array(edges, np.intp).reshape(-1, 4).T
