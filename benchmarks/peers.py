"""How does X-AnyLabeling 3 answer a word, and outline what it found? Written from a description of what it does.

For every word it runs the text encoder and the decoder, resizes the mask of every instance above
the threshold to the whole picture, and looks for contours there; the largest is simplified. Its graphs are the six
files, whose decoder makes the mask of every query, and resizes those above the threshold itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import onnxruntime as ort

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.results import ShapeType

__all__ = ["SixFiles", "full_size_masks", "outlines"]

_EPSILON = 0.001
"""Of `approxPolyDP`, as a fraction of the contour's perimeter."""


class SixFiles:
    """Language encoder and decoder of the six files in plain ONNX Runtime, with its default options."""

    def __init__(self, folder: Path, features: Mapping[str, NDArray[Any]]) -> None:
        """Opens them.

        Args:
            folder: Holds them.
            features: Of the picture, as a native bundle names them: fpn_0, fpn_1 and fpn_2.
        """
        self._encoder, self._decoder = (
            ort.InferenceSession(str(folder / f"sam3_{role}.onnx"), providers=["CPUExecutionProvider"])
            for role in ("language_encoder", "decoder")
        )
        self._feeds = {f"backbone_{name}": array.astype(np.float32) for name, array in features.items()}
        self._feeds["vision_pos_enc_2"] = self._feeds["backbone_fpn_2"]
        self._feeds["box_coords"] = np.zeros((1, 1, 4), np.float32)
        self._feeds["box_labels"] = np.ones((1, 1), np.int64)
        self._feeds["box_masks"] = np.ones((1, 1), np.bool_)

    def ask(self, tokens: NDArray[np.int64], size: tuple[int, int]) -> list[NDArray[Any]]:
        """Boxes, scores and full-size masks of one word.

        Args:
            tokens: (1, 32) ids, filled with 0.
            size: (height, width) of the picture.
        """
        mask, memory = self._encoder.run(["text_attention_mask", "text_memory"], {"tokens": tokens})
        sides = dict(zip(("original_height", "original_width"), map(np.array, size), strict=True))
        feeds = {**self._feeds, **sides, "language_mask": mask, "language_features": memory}
        return list(self._decoder.run(["boxes", "scores", "masks"], feeds))


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
