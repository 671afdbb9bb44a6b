"""How does X-AnyLabeling 3 answer a word, and outline what it found? Written from a description of what it does.

For every word it runs the text encoder and the decoder, resizes the mask of every instance above
the threshold to the whole picture, and looks for contours there; the largest is simplified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sam3_onnx.results import ShapeType

__all__ = ["full_size_masks", "outlines"]

_EPSILON = 0.001
"""Of `approxPolyDP`, as a fraction of the contour's perimeter."""


def full_size_masks(logits: Iterable[NDArray[np.float32]], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(N, H, W): every mask in the size of the picture, as the six-file decoder returns them."""
    height, width = size
    masks = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) > 0 for plane in logits]
    return np.array(masks, np.bool_).reshape(-1, height, width)


def outlines(masks: NDArray[np.bool_], mode: ShapeType) -> list[NDArray[np.float64]]:
    """The largest contour of each mask: simplified, or the rectangle or rotated rectangle around it."""
    found = []
    for mask in masks:
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if contours:
            largest = max((np.asarray(contour, np.int32) for contour in contours), key=cv2.contourArea)
            found.append(_outline(largest, mode))
    return found


def _outline(contour: NDArray[np.int32], mode: ShapeType) -> NDArray[np.float64]:
    if mode == "polygon":
        polygon = cv2.approxPolyDP(contour, _EPSILON * cv2.arcLength(contour, closed=True), closed=True)
        return np.asarray(polygon, np.float64)
    if mode == "rectangle":
        return np.array(cv2.boundingRect(contour), np.float64)
    return np.asarray(cv2.boxPoints(cv2.minAreaRect(contour)), np.float64)
