"""Do clicks and a box become the one object that they mean?"""

from __future__ import annotations

import numpy as np
import pytest

from sam3_onnx import Box, Embedding, Sam3Session
from sam3_onnx.errors import ObjectIterationError, OptionError, SessionClosedError, UnsupportedPromptError
from sam3_onnx.prompts import ObjectPrompt
from sam3_onnx.testing import FakeFamily, FakeInstance, FakeTracker

SIZE = (100, 200)
IMAGE = np.zeros((*SIZE, 3), np.uint8)


@pytest.fixture
def tracker() -> FakeTracker:
    return FakeTracker()


@pytest.fixture
def session(tracker: FakeTracker) -> Sam3Session:
    return Sam3Session(None, tracker=tracker, model="fake")


def test_a_click_gives_candidates_best_first() -> None:
    session = Sam3Session(None, tracker=FakeTracker(scores=(0.2, 0.8, 0.5)), model="fake")
    found = session.predict_object(IMAGE, [(100, 50)], label="lamp")
    assert [candidate.score for candidate in found.candidates] == pytest.approx([0.8, 0.5, 0.2])
    assert [candidate.label for candidate in found.candidates] == ["lamp"] * 3
    assert found.best is found.candidates[0]
    assert len(found.candidates) == 3
    assert found.object_score == 0.95
    assert found.size == SIZE
    areas = [candidate.area for candidate in found.candidates]
    assert areas[0] < areas[2] < areas[1]  # half of the ellipse, the ellipse, twice of it


def test_one_object_is_not_gone_through_as_several(session: Sam3Session) -> None:
    found = session.predict_object(IMAGE, [(100, 50)])
    for misuse in (list, len, lambda one: one[0], lambda one: found.best in one):
        with pytest.raises(ObjectIterationError, match=r"one object \(candidates: 3\).* result\.segmentation\(\)"):
            misuse(found)
    assert found
    assert list(found.segmentation()) == [found.best]


def test_the_mask_is_where_the_click_is(session: Sam3Session) -> None:
    best = session.predict_object(IMAGE, [(150, 25)]).best
    assert best.mask[25, 150]
    assert not best.mask[75, 50]
    rectangle = best.rectangle()
    assert rectangle is not None
    np.testing.assert_array_equal(best.box, rectangle)


def test_points_and_boxes_reach_the_model_as_shares_of_the_picture(session: Sam3Session, tracker: FakeTracker) -> None:
    session.predict_object(
        IMAGE, points=np.array([[50, 25], [100, 75]]), point_labels=[True, False], box=(20, 10, 220, 90)
    )
    (asked,) = tracker.clicks
    np.testing.assert_allclose(asked.points, [[0.25, 0.25], [0.5, 0.75]])
    np.testing.assert_array_equal(asked.labels, [1, 0])
    assert asked.box is not None
    np.testing.assert_allclose(asked.box, [0.1, 0.1, 1.0, 0.9])  # clipped to the picture
    assert [str(array.dtype) for array in (asked.points, asked.labels, asked.box)] == ["float32", "int64", "float32"]


def test_a_box_alone_is_enough_and_leaves_no_points(session: Sam3Session, tracker: FakeTracker) -> None:
    session.predict_object(IMAGE, box=Box(20, 10, 100, 90))
    assert tracker.clicks[0].points.shape == (0, 2)
    assert tracker.clicks[0].labels.shape == (0,)


def test_a_previous_answer_is_refined_without_encoding(session: Sam3Session, tracker: FakeTracker) -> None:
    first = session.predict_object(IMAGE, [(50, 50)], box=Box(0, 0, 100, 100))
    second = session.predict_object(first, [(60, 60)], [0])
    third = session.predict_object(second, box=Box(10, 10, 90, 90))
    assert tracker.calls == {"encode_image": 1, "segment": 3}
    assert second.prompt == ObjectPrompt(((50, 50), (60, 60)), (1, 0), Box(0, 0, 100, 100))
    assert third.prompt == ObjectPrompt(((50, 50), (60, 60)), (1, 0), Box(10, 10, 90, 90))
    assert first.prompt == ObjectPrompt(((50, 50),), (1,), Box(0, 0, 100, 100)), "an answer never changes"
    # a negative click alone says nothing, but it refines what is there
    assert (
        second.candidates
        == session.predict_object(IMAGE, [(50, 50), (60, 60)], [1, 0], box=(0, 0, 100, 100)).candidates
    )
    assert tracker.calls["encode_image"] == 1


def test_the_same_picture_is_encoded_once_for_each_head() -> None:
    family, tracker = FakeFamily({"coin": [FakeInstance((0, 0, 0.5, 0.5))]}), FakeTracker()
    session = Sam3Session(family, tracker=tracker, model="fake")
    for _ in range(2):
        assert len(session.predict(IMAGE, "coin")) == 1
        assert len(session.predict_object(IMAGE, [(5, 5)]).candidates) == 3
    assert family.calls["encode_image"] == tracker.calls["encode_image"] == 1
    assert session.capabilities.points
    assert session.capabilities.text
    assert session.cache.info().entries == 2


def test_an_answer_can_be_drawn_and_written_like_any_other(session: Sam3Session) -> None:
    found = session.predict_object(IMAGE, [(100, 50)], label="lamp")
    segmentation = found.segmentation()
    assert list(segmentation) == [found.best]
    assert segmentation.size == SIZE
    for mode in ("polygon", "rectangle", "rotation"):
        (shape,) = found.shapes(mode)
        assert (shape.label, shape.score) == ("lamp", found.best.score)
    with pytest.raises(OptionError, match="mode must be"):
        found.shapes("circle")  # type: ignore[arg-type]


def test_stages_are_told(session: Sam3Session) -> None:
    stages: list[str] = []
    found = session.predict_object(IMAGE, [(100, 50)], progress=stages.append)
    assert stages == ["read", "image", "decode", "select"] == list(found.timings)
    stages.clear()
    session.predict_object(found, [(100, 60)], progress=stages.append)
    assert stages == ["decode", "select"]


def test_a_model_without_a_tracker_says_what_to_get() -> None:
    session = Sam3Session(FakeFamily({}), model="fake")
    with pytest.raises(
        UnsupportedPromptError, match=r"fake model does not support clicks.*tracker head: put an export of the"
    ):
        session.predict_object(IMAGE, [(3, 4)])


def test_a_session_of_nothing_is_refused() -> None:
    with pytest.raises(OptionError, match="family must be given unless there is a tracker"):
        Sam3Session(None, model="fake")


def test_a_closed_session_refines_nothing(session: Sam3Session) -> None:
    found = session.predict_object(IMAGE, [(100, 50)])
    session.close()
    for picture in (IMAGE, found.embedding, found):
        with pytest.raises(SessionClosedError):
            session.predict_object(picture, [(100, 60)])


def test_an_unknown_purpose_is_refused(session: Sam3Session) -> None:
    with pytest.raises(OptionError, match='purpose must be "concepts", "clicks", "video" or None'):
        session.encode(IMAGE, purpose="points")  # type: ignore[arg-type]
    assert isinstance(session.encode(IMAGE), Embedding)
