"""Does a native bundle answer as the PyTorch model that it was made from?

The bundle and its golden answers lie in `tests/data/native`; `tests/support/make_native.py` made them.
"""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import ModelFileDamagedError
from sam3_onnx.geometry import mask_iou
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.families.protocol import Query
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.native_answers import CASES, EVERY_CASE, SIZE, Golden, everything, queries, words
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sam3_onnx import Segmentation
    from sam3_onnx.models.families.protocol import Detections, Family

QUERIES = 12
PICTURES = ("same", "other")
EVERY_PICTURE = pytest.mark.parametrize("picture", PICTURES)


@pytest.fixture(scope="module")
def family() -> Family:
    found: Family = exports_in_folder(NATIVE).open(RuntimeSettings("cpu", threads=1))["concepts"]
    return found


@pytest.fixture(scope="module")
def session() -> Iterator[Sam3Session]:
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1, feature_precision="exact") as opened:
        yield opened


def assert_same(found: list[Detections], expected: list[Detections]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
        np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-2)
        for mine, other in zip(ours.masks, theirs.masks, strict=True):
            assert mask_iou(mine.window.full(mine.size), other.window.full(other.size)) > 0.999


@EVERY_PICTURE
@EVERY_CASE
def test_the_family_agrees_with_pytorch_query_by_query(family: Family, picture: str, case: str) -> None:
    golden = Golden(picture, case)
    found = everything(family, golden, queries(family, golden))
    assert len(found) == len(golden.words)
    for row, detections in enumerate(found):
        np.testing.assert_allclose(detections.scores, golden.scores[row], atol=1e-4)
        np.testing.assert_allclose(detections.boxes, golden.boxes[row], atol=1.0)
        for rank, expected in enumerate(golden.masks[row]):
            source = detections.masks[golden.order[row, rank]]
            assert expected.any()
            assert mask_iou(source.window.full(source.size), expected) >= 0.99


def predicted(session: Sam3Session, golden: Golden) -> Segmentation:
    """What a user asks: no word where the bundle's own word for boxes only is meant."""
    text = None if golden.words == ["visual"] else golden.words
    return session.predict(golden.image, text, boxes=golden.shown)


@EVERY_PICTURE
@EVERY_CASE
def test_a_session_agrees_with_pytorch(session: Sam3Session, picture: str, case: str) -> None:
    golden = Golden(picture, case)
    result = predicted(session, golden)
    height, width = golden.size
    for row, word in enumerate(golden.words):
        found = result.filter(where=lambda instance, word=word: instance.prompt == word)  # type: ignore[misc]
        order = golden.order[row]
        order = order[golden.scores[row, order] > 0.5]
        assert len(found) == len(order)
        np.testing.assert_allclose(found.scores, golden.scores[row, order], atol=1e-4)
        clipped = np.clip(golden.boxes[row, order], 0, [width, height, width, height])
        np.testing.assert_allclose(found.boxes, clipped, atol=1.0)
        for instance, expected in zip(found, golden.masks[row], strict=False):
            assert mask_iou(instance.mask, expected) >= 0.99
    assert set(result.labels) <= ({"object"} if golden.words == ["visual"] else set(golden.words))


def test_the_golden_answers_can_tell_right_from_wrong() -> None:
    """Answers must differ between questions and pictures by far more than the tolerances."""
    goldens = [Golden(picture, case) for picture in PICTURES for case in CASES]
    first = [golden.scores[0] for golden in goldens]
    for index, scores in enumerate(first):
        for other in first[:index]:
            assert np.abs(scores - other).max() > 0.01
    for golden in goldens:
        shares = golden.masks.mean((2, 3))
        assert shares.min() > 0.05
        assert shares.max() < 0.95
        assert np.abs(golden.scores - 0.5).min() > 1e-3
        assert (golden.scores > 0.5).any()


@EVERY_PICTURE
@pytest.mark.parametrize("case", ["words", "words_and_boxes"])
def test_prompts_together_answer_as_one_by_one(family: Family, picture: str, case: str) -> None:
    golden = Golden(picture, case)
    asked = queries(family, golden)
    together = everything(family, golden, asked)
    assert_same(together, [found for query in asked for found in everything(family, golden, [query])])


def test_words_encoded_together_are_as_encoded_one_by_one(family: Family) -> None:
    prompts = ["coin", "a red ring of dogs", "dog"]
    for together, prompt in zip(words(family, prompts), prompts, strict=True):
        (alone,) = words(family, [prompt])
        np.testing.assert_array_equal(together["text_mask"], alone["text_mask"])
        ours, theirs = (np.asarray(text["text_features"], np.float32) for text in (together, alone))
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_prompts_with_different_numbers_of_boxes_go_together(family: Family) -> None:
    """Shorter rows are filled with empty slots, which must not matter."""
    golden = Golden("other", "boxes_of_both_signs")
    (full,) = queries(family, golden)
    asked = [Query(full.text, full.boxes[:count], full.labels[:count]) for count in (3, 0, 1, 2)]
    together = everything(family, golden, asked)
    assert_same(together, [found for query in asked for found in everything(family, golden, [query])])
    assert np.abs(together[0].scores - together[1].scores).max() > 0.05


