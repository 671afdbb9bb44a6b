"""Does encoding ahead stay out of the way of what is asked for now?"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import CancelledError, PictureDecodeError
from sam3_onnx.testing import FakeFamily
from tests.support.places import NATIVE
from tests.support.prefetching import ANSWERS, LONG, HeldFamily, asked, ended, grey, session_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Arrays


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    ended()  # those of tests of other files, which end soon after their lists
    yield
    ended()


def test_a_call_has_right_of_way_and_then_the_background_goes_on_where_it_was() -> None:
    family = HeldFamily(2)
    with session_of(family) as session:
        ahead = session.prefetch([grey(1), grey(2), grey(3)])
        assert family.reaches("begins", 2)
        assert session.predict(grey(9), "coin").labels == ["coin"]
        assert family.reaches("begins", 2, times=2)
        family.gates[2].set()
        assert ahead.wait(LONG)
        assert ahead.encoded == (0, 1, 2)
        order = [1, 2, 9, 2, 3]
        assert family.log == [(what, value) for value in order for what in ("begins", "ends")]


def test_a_call_that_waits_for_a_background_run_to_stop_can_be_cancelled() -> None:
    begun, go, cancel = threading.Event(), threading.Event(), threading.Event()

    def deaf() -> None:
        begun.set()
        assert go.wait(LONG)

    with session_of(FakeFamily(ANSWERS, on_encode=deaf)) as session:
        ahead = session.prefetch([grey(1)])
        assert begun.wait(LONG)
        cancel.set()
        with pytest.raises(CancelledError):
            session.predict(grey(9), "coin", cancel=cancel)
        go.set()
        assert ahead.wait(LONG)
        assert ahead.encoded == (0,)


def test_a_call_for_the_picture_in_hand_waits_for_it_and_shares_it() -> None:
    family = HeldFamily(1)
    with ThreadPoolExecutor(1) as pool, session_of(family) as session:
        ahead = session.prefetch([grey(1)])
        assert family.reaches("begins", 1)
        answer = pool.submit(session.predict, grey(1), "coin")
        until(asked(session, 1))
        family.gates[1].set()
        assert answer.result(LONG).labels == ["coin"]
        assert ahead.wait(LONG)
        assert family.begun() == {1: 1}


def test_a_call_for_a_picture_in_the_cache_leaves_the_background_alone() -> None:
    family = HeldFamily(2)
    with session_of(family) as session:
        embedding = session.encode(grey(1))
        ahead = session.prefetch([grey(2)])
        assert family.reaches("begins", 2)
        assert session.predict(grey(1), "coin") == session.predict(embedding, "coin")
        family.gates[2].set()
        assert ahead.wait(LONG)
        assert family.begun() == {1: 1, 2: 1}


def test_a_call_that_waits_for_the_background_can_be_cancelled_and_the_background_goes_on() -> None:
    family = HeldFamily(1)
    cancel = threading.Event()
    with ThreadPoolExecutor(1) as pool, session_of(family) as session:
        ahead = session.prefetch([grey(1)])
        assert family.reaches("begins", 1)
        answer = pool.submit(session.predict, grey(1), "coin", cancel=cancel)
        until(asked(session, 1))
        cancel.set()
        with pytest.raises(CancelledError, match="the wait for another thread that computes the same"):
            answer.result(LONG)
        family.gates[1].set()
        assert ahead.wait(LONG)
        assert (ahead.encoded, family.begun()) == ((0,), {1: 1})


def test_what_a_call_waits_for_is_finished_whatever_else_is_asked() -> None:
    family = HeldFamily(1)
    with ThreadPoolExecutor(1) as pool, session_of(family) as session:
        older = session.prefetch([grey(1), grey(2)])
        assert family.reaches("begins", 1)
        answer = pool.submit(session.predict, grey(1), "coin")
        until(asked(session, 1))
        assert session.predict(grey(9), "coin").labels == ["coin"]
        newer = session.prefetch([grey(3)])
        newer.cancel()
        family.gates[1].set()
        assert answer.result(LONG).labels == ["coin"]
        assert older.wait(LONG)
        assert (older.encoded, newer.encoded) == ((0,), ())
        assert family.begun() == {1: 1, 9: 1}


def test_where_the_background_fails_a_waiting_call_encodes_for_itself() -> None:
    family = HeldFamily(1)
    family.failures[1] = PictureDecodeError("of dust", reason="only once")
    with ThreadPoolExecutor(1) as pool, session_of(family) as session:
        ahead = session.prefetch([grey(1), grey(2)])
        assert family.reaches("begins", 1)
        answer = pool.submit(session.predict, grey(1), "coin")
        until(asked(session, 1))
        family.gates[1].set()
        assert answer.result(LONG).labels == ["coin"]
        assert ahead.wait(LONG)
        assert isinstance(ahead.failures[0], PictureDecodeError)
        assert (ahead.encoded, family.begun()[1]) == ((1,), 2)


def test_however_calls_and_lists_cross_no_call_is_called_off_and_every_answer_is_right() -> None:
    class Quick(FakeFamily):
        def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
            if cancel is not None and cancel.wait(0.001):
                raise CancelledError("the image encoder")
            return super().encode_image(pixels, cancel=cancel)

    with ThreadPoolExecutor(4) as pool, session_of(Quick(ANSWERS), entries=5) as session:

        def ask(seed: int) -> None:
            order = np.random.default_rng(seed)
            for _ in range(60):
                value = int(order.integers(1, 20))
                if seed == 0:
                    session.prefetch([grey(value), grey(value % 20 + 1), grey((value + 1) % 20 + 1)])
                found = session.encode(grey(value), cancel=threading.Event())
                assert float(found.arrays()["features"].mean()) == value

        for asking in [pool.submit(ask, seed) for seed in range(4)]:
            asking.result(LONG)
        assert session.cache.info().bytes <= session.cache.info().budget


def test_real_runs_give_way_and_are_made_up_for() -> None:
    pictures = np.random.default_rng(3).integers(0, 256, (30, 40, 60, 3), dtype=np.uint8)
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as session:
        ahead = session.prefetch(list(pictures[:20]))
        for picture in pictures[20:]:
            session.encode(picture)
        assert ahead.wait(LONG)
        assert ahead.encoded == tuple(range(20))
        assert session.cache.info().entries == 30
