"""What things are pointed at with in training: clicks, boxes and masks drawn from where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from rollout import Prompts
from world import SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 4
"""Points of a prompt, a box's corners among them."""
EMPTY = -10
_SOLID = 127


def click_on(mask: np.ndarray) -> tuple[float, float]:
    """The point x, y in 0..1 that lies deepest in a mask (h, w)."""
    depth = cv2.distanceTransform(np.pad((mask > _SOLID).astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return (column + 0.5) / mask.shape[1], (row + 0.5) / mask.shape[0]


def draw_prompts(rng: np.random.Generator, masks: Sequence[np.ndarray]) -> Prompts:
    """Prompts for K objects: a click (half of them), a few clicks, a box, or a mask.

    Args:
        rng: Where all chance comes from.
        masks: K arrays (SIDE, SIDE) uint8 of what is to be seen of them.
    """
    points = np.zeros((len(masks), MOST, 2), np.float32)
    labels = np.full((len(masks), MOST), EMPTY, np.int64)
    full = np.zeros((len(masks), 1, SIDE, SIDE), np.float32)
    masked = np.zeros(len(masks), bool)
    for row, mask in enumerate(masks):
        kind = rng.choice(4, p=(0.5, 0.15, 0.2, 0.15))
        if kind == 3:
            masked[row] = True
            full[row, 0] = mask > _SOLID
            continue
        where, signs = (
            _boxed(rng, mask) if kind == 2 else _clicks(rng, mask, 1 if kind == 0 else int(rng.integers(2, MOST + 1)))
        )
        points[row, : len(where)], labels[row, : len(where)] = where, signs
    return Prompts(*(torch.from_numpy(each) for each in (points, labels, full, masked)))


def _clicks(rng: np.random.Generator, mask: np.ndarray, count: int) -> tuple[np.ndarray, list[int]]:
    """The first click on the object, the others on it or close beside it."""
    solid = mask > _SOLID
    beside = (cv2.dilate(solid.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0) & (mask == 0)
    signs = [1, *(int(rng.random() < 0.5 or not beside.any()) for _ in range(count - 1))]
    cells = [_cell(rng, solid if sign else beside) for sign in signs]
    if rng.random() < 0.3:
        return np.array([click_on(mask), *cells[1:]], np.float32), signs
    return np.array(cells, np.float32), signs


def _cell(rng: np.random.Generator, where: np.ndarray) -> np.ndarray:
    places = np.argwhere(where)
    return (places[rng.integers(len(places))][::-1] + rng.uniform(0.2, 0.8, 2)) / SIDE


def _boxed(rng: np.random.Generator, mask: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """The corners of a box around the object, a little off."""
    rows, columns = np.flatnonzero((mask > _SOLID).any(1)), np.flatnonzero((mask > _SOLID).any(0))
    box = np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]]) / SIDE
    return np.clip(box + rng.normal(0, 0.06, (2, 2)) * (box[1] - box[0]), 0, 1).astype(np.float32), [2, 3]
