"""Are many pictures answered as each by itself, while the caller is busy with another?"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session, load_image
from sam3_onnx.errors import (
    BoxError,
    CancelledError,
    EmptyPromptError,
    OptionError,
    PictureDecodeError,
    PictureMissingError,
    SessionClosedError,
)
from sam3_onnx.testing import FakeFamily, FakeInstance, fake_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.images import Picture
    from sam3_onnx.models.families.protocol import Arrays

ANSWERS = {"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]}
WAIT = 60.0  # seconds, for what comes at once unless something is broken


def grey(level: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return np.full((40, 60, 3), level, np.uint8)


def test_each_picture_comes_with_the_answer_that_predict_gives(coins: Path) -> None:
    session = Sam3Session.from_pretrained("miniature", provider="cpu", cache_bytes=0)
    photograph = load_image(coins)
    pictures: list[Picture] = [coins, photograph[:200], photograph[:, :180]]
    found = list(session.annotate(pictures, "coin, circle", conf_threshold=0.4))
    assert [picture is given for (picture, _), given in zip(found, pictures, strict=True)] == [True] * 3
    for picture, result in found:
        assert result == session.predict(picture, "coin, circle", conf_threshold=0.4)
    assert sum(len(result) for _, result in found) > 20


def test_pictures_are_taken_up_while_the_caller_holds_a_result() -> None:
    encoded = threading.Semaphore(0)
    family = FakeFamily(ANSWERS, on_encode=encoded.release)
    session = Sam3Session(family, model="fake")
    taken: list[int] = []

    def pictures() -> Iterator[np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]]:
        for level in range(10):
            taken.append(level)
            yield grey(level)

    answers = session.annotate(pictures(), "coin")
    assert taken == []
    next(answers)
    assert all(encoded.acquire(timeout=WAIT) for _ in range(2)), "the second is encoded without being asked for"
    assert len(taken) == 3, "no more are taken up than one with the model and one being read"
    assert len(list(answers)) == 9


def test_a_picture_that_cannot_be_used_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    broken, missing = tmp_path / "broken.png", tmp_path / "missing.png"
    broken.write_bytes(b"no picture")
    told: list[tuple[object, Exception]] = []
    pictures: list[Picture] = [grey(1), broken, missing, grey(2)]
    answers = fake_session(ANSWERS).annotate(pictures, "coin", on_error=lambda *fault: told.append(fault))
    assert [picture is pictures[index] for (picture, _), index in zip(answers, (0, 3), strict=True)] == [True, True]
    assert [picture for picture, _ in told] == [broken, missing]
    assert [type(error) for _, error in told] == [PictureDecodeError, PictureMissingError]


def test_a_box_outside_one_of_the_pictures_is_a_fault_of_that_one() -> None:
    told: list[Exception] = []
    pictures = [np.zeros((80, 80, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)]
    answers = fake_session({"visual": []}).annotate(
        pictures, boxes=[(20, 20, 60, 60)], on_error=lambda _, error: told.append(error)
    )
    assert len(list(answers)) == 1
    assert [type(error) for error in told] == [BoxError]


def test_without_a_listener_the_error_of_a_picture_ends_the_iteration() -> None:
    pictures: list[Picture] = [grey(1), b"no picture", grey(2)]
    answers = fake_session(ANSWERS).annotate(pictures, "coin")
    next(answers)
    with pytest.raises(PictureDecodeError):
        next(answers)
    with pytest.raises(StopIteration):
        next(answers)


def test_a_question_that_cannot_be_asked_is_refused_before_a_picture_is_taken() -> None:
    session = fake_session(ANSWERS)
    pictures = iter([grey(1)])
    with pytest.raises(EmptyPromptError):
        session.annotate(pictures)
    with pytest.raises(OptionError, match="conf_threshold"):
        session.annotate(pictures, "coin", conf=0.3)  # type: ignore[call-arg]
    with pytest.raises(OptionError, match=r"For one picture, pass \[picture\]"):
        session.annotate("coins.png", "coin")
    with pytest.raises(OptionError, match="on_error"):
        session.annotate(pictures, "coin", on_error="skip")  # type: ignore[arg-type]
    assert len(list(pictures)) == 1


def test_closing_the_iterator_ends_its_threads() -> None:
    others = threading.enumerate()
    answers = fake_session(ANSWERS).annotate([grey(level) for level in range(9)], "coin")
    next(answers)
    started = set(threading.enumerate()).difference(others)
    assert any(thread.name.startswith("sam3-") for thread in started)
    answers.close()
    assert not any(thread.is_alive() for thread in started)


def test_closing_the_iterator_stops_what_is_with_the_model() -> None:
    stopped: list[bool] = []
    entered = threading.Event()

    class Patient(FakeFamily):
        """Works on every picture but the first until it is stopped."""

        def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
            if self.calls["encode_image"]:
                assert cancel is not None
                entered.set()
                stopped.append(cancel.wait(WAIT))
            return super().encode_image(pixels, cancel=cancel)

    answers = Sam3Session(Patient(ANSWERS), model="fake").annotate([grey(level) for level in range(9)], "coin")
    next(answers)
    assert entered.wait(WAIT)
    answers.close()
    assert stopped
    assert all(stopped), "the next one may have begun as well, and is stopped likewise"


def test_cancelling_ends_the_iteration_though_a_picture_is_with_the_model() -> None:
    entered, go_on, cancel = threading.Event(), threading.Event(), threading.Event()

    def encode() -> None:
        entered.set()
        assert go_on.wait(WAIT)

    session = Sam3Session(FakeFamily(ANSWERS, on_encode=encode), model="fake")

    def interrupt() -> None:
        assert entered.wait(WAIT)
        cancel.set()
        go_on.set()

    threading.Thread(target=interrupt).start()
    with pytest.raises(CancelledError):
        list(session.annotate([grey(level) for level in range(5)], "coin", cancel=cancel))


def test_the_event_of_the_caller_is_left_alone() -> None:
    cancel = threading.Event()
    assert len(list(fake_session(ANSWERS).annotate([grey(1), grey(2)], "coin", cancel=cancel))) == 2
    assert not cancel.is_set()


def test_a_session_that_is_closed_meanwhile_says_so() -> None:
    session = fake_session(ANSWERS)
    answers = session.annotate([grey(level) for level in range(9)], "coin", on_error=lambda *_: None)
    next(answers)
    session.close()
    with pytest.raises(SessionClosedError):
        list(answers)


def test_boxes_that_can_be_gone_through_once_count_for_every_picture() -> None:
    session = fake_session({"visual": [FakeInstance((0.1, 0.1, 0.4, 0.5))]})
    found = list(session.annotate([grey(1), grey(2), grey(3)], boxes=iter([(2, 2, 30, 30)]), label="thing"))
    assert [result.labels for _, result in found] == [["thing"]] * 3
