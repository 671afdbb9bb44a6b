"""The golden answers of the native bundle, and how its family is asked for its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Box
from sam3_onnx.images import to_model_input
from sam3_onnx.models.families.protocol import Query
from sam3_onnx.prompts import box_labels, normalised_cxcywh
from sam3_onnx.prompts.tokenizer import load_tokenizer
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import AnyArrays, Arrays, Detections, Family

SIZE = (112, 168)
MASKS_STORED = 2
CASES = ("text", "one_box", "boxes_of_both_signs", "text_and_boxes", "words", "words_and_boxes")
EVERY_CASE = pytest.mark.parametrize("case", CASES)


class Golden:
    """One question to the PyTorch model and its answer."""

    def __init__(self, picture: str, case: str) -> None:
        with np.load(NATIVE / "ref.npz") as data:
            asked = json.loads(str(data["cases"]))[case]
            self.image: NDArray[np.uint8] = data[f"{picture}/image"]
            self.scores: NDArray[np.float32] = data[f"{picture}/{case}/scores"]
            self.boxes: NDArray[np.float32] = data[f"{picture}/{case}/boxes"]
            bits = data[f"{picture}/{case}/masks"]
        self.words: list[str] = asked["words"]
        height, width = self.size = (self.image.shape[0], self.image.shape[1])
        self.shown = tuple(
            Box(x1 * width, y1 * height, x2 * width, y2 * height, positive=bool(label))
            for (x1, y1, x2, y2), label in zip(asked["boxes"], asked["labels"], strict=True)
        )
        shape = (len(self.words), MASKS_STORED, height, width)
        self.masks = np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).astype(np.bool_)

    @property
    def order(self) -> NDArray[np.intp]:
        """(P, Q) queries of each word by falling score; masks are stored for the first of them."""
        return np.argsort(-self.scores, axis=1)


def features(family: Family, image: NDArray[np.uint8]) -> AnyArrays:
    return family.encode_image(to_model_input(image, SIZE), cancel=None)


def words(family: Family, prompts: list[str]) -> list[Arrays]:
    return family.encode_text([load_tokenizer().encode(prompt) for prompt in prompts], cancel=None)


def queries(family: Family, golden: Golden) -> list[Query]:
    places, signs = normalised_cxcywh(golden.shown, golden.size), box_labels(golden.shown)
    return [Query(text, places, signs) for text in words(family, golden.words)]


def everything(family: Family, golden: Golden, asked: list[Query]) -> list[Detections]:
    picture = features(family, golden.image)
    return family.detect(picture, asked, size=golden.size, threshold=0.0, cancel=None)
