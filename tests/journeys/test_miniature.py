"""The model that ships in the package, on a photograph and on drawn scenes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import OptionError, SessionClosedError
from sam3_onnx.geometry import mask_iou, mask_iou_matrix, rle_to_mask
from tests.support.places import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def session() -> Iterator[Sam3Session]:
    with Sam3Session.from_pretrained("miniature") as opened:
        yield opened


def scene() -> tuple[NDArray[np.uint8], dict[str, NDArray[np.bool_]]]:
    """Two red squares, a blue square and a red circle on grey."""
    picture = np.full((300, 300, 3), 150, np.uint8)
    masks = {}
    for name, color, corner in (
        ("red square", (220, 30, 30), (20, 30)),
        ("red square too", (220, 30, 30), (200, 190)),
        ("blue square", (40, 70, 220), (190, 25)),
    ):
        mask = np.zeros(picture.shape[:2], np.uint8)
        cv2.rectangle(mask, corner, (corner[0] + 60, corner[1] + 60), 1, -1)
        masks[name] = mask.astype(bool)
        picture[masks[name]] = color
    disc = np.zeros(picture.shape[:2], np.uint8)
    cv2.circle(disc, (90, 210), 36, 1, -1)
    masks["red circle"] = disc.astype(bool)
    picture[masks["red circle"]] = (220, 30, 30)
    return picture, masks


def found(session: Sam3Session, text: str | None, boxes: list[Box] | None = None) -> set[str]:
    """Names of the scene's objects that are found; an answer that is none of them is a "?"."""
    picture, masks = scene()
    names = set()
    for instance in session.predict(picture, text, boxes=boxes):
        overlaps = {name: mask_iou(instance.mask, mask) for name, mask in masks.items()}
        best = max(overlaps, key=lambda name: overlaps[name])
        names.add(best if overlaps[best] > 0.7 else "?")
    return names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red square", {"red square", "red square too"}),
        ("blue", {"blue square"}),
        ("circle", {"red circle"}),
        ("squares", {"red square", "red square too", "blue square"}),
        ("red", {"red square", "red square too", "red circle"}),
        ("green", set()),
        ("star", set()),
        ("dog", set()),
        ("traffic light", set()),
    ],
)
def test_words(session: Sam3Session, text: str, expected: set[str]) -> None:
    assert found(session, text) == expected


def test_a_box_finds_everything_like_it(session: Sam3Session) -> None:
    assert found(session, None, [Box(20, 30, 81, 91)]) == {"red square", "red square too"}


def test_a_negative_box_leaves_out_what_is_like_it(session: Sam3Session) -> None:
    assert found(session, "square", [Box(190, 25, 251, 86, positive=False)]) == {"red square", "red square too"}


def test_the_coins_in_a_photograph(session: Sam3Session, coins: Path) -> None:
    truth = json.loads((DATA / "miniature" / "coins_truth.json").read_text(encoding="utf-8"))
    true_masks = np.array([rle_to_mask(rle) for rle in truth["coins"]])
    result = session.predict(coins, "coin")
    best = mask_iou_matrix(result.masks, true_masks)
    right = int((best.max(axis=0) >= 0.5).sum())
    assert right >= 23
    assert len(result) - right <= 1


def test_what_is_cached_of_a_picture_is_its_three_levels_in_half_precision(session: Sam3Session, coins: Path) -> None:
    embedding = session.encode(coins)
    assert embedding.nbytes == 2 * 64 * (64 * 64 + 32 * 32 + 16 * 16)


def test_half_precision_moves_scores_by_less_than_a_thousandth(coins: Path) -> None:
    answers = []
    for precision in ("exact", "float16"):
        with Sam3Session.from_pretrained("miniature", feature_precision=precision) as opened:
            answers.append(opened.predict(coins, "coin", conf_threshold=0.01, nms=False))
    assert len(answers[0]) == len(answers[1])
    np.testing.assert_allclose(answers[0].scores, answers[1].scores, atol=1e-3)


def test_the_text_encoder_is_loaded_when_the_first_word_needs_it(coins: Path) -> None:
    with Sam3Session.from_pretrained("miniature") as opened:
        models = opened.graphs
        opened.encode(coins)
        before = models["text_encoder"].loaded
        opened.predict(coins, "coin")
        assert (before, models["text_encoder"].loaded) == (False, True)
        runs = {role: model.runs for role, model in models.items()}
        opened.predict(coins, "coin")
        assert {role: model.runs - runs[role] for role, model in models.items()} == {
            "image_encoder": 0,
            "text_encoder": 0,
            "geometry_encoder": 1,
            "fusion": 1,
            "decoder": 1,
        }


def test_graphs_are_loaded_and_unloaded_on_demand(coins: Path) -> None:
    with Sam3Session.from_pretrained("miniature") as opened:
        models = opened.graphs

        def loaded() -> set[str]:
            return {role for role, model in models.items() if model.loaded}

        decoder = {"geometry_encoder", "fusion", "decoder"}
        assert loaded() == {"image_encoder"} | decoder
        opened.load("text_encoder")
        assert loaded() == set(models)
        before = opened.predict(coins, "coin")
        opened.unload("text_encoder", "image_encoder")
        assert loaded() == decoder
        assert opened.predict(coins, "coin") == before, "both are in the cache"
        assert loaded() == decoder
        opened.predict(coins, "ring")
        assert loaded() == {"text_encoder"} | decoder
        opened.unload()
        assert loaded() == set()
        opened.load()
        assert loaded() == set(models)
        with pytest.raises(OptionError, match=r"role must be one of image_encoder, text_encoder, .*, got 'words'"):
            opened.unload("words")
    with pytest.raises(SessionClosedError):
        opened.load()
