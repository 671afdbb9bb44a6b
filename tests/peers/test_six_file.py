"""Family A answers as the PyTorch model behind it does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import OptionError, UnsupportedPromptError
from sam3_onnx.families import Query, graphs_of_folder, open_family
from sam3_onnx.geometry import mask_iou
from sam3_onnx.prompts import box_labels, normalised_cxcywh
from sam3_onnx.runtime import RuntimeSettings
from sam3_onnx.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.families import Detections

pytestmark = pytest.mark.peers

CASES = ("text_person", "text_coin", "box_pos", "box_neg_person", "box_pos_person")
PICTURES = ("astronaut", "coins")


class Reference:
    def __init__(self, folder: Path) -> None:
        self.data = np.load(folder / "ref.npz")
        self.meta: dict[str, Any] = json.loads(str(self.data["meta"]))

    def prompt(self, picture: str, case: str) -> tuple[str | None, list[Box]]:
        asked = self.meta["cases"][case]
        sign = asked["box_label"]
        box = self.meta["boxes_xyxy_px"][picture]
        return asked["text"], [] if sign is None else [Box(box[0], box[1], box[2], box[3], positive=bool(sign))]

    def answer(self, picture: str, case: str) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        key = f"torch/{picture}/{case}"
        shape = self.data[f"{key}/mask_shape"]
        bits = np.unpackbits(self.data[f"{key}/masks_packed"])[: np.prod(shape)]
        return self.data[f"{key}/scores"], self.data[f"{key}/boxes_xyxy_px"], bits.reshape(shape).astype(bool)


def detect(folder: Path, reference: Reference, picture: str, case: str) -> Detections:
    family = open_family(graphs_of_folder(folder), RuntimeSettings("cpu"))
    text, boxes = reference.prompt(picture, case)
    height, width = reference.data[f"{picture}/image_rgb"].shape[:2]
    features = family.encode_image(reference.data[f"{picture}/resized_u8_chw"], cancel=None)
    words = family.encode_text([load_tokenizer().encode(text or "visual")], cancel=None)[0]
    query = Query(words, normalised_cxcywh(boxes, (height, width)), box_labels(boxes))
    return family.detect(features, [query], size=(height, width), threshold=0.5, cancel=None)[0]


@pytest.mark.parametrize("folder", ["A_six_file", "A2_six_file_v02"])
@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_pytorch_on_the_stored_input(peer_fixtures: Path, folder: str, picture: str, case: str) -> None:
    reference = Reference(peer_fixtures / "A_six_file")
    scores, boxes, masks = reference.answer(picture, case)
    found = detect(peer_fixtures / folder, reference, picture, case)
    assert len(found.scores) == len(scores)
    np.testing.assert_allclose(found.scores, scores, atol=1e-4)
    np.testing.assert_allclose(found.boxes, boxes, atol=1.0)
    for source, mask in zip(found.masks, masks, strict=True):
        assert mask_iou(source.window.full(source.size), mask) >= 0.99 or not mask.any()


@pytest.mark.parametrize("picture", PICTURES)
def test_a_whole_prediction_from_the_picture(peer_fixtures: Path, picture: str) -> None:
    """The reference stretched without antialiasing here; the scores may move, not the kind of answer."""
    reference = Reference(peer_fixtures / "A_six_file")
    with Sam3Session.from_folder(peer_fixtures / "A_six_file", provider="cpu") as session:
        result = session.predict(reference.data[f"{picture}/image_rgb"], "coin")
    scores, _, _ = reference.answer(picture, "text_coin")
    assert len(result) == len(scores)
    np.testing.assert_allclose(result.scores, np.sort(scores)[::-1], atol=0.02)


def test_words_boxes_and_both_through_the_session(peer_fixtures: Path) -> None:
    reference = Reference(peer_fixtures / "A_six_file")
    image = reference.data["astronaut/image_rgb"]
    with Sam3Session.from_folder(peer_fixtures / "A_six_file") as session:
        for case in CASES:
            text, boxes = reference.prompt("astronaut", case)
            result = session.predict(image, text, boxes=boxes)
            expected, _, _ = reference.answer("astronaut", case)
            assert abs(len(result) - len(expected)) <= 1
            assert set(result.labels) <= {text or "object"}


def test_half_precision_features_move_scores_by_less_than_a_thousandth(peer_fixtures: Path) -> None:
    folder = peer_fixtures / "A_six_file"
    image = Reference(folder).data["astronaut/image_rgb"]
    answers = []
    for precision in ("exact", "float16"):
        with Sam3Session.from_folder(folder, feature_precision=precision) as session:
            answers.append(session.predict(image, "person, coin"))
            held = session.cache.info().bytes
            assert held == sum(32 * (96 >> level) ** 2 for level in range(3)) * (4 if precision == "exact" else 2)
    assert len(answers[0]) == len(answers[1]) > 0
    np.testing.assert_allclose(answers[0].scores, answers[1].scores, atol=1e-3)


def test_what_the_family_cannot_do_is_said_in_advance_and_in_errors(peer_fixtures: Path) -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    with Sam3Session.from_folder(peer_fixtures / "A_six_file") as session:
        assert session.capabilities.family == "six-file"
        assert session.capabilities.max_boxes == 1
        assert session.capabilities.lowest_threshold == 0.5
        with pytest.raises(UnsupportedPromptError, match="six-file model cannot take 2 boxes in one prompt"):
            session.predict(image, boxes=[Box(1, 1, 9, 9), Box(20, 20, 40, 40)])
        with pytest.raises(OptionError, match=r"at least 0\.5 with a model of the six-file family"):
            session.predict(image, "coin", conf_threshold=0.3)
    with pytest.raises(OptionError, match="conf_threshold"):
        Sam3Session.from_folder(peer_fixtures / "A_six_file", conf_threshold=0.2)


def test_other_families_are_refused_with_what_was_found(peer_fixtures: Path) -> None:
    with pytest.raises(ValueError, match=r"decoder.onnx: .*input_boxes_labels") as refused:
        Sam3Session.from_folder(peer_fixtures / "D2_batched")
    assert "holds no known SAM 3 export" in str(refused.value)
    with pytest.raises(ValueError, match="Nearest is the six-file family: no graph there is its decoder"):
        Sam3Session.from_folder(peer_fixtures / "B_osam")
