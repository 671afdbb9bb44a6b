"""Are clicks read as people mean them, or refused with the reason?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import BoxError, EmptyPromptError, PointError
from sam3_onnx.prompts.clicks import parse_clicks
from sam3_onnx.testing import FakeTracker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sam3_onnx.prompts import ObjectPrompt

SIZE = (100, 200)
IMAGE = np.zeros((*SIZE, 3), np.uint8)


@pytest.fixture
def tracker() -> FakeTracker:
    return FakeTracker()


@pytest.fixture
def session(tracker: FakeTracker) -> Sam3Session:
    return Sam3Session(None, tracker=tracker, model="fake")


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ({}, "no point and no box"),
        ({"points": []}, "no point and no box"),
        ({"points": [(3, 4)], "point_labels": [0]}, r"only negative points \(1\)"),
    ],
)
def test_nothing_that_shows_the_object_is_refused(
    session: Sam3Session, tracker: FakeTracker, asked: dict[str, Any], got: str
) -> None:
    with pytest.raises(EmptyPromptError, match=f"at least one positive point or a box, got {got}"):
        session.predict_object(IMAGE, **asked)
    assert not tracker.calls, "refused before the picture is encoded"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"points": [(3,)]}, "it is not two finite numbers"),
        ({"points": [(3, 4, 5)]}, "it is not two finite numbers"),
        ({"points": [(3, float("nan"))]}, "it is not two finite numbers"),
        ({"points": ["34"]}, "it is not two finite numbers"),
        ({"points": (3, 4)}, r"it is not in a list. Expected a list of clicks: \[\(3, 4\)\]"),
        ({"points": 3}, "The value of points 3 cannot be used: it is not a list"),
        ({"points": [(3, 10**400)]}, "it is not two finite numbers"),
        ({"points": [(3, True)]}, "it is not two finite numbers"),
        ({"points": np.array(3)}, "it is not a list"),
        ({"points": {3: 4}}, "it is not a list"),
        ({"points": [(200, 4)]}, "it is outside the picture"),
        ({"points": [(3, 100)]}, "it is outside the picture"),
        ({"points": [(-1, 4)]}, "it is outside the picture"),
        ({"points": [(3, 4)], "point_labels": [1, 0]}, r"The list of clicks \(1 points and 2 labels\) cannot be used"),
        ({"points": [(3, 4)], "point_labels": []}, "every click needs a label"),
        ({"points": [(3, 4)], "point_labels": [2]}, "The label 2 cannot be used: it is not a label of a click"),
        ({"points": [(3, 4)], "point_labels": [1.0]}, "it is not a label of a click"),
        ({"points": [(3, 4)], "point_labels": ["1"]}, "it is not a label of a click"),
        ({"points": [(3, 4)], "point_labels": 1}, "The value of point_labels 1 cannot be used"),
    ],
)
def test_a_click_that_cannot_be_is_refused(
    session: Sam3Session, tracker: FakeTracker, asked: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PointError, match=reason):
        session.predict_object(IMAGE, **asked)
    assert not tracker.calls


def test_a_box_that_is_not_one_positive_box_is_refused(session: Sam3Session) -> None:
    with pytest.raises(BoxError, match=r"^The box Box\(.*it is a negative box. Expected a positive box"):
        session.predict_object(IMAGE, box=Box(1, 1, 9, 9, positive=False))
    with pytest.raises(BoxError, match=r"Expected one Box\(x1, y1, x2, y2\) or \(x1, y1, x2, y2\) inside"):
        session.predict_object(IMAGE, box=[(1, 1, 9, 9)])  # type: ignore[list-item]


def test_a_box_outside_the_picture_is_refused(session: Sam3Session) -> None:
    with pytest.raises(BoxError, match="it is outside the picture"):
        session.predict_object(IMAGE, box=(300, 1, 400, 9))


COORDINATES = st.tuples(st.floats(0, 199.99), st.floats(0, 99.99))


@given(
    st.lists(st.tuples(COORDINATES, st.integers(0, 1)), max_size=6),
    st.lists(st.tuples(COORDINATES, st.integers(0, 1)), max_size=6),
)
@settings(deadline=None, max_examples=50)
def test_clicks_in_two_steps_are_the_clicks_at_once(
    first: list[tuple[tuple[float, float], int]], then: list[tuple[tuple[float, float], int]]
) -> None:
    def parsed(clicks: list[tuple[tuple[float, float], int]]) -> ObjectPrompt:
        return parse_clicks([point for point, _ in clicks], [label for _, label in clicks], None, SIZE)

    assert parsed(first).refined(parsed(then)) == parsed(first + then)
    shares: NDArray[np.float32] = parsed(first + then).points_in(SIZE)
    assert shares.shape == (len(first) + len(then), 2)
    assert ((shares >= 0) & (shares <= 1)).all()
