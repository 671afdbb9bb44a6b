"""Does the tracker head answer clicks as the PyTorch model behind it does?"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import EmbeddingError, UnsupportedPromptError
from sam3_onnx.geometry import mask_iou
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.families.protocol import Clicks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Tracker
    from sam3_onnx.models.runtime.settings import RuntimeSettings

pytestmark = pytest.mark.peers

CASES = ("point_pos", "point_pos_neg", "box", "box_point_neg")
PICTURES = ("astronaut", "coins")
SIDE = 336


class Reference:
    def __init__(self, fixtures: Path) -> None:
        self.data = np.load(fixtures / "F_tracker" / "ref.npz")
        self.meta: dict[str, Any] = json.loads(str(self.data["meta"]))

    def image(self, picture: str) -> NDArray[np.uint8]:
        image: NDArray[np.uint8] = self.data[f"{picture}/image_rgb"]
        return image

    def answer(self, picture: str, case: str) -> tuple[NDArray[np.float32], NDArray[np.bool_], float]:
        """Expected IoUs, masks of the picture's size, and the object's logit."""
        key = f"torch/{picture}/{case}"
        height, width = self.image(picture).shape[:2]
        logits = self.data[f"{key}/pred_masks"][0, 0].astype(np.float32)
        masks = np.array([cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) > 0 for mask in logits])
        return self.data[f"{key}/iou_scores"][0, 0], masks, float(self.data[f"{key}/object_score_logits"].item())

    def asked(self, picture: str, case: str) -> dict[str, Any]:
        """In pixels of the picture, from the pixels of the model's input that are stored."""
        key = f"torch/{picture}/{case}"
        height, width = self.image(picture).shape[:2]
        scale = np.array([width, height]) / SIDE
        points, boxes = self.data[f"{key}/input_points"][0, 0], self.data[f"{key}/input_boxes"][0]
        return {
            "points": points * scale,
            "point_labels": self.data[f"{key}/input_labels"][0, 0],
            "box": Box(*(boxes[0] * np.tile(scale, 2))) if len(boxes) else None,
        }


@pytest.fixture
def session(peer_fixtures: Path, settings: RuntimeSettings) -> Iterator[Sam3Session]:
    folder = peer_fixtures / "F_tracker"
    with Sam3Session.from_folder(
        folder, provider=settings.provider, precision="float32", feature_precision="exact"
    ) as opened:
        yield opened


def runs(session: Sam3Session) -> dict[str, int]:
    return {role: model.runs for role, model in session.graphs.items()}


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_pytorch_on_the_stored_prompt(
    peer_fixtures: Path,
    settings: RuntimeSettings,
    note: Callable[[str, str, float, float], None],
    picture: str,
    case: str,
) -> None:
    reference = Reference(peer_fixtures)
    tracker: Tracker = exports_in_folder(peer_fixtures / "F_tracker").open(settings)["clicks"]
    image = reference.image(picture)
    resized = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    features = tracker.encode_image(np.ascontiguousarray(resized.transpose(2, 0, 1)), cancel=None)
    key = f"torch/{picture}/{case}"
    boxes = reference.data[f"{key}/input_boxes"][0] / SIDE
    clicks = Clicks(
        reference.data[f"{key}/input_points"][0, 0] / SIDE,
        reference.data[f"{key}/input_labels"][0, 0],
        boxes[0] if len(boxes) else None,
    )
    size = (image.shape[0], image.shape[1])
    found = tracker.segment(features, clicks, size=size, cancel=None)
    scores, masks, logit = reference.answer(picture, case)
    difference = float(np.abs(found.scores - scores).max())
    ious = [mask_iou(source.window.full(size), mask) for source, mask in zip(found.masks, masks, strict=True)]
    note("F_tracker", case, difference, min(ious))
    assert difference <= 1e-4
    assert min(ious) >= 0.99
    assert found.object_score == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-4)


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("case", CASES)
def test_a_whole_prediction_from_the_picture(
    session: Sam3Session,
    peer_fixtures: Path,
    note: Callable[[str, str, float, float], None],
    picture: str,
    case: str,
) -> None:
    reference = Reference(peer_fixtures)
    found = session.predict_object(reference.image(picture), **reference.asked(picture, case))
    scores, masks, _ = reference.answer(picture, case)
    order = np.argsort(-scores, kind="stable")
    given = np.array([candidate.score for candidate in found.candidates])
    ious = [mask_iou(candidate.mask, masks[index]) for candidate, index in zip(found.candidates, order, strict=True)]
    note("F_tracker", f"{case}, from the picture", float(np.abs(given - scores[order]).max()), min(ious))
    np.testing.assert_allclose(given, scores[order], atol=5e-3)
    assert min(ious) >= 0.94  # a level's difference in a hundredth of the pixels moves these random masks so far
    assert found.best == found.candidates[0]


