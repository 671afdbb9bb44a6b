"""Thresholds of scores: one for all words, or one for each."""

from __future__ import annotations

import numpy as np
import pytest

from sam3_onnx.errors import OptionError
from sam3_onnx.testing import FakeInstance, fake_session

IMAGE = np.zeros((100, 200, 3), np.uint8)
SCORES = (0.95, 0.7, 0.3)
ANSWERS = {
    word: [FakeInstance((0.1 + 0.3 * place, 0.1, 0.3 + 0.3 * place, 0.6), score) for place, score in enumerate(SCORES)]
    for word in ("coin", "dog")
}


def counts(threshold: object) -> dict[str, int]:
    """How many instances of each label are found."""
    with fake_session(ANSWERS, conf_threshold=0.5) as session:
        result = session.predict(IMAGE, {"coin": "money", "dog": "dog"}, conf_threshold=threshold)  # type: ignore[arg-type]
    return {label: result.labels.count(label) for label in ("money", "dog")}


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.2, (3, 3)),
        ({"coin": 0.2}, (3, 2)),
        ({"money": 0.2}, (3, 2)),
        ({"coin": 0.9, "dog": 0.2}, (1, 3)),
        ({"coin": 0.7, "money": 0.1}, (1, 2)),
        ({}, (2, 2)),
        (None, (2, 2)),
    ],
)
def test_a_word_has_its_own_threshold_and_all_others_the_sessions(threshold: object, expected: tuple[int, int]) -> None:
    assert tuple(counts(threshold).values()) == expected


@pytest.mark.parametrize(
    ("threshold", "says"),
    [
        ({"cion": 0.2}, "conf_threshold must be thresholds of words that are asked for: coin, dog, got 'cion'"),
        ({"coin": 50}, "conf_threshold must be a number in 0..1, got 50"),
        ({"coin": None}, "conf_threshold must be a number in 0..1, got None"),
    ],
)
def test_a_threshold_that_no_word_can_have_is_refused(threshold: object, says: str) -> None:
    with pytest.raises(OptionError) as caught:
        counts(threshold)
    assert says in str(caught.value)
