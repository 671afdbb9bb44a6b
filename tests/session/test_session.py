"""What a session does around its graphs, shown on a fake model."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Box, Capabilities, Sam3Session
from sam3_onnx.errors import (
    CancelledError,
    EmbeddingError,
    EmptyPromptError,
    OptionError,
    PromptTooLongError,
    SessionClosedError,
    SessionPickleError,
    UnsupportedPromptError,
)
from sam3_onnx.models.families.protocol import Defaults
from sam3_onnx.testing import FakeFamily, FakeInstance, fake_session

if TYPE_CHECKING:
    from numpy.typing import NDArray

COIN = FakeInstance((0.1, 0.2, 0.3, 0.6), score=0.8)
COIN_TOO = FakeInstance((0.5, 0.5, 0.9, 0.9), score=0.95)
DOG = FakeInstance((0.0, 0.0, 0.2, 0.2), score=0.6)
ANSWERS = {"coin": [COIN, COIN_TOO], "dog": [DOG], "visual": [COIN]}


def picture(value: int = 100) -> NDArray[np.uint8]:
    return np.full((80, 160, 3), value, np.uint8)


def session_of(family: FakeFamily, cache_bytes: int = 1 << 20) -> Sam3Session:
    return Sam3Session(family, model="fake", cache_bytes=cache_bytes)


def test_instances_come_by_prompt_and_within_it_by_falling_score() -> None:
    result = fake_session(ANSWERS).predict(picture(), "dog, coin")
    assert result.labels == ["dog", "coin", "coin"]
    np.testing.assert_allclose(result.scores, [0.6, 0.95, 0.8])
    np.testing.assert_allclose(result.boxes[2], [16, 16, 48, 48], atol=1e-4)


def test_a_second_question_about_a_picture_does_not_run_the_image_encoder() -> None:
    family = FakeFamily(ANSWERS)
    session = session_of(family)
    session.predict(picture(), "coin")
    session.predict(picture(), "dog")
    assert family.calls["encode_image"] == 1
    assert family.calls["encode_text"] == 2
    session.predict(picture(1), "coin, dog")
    assert family.calls["encode_image"] == 2


def test_a_known_word_does_not_run_the_text_encoder() -> None:
    family = FakeFamily(ANSWERS)
    session = session_of(family)
    session.predict(picture(), "coin")
    session.predict(picture(7), "coin")
    session.predict(picture(7), ["COIN "])
    assert family.calls["encode_text"] == 1
    assert session.cache.info("texts").hits == 2


def test_the_cache_knows_a_picture_by_its_content_not_by_its_file(tmp_path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    import cv2  # noqa: PLC0415

    family = FakeFamily(ANSWERS)
    session = session_of(family)
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), picture(1))
    session.predict(path, "coin")
    cv2.imwrite(str(tmp_path / "b.png"), picture(1))
    session.predict(tmp_path / "b.png", "coin")
    assert family.calls["encode_image"] == 1
    cv2.imwrite(str(path), picture(2))
    session.predict(path, "coin")
    assert family.calls["encode_image"] == 2


def test_eight_threads_and_one_picture_make_one_encode() -> None:
    everyone = threading.Barrier(8)

    def linger() -> None:
        threading.Event().wait(0.2)

    family = FakeFamily(ANSWERS, on_encode=linger)
    session = session_of(family)

    def ask(_: int) -> int:
        everyone.wait()
        return len(session.predict(picture(), "coin"))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [2] * 8
    assert family.calls["encode_image"] == 1
    assert session.cache.info().misses == 1
    assert session.cache.info().hits == 7


def test_five_hundred_pictures_never_exceed_a_small_budget() -> None:
    family = FakeFamily(ANSWERS, feature_bytes=4000)
    session = session_of(family, cache_bytes=9000)
    for index in range(500):
        session.encode(np.full((4, 4, 3), index % 256, np.uint8) + np.uint8(index // 256))
        info = session.cache.info()
        assert info.bytes <= info.budget == 9000
    assert session.cache.info().entries == 4


def test_a_failed_encode_leaves_nothing_and_the_next_try_works() -> None:
    fail = [True]

    def sometimes() -> None:
        if fail:
            fail.pop()
            raise CancelledError("the image encoder")

    family = FakeFamily(ANSWERS, on_encode=sometimes)
    session = session_of(family)
    with pytest.raises(CancelledError):
        session.predict(picture(), "coin")
    assert session.cache.info().entries == 0
    assert len(session.predict(picture(), "coin")) == 2


def test_an_embedding_takes_the_place_of_its_picture() -> None:
    family = FakeFamily(ANSWERS)
    session = session_of(family)
    embedding = session.encode(picture())
    assert embedding.size == (80, 160)
    assert session.predict(embedding, "coin") == session.predict(picture(), "coin")
    assert family.calls["encode_image"] == 1
    other = Sam3Session(FakeFamily(ANSWERS), model="another")
    with pytest.raises(EmbeddingError, match="expected model another, got fake"):
        other.predict(embedding, "coin")


def test_boxes_alone_are_asked_as_visual_and_named_object() -> None:
    session = fake_session(ANSWERS)
    assert session.predict(picture(), boxes=[Box(1, 1, 20, 20)]).labels == ["object"]
    assert session.predict(picture(), boxes=[(1, 1, 20, 20)], label="thing").labels == ["thing"]
    with pytest.raises(OptionError, match=r'Words are labelled with \{"prompt": "label"\}'):
        session.predict(picture(), "coin", label="thing")


def test_boxes_go_with_every_word_in_shares_of_the_picture() -> None:
    family = FakeFamily(ANSWERS)
    session_of(family).predict(picture(), "coin, dog", boxes=[Box(16, 8, 48, 40), Box(0, 0, 80, 80, positive=False)])
    assert len(family.queries) == 2
    for query in family.queries:
        np.testing.assert_allclose(query.boxes, [[0.2, 0.3, 0.2, 0.4], [0.25, 0.5, 0.5, 1.0]], atol=1e-6)
        assert query.labels.tolist() == [1, 0]


def test_marks_are_boxes_in_another_form() -> None:
    family = FakeFamily(ANSWERS)
    session = session_of(family)
    marks = [{"type": "rectangle", "data": [16, 8, 48, 40], "label": 1}]
    assert session.predict(picture(), marks=marks) == session.predict(picture(), boxes=[Box(16, 8, 48, 40)])


def test_a_mapping_gives_prompts_their_labels() -> None:
    result = fake_session(ANSWERS).predict(picture(), {"coin": "money"})
    assert result.labels == ["money", "money"]
    assert {instance.prompt for instance in result} == {"coin"}


@pytest.mark.parametrize(
    ("text", "boxes", "message"),
    [
        (None, None, "no word and no box"),
        (None, [Box(1, 1, 5, 5, positive=False)], "1 negative boxes and no word"),
        (" , .", None, "at least one word"),
    ],
)
def test_nothing_asked_is_an_error(text: str | None, boxes: list[Box] | None, message: str) -> None:
    with pytest.raises(EmptyPromptError, match=message):
        fake_session(ANSWERS).predict(picture(), text, boxes=boxes)


def test_a_long_prompt_is_refused_with_its_count_unless_cut() -> None:
    session = fake_session(ANSWERS)
    long = ["coin " * 40]
    with pytest.raises(PromptTooLongError, match="with start and end, got 42"):
        session.predict(picture(), long)
    assert len(session.predict(picture(), long, truncate=True)) == 0


def test_thresholds_are_strict_and_can_be_set_per_call() -> None:
    session = fake_session(ANSWERS, conf_threshold=0.7)
    assert len(session.predict(picture(), "coin, dog")) == 2
    assert len(session.predict(picture(), "coin, dog", conf_threshold=0.0)) == 3
    assert len(session.predict(picture(), "coin", conf_threshold=0.95)) == 0
    for wrong in (-0.1, 1.5, float("nan"), "0.5"):
        with pytest.raises(OptionError, match=r"conf_threshold must be a number in 0\.\.1"):
            session.predict(picture(), "coin", conf_threshold=wrong)  # type: ignore[arg-type]


def test_what_a_family_cannot_do_is_refused_before_the_encoder_runs() -> None:
    limits = Capabilities(family="small", input_size=(8, 8), max_boxes=1, lowest_threshold=0.5)
    family = FakeFamily(ANSWERS, capabilities=limits)
    session = session_of(family)
    with pytest.raises(UnsupportedPromptError, match="small model does not support 2 boxes"):
        session.predict(picture(), boxes=[Box(1, 1, 9, 9), Box(2, 2, 9, 9)])
    no_boxes = FakeFamily(ANSWERS, capabilities=Capabilities(family="wordy", input_size=(8, 8), boxes=False))
    with pytest.raises(UnsupportedPromptError, match="does not support boxes of examples; it supports words"):
        session_of(no_boxes).predict(picture(), "coin", boxes=[Box(1, 1, 9, 9)])
    assert family.calls["encode_image"] == no_boxes.calls["encode_image"] == 0


def test_masks_can_be_cut_to_their_boxes_and_duplicates_suppressed() -> None:
    twice = {"coin": [COIN, FakeInstance((0.1, 0.2, 0.3, 0.58), score=0.7), COIN_TOO]}
    session = fake_session(twice)
    assert len(session.predict(picture(), "coin")) == 3
    assert len(session.predict(picture(), "coin", nms=0.5)) == 2
    family = FakeFamily(twice, defaults=Defaults(nms=0.5, cut_to_box=True))
    assert len(session_of(family).predict(picture(), "coin")) == 2
    assert len(session_of(family).predict(picture(), "coin", nms=False)) == 3
    with pytest.raises(OptionError, match="nms"):
        session.predict(picture(), "coin", nms=2.0)


def test_an_instance_of_which_the_cut_leaves_nothing_is_dropped() -> None:
    speck = FakeInstance((0.501, 0.501, 0.502, 0.502), score=0.9)
    session = fake_session({"coin": [COIN, speck]})
    assert [instance.area > 0 for instance in session.predict(picture(), "coin")] == [False, True]
    assert [instance.area > 0 for instance in session.predict(picture(), "coin", cut_to_box=True)] == [True]


def test_a_closed_session_says_so() -> None:
    with fake_session(ANSWERS) as session:
        embedding = session.encode(picture())
    with pytest.raises(SessionClosedError, match="has been closed"):
        session.predict(picture(), "coin")
    with pytest.raises(SessionClosedError, match="has been closed"):
        session.predict(embedding, "coin")
    assert session.cache.info().entries == 0


def test_a_session_cannot_be_pickled_and_says_how_to_rebuild_it() -> None:
    with pytest.raises(
        SessionPickleError, match=r"in the other process instead: Sam3Session.from_pretrained\('miniature'\)"
    ):
        pickle.dumps(Sam3Session(FakeFamily(ANSWERS), model="x", source="Sam3Session.from_pretrained('miniature')"))


def test_what_a_session_is_rebuilt_from_has_its_options() -> None:
    with Sam3Session.from_pretrained("miniature", provider="cpu", threads=1, conf_threshold=0.4) as session:
        expected = r"Sam3Session\.from_pretrained\('miniature', provider='cpu', threads=1, conf_threshold=0\.4\)$"
        with pytest.raises(SessionPickleError, match=expected):
            pickle.dumps(session)


def test_stages_are_told_as_they_begin_and_timed() -> None:
    stages: list[str] = []
    result = fake_session(ANSWERS).predict(picture(), "coin", progress=stages.append)
    assert stages == ["read", "image", "text", "decode", "select"]
    assert set(result.timings) == set(stages)


def test_a_cached_answer_is_the_same_to_the_bit() -> None:
    session = fake_session(ANSWERS)
    first, second = session.predict(picture(), "coin"), session.predict(picture(), "coin")
    assert first == second
    assert first.timings is not second.timings