def test_more_clicks_refine_the_answer_without_encoding_again(session: Sam3Session, peer_fixtures: Path) -> None:
    reference = Reference(peer_fixtures)
    image, asked = reference.image("coins"), reference.asked("coins", "point_pos_neg")
    first = session.predict_object(image, points=asked["points"][:1])
    refined = session.predict_object(first, points=asked["points"][1:], point_labels=[0])
    at_once = session.predict_object(image, points=asked["points"], point_labels=[1, 0])
    assert runs(session) == {"image_encoder": 1, "decoder": 3}
    assert refined.prompt == at_once.prompt
    assert refined.candidates == at_once.candidates
    assert first.candidates != refined.candidates
    assert session.cache.info().misses == 1


def test_an_embedding_stands_for_the_picture(session: Sam3Session, peer_fixtures: Path) -> None:
    image = Reference(peer_fixtures).image("coins")
    embedding = session.encode(image)
    assert (
        session.predict_object(embedding, [(85, 70)]).candidates == session.predict_object(image, [(85, 70)]).candidates
    )
    assert runs(session)["image_encoder"] == 1


def test_words_and_boxes_of_examples_are_refused(session: Sam3Session) -> None:
    capabilities = session.capabilities
    assert (capabilities.family, capabilities.points, capabilities.text, capabilities.boxes) == (
        "tracker",
        True,
        False,
        False,
    )
    picture = np.zeros((40, 60, 3), np.uint8)
    refused = r"does not support words and boxes of examples; it supports clicks on one object \(predict_object\)"
    with pytest.raises(UnsupportedPromptError, match=refused):
        session.predict(picture, "coin")
    with pytest.raises(UnsupportedPromptError, match=refused):
        session.predict(picture, boxes=[Box(1, 1, 9, 9)])
    with pytest.raises(UnsupportedPromptError, match=refused):
        session.encode(picture, purpose="concepts")


@pytest.mark.parametrize("below", ["tracker", "onnx", "."])
def test_a_tracker_beside_an_export_of_concepts_serves_clicks(peer_fixtures: Path, tmp_path: Path, below: str) -> None:
    shutil.copytree(peer_fixtures / "D2_batched", tmp_path / "both")
    # the file names of this pair do not clash, so that even one folder can hold both
    shutil.copytree(peer_fixtures / "F_tracker" / "onnx", tmp_path / "both" / below, dirs_exist_ok=True)
    image = Reference(peer_fixtures).image("astronaut")
    with Sam3Session.from_folder(tmp_path / "both") as session:
        assert session.capabilities.family == "batched"
        assert session.capabilities.points
        assert set(session.providers) == {
            *("image_encoder", "text_encoder", "decoder"),
            *("tracker_image_encoder", "tracker_decoder"),
        }
        assert len(session.predict(image, "person")) > 0
        assert len(session.predict_object(image, [(230, 120)]).candidates) == 3
        for_clicks = session.encode(image, purpose="clicks")
        assert session.predict_object(for_clicks, [(230, 120)]).best.area > 0
        with pytest.raises(EmbeddingError):
            session.predict_object(session.encode(image), [(230, 120)])
        with pytest.raises(EmbeddingError):
            session.predict(for_clicks, "person")
        assert session.graphs["tracker_image_encoder"].runs == 1


def test_clicks_on_a_model_without_a_tracker_say_what_to_get(peer_fixtures: Path) -> None:
    with Sam3Session.from_folder(peer_fixtures / "D2_batched") as session:
        refused = "batched model does not support clicks on one object; .* put an export of the tracker family"
        with pytest.raises(UnsupportedPromptError, match=refused):
            session.predict_object(np.zeros((40, 60, 3), np.uint8), [(3, 4)])
        with pytest.raises(UnsupportedPromptError, match=refused):
            session.encode(np.zeros((40, 60, 3), np.uint8), purpose="clicks")