@EVERY_PICTURE
def test_the_order_of_boxes_does_not_matter(family: Family, picture: str) -> None:
    golden = Golden(picture, "boxes_of_both_signs")
    (query,) = queries(family, golden)
    turned = Query(query.text, query.boxes[::-1], query.labels[::-1])
    assert_same(everything(family, golden, [turned]), everything(family, golden, [query]))


@pytest.mark.parametrize("filling", [0.0, 0.5, 1.0])
def test_empty_slots_do_not_matter_whatever_is_in_them(family: Family, filling: float) -> None:
    golden = Golden("same", "text_and_boxes")
    (query,) = queries(family, golden)
    boxes = np.concatenate([np.full((2, 4), filling, np.float32), query.boxes])
    padded = Query(query.text, boxes, np.concatenate([[-10, -10], query.labels]))
    assert_same(everything(family, golden, [padded]), everything(family, golden, [query]))


def test_the_sign_of_a_box_matters(session: Sam3Session) -> None:
    golden = Golden("same", "text_and_boxes")
    flipped = [Box(box.x1, box.y1, box.x2, box.y2, positive=not box.positive) for box in golden.shown]
    other = session.predict(golden.image, golden.words, boxes=flipped, conf_threshold=0)
    assert np.abs(np.sort(other.scores) - np.sort(golden.scores[0])).max() > 0.02


def test_half_precision_features_move_scores_by_less_than_a_thousandth() -> None:
    golden = Golden("other", "words_and_boxes")
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as halved:
        found = halved.predict(golden.image, golden.words, boxes=golden.shown, conf_threshold=0)
        held = halved.cache.info().bytes
    expected = -np.sort(-golden.scores, axis=1)
    np.testing.assert_allclose(found.scores.reshape(expected.shape), expected, atol=1e-3)
    assert held == 2 * 32 * 8 * 12 * (16 + 4 + 1)


def test_what_a_bundle_says_of_itself(session: Sam3Session) -> None:
    assert session.capabilities.family == "native"
    assert session.capabilities.input_size == SIZE
    assert session.capabilities.max_boxes is None
    assert session.capabilities.lowest_threshold == 0.0
    assert repr(session) == "<Sam3Session native, input 168 x 112>"


def test_the_picture_is_encoded_and_a_word_read_once(family: Family) -> None:
    runs = {role: model.runs for role, model in family.models.items()}
    opened = Sam3Session(family, model="counted")
    image = Golden("same", "text").image
    for _ in range(2):
        opened.predict(image, "coin, dog")
    opened.predict(image, "dog", boxes=[Box(5, 5, 60, 60)])
    assert {role: model.runs - runs[role] for role, model in family.models.items()} == {
        "image_encoder": 1,
        "text_encoder": 2,
        "decoder": 3,
    }


def test_many_prompts_are_decoded_a_few_at_a_time(family: Family) -> None:
    golden = Golden("same", "words")
    before = family.models["decoder"].runs
    everything(family, golden, queries(family, golden))
    assert family.models["decoder"].runs - before == 2


def test_threads_that_share_a_session_get_the_answers_of_one() -> None:
    goldens = [Golden(picture, case) for picture in PICTURES for case in ("text", "text_and_boxes")]
    with Sam3Session.from_folder(NATIVE, threads=1) as shared:
        alone = [predicted(shared, golden) for golden in goldens]
        shared.cache.clear()
        answers: dict[int, Segmentation] = {}

        def ask(index: int) -> None:
            answers[index] = predicted(shared, goldens[index % len(goldens)])

        threads = [threading.Thread(target=ask, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for index, answer in answers.items():
        assert answer == alone[index % len(alone)]
    assert len(answers) == 8


def test_a_bundle_cut_off_behind_its_graph_is_noticed(tmp_path: Path) -> None:
    """The manifest comes last: without its last entry the file was not read to its end."""
    for path in NATIVE.glob("*.onnx"):
        shutil.copy(path, tmp_path)
    decoder = tmp_path / "decoder.onnx"
    content = decoder.read_bytes()
    role = content.rindex(b"sam3_onnx.role")
    decoder.write_bytes(content[: content.rindex(b"\x72", 0, role)])
    with pytest.raises(ModelFileDamagedError, match="expected a whole manifest with the role decoder, got one with"):
        Sam3Session.from_folder(tmp_path)


def test_a_contract_of_a_later_release_is_refused(tmp_path: Path) -> None:
    for path in NATIVE.glob("*.onnx"):
        content = path.read_bytes()
        entry = b"sam3_onnx.contract\x12\x011"
        assert content.count(entry) == 1
        (tmp_path / path.name).write_bytes(content.replace(entry, entry[:-1] + b"3"))
    with pytest.raises(
        ModelFileDamagedError, match="expected contract version 1 or 2, got version 3 of a newer release"
    ):
        Sam3Session.from_folder(tmp_path)
