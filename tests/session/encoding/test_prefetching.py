"""Are pictures encoded ahead, without getting into the way of what is asked for now?"""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import threading
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Sam3Session
from sam3_onnx.errors import (
    CancelledError,
    OptionError,
    PictureDecodeError,
    PictureMissingError,
    SessionClosedError,
    UnsupportedPromptError,
)
from sam3_onnx.images.origins import picture_key
from sam3_onnx.session.encoding import embedder
from sam3_onnx.testing import FakeFamily, FakeInstance, FakeTracker, fake_session
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Arrays

ANSWERS = {"coin": [FakeInstance((0.1, 0.1, 0.5, 0.5))]}
ENTRY = 512  # bytes of a fake embedding in the cache
LONG = 60.0  # seconds, for what comes at once unless something is broken

OPEN = threading.Event()
OPEN.set()


def grey(value: int) -> NDArray[np.uint8]:
    return np.full((32, 48, 3), value, np.uint8)


class HeldFamily(FakeFamily):
    """Holds up the encoding of some pictures until they are let go or called off. Pictures go by their grey value."""

    def __init__(self, *held: int) -> None:
        super().__init__(ANSWERS)
        self.gates = {value: threading.Event() for value in held}
        self.failures: dict[int, Exception] = {}
        self.log: list[tuple[str, int]] = []
        self.changed = threading.Condition()

    def note(self, what: str, value: int) -> None:
        with self.changed:
            self.log.append((what, value))
            self.changed.notify_all()

    def reaches(self, what: str, value: int, times: int = 1) -> bool:
        """Waits until something has happened to a picture."""
        with self.changed:
            return self.changed.wait_for(lambda: self.log.count((what, value)) >= times, LONG)

    def begun(self) -> Counter[int]:
        with self.changed:
            return Counter(value for what, value in self.log if what == "begins")

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        value = int(pixels[0, 0, 0])
        self.note("begins", value)
        gate = self.gates.get(value, OPEN)
        is_open = False
        while not is_open:
            is_open = gate.wait(0.005)
            if cancel is not None and cancel.is_set():
                self.note("ends", value)
                raise CancelledError("the image encoder")
        if value in self.failures:
            raise self.failures.pop(value)
        self.note("ends", value)
        return super().encode_image(pixels, cancel=cancel)


@contextmanager
def session_of(family: FakeFamily, *, entries: int = 100) -> Iterator[Sam3Session]:
    """A session; when it is closed, nothing is held up any more."""
    try:
        with Sam3Session(family, model="fake", cache_bytes=entries * ENTRY) as session:
            yield session
    finally:
        for gate in family.gates.values() if isinstance(family, HeldFamily) else ():
            gate.set()


def has(session: Sam3Session, value: int) -> bool:
    return ("fake", picture_key(grey(value))) in session.cache.images


def until(condition: Callable[[], bool]) -> None:
    """Waits for what no event tells."""
    pause = threading.Event()
    for _ in range(int(LONG / 0.002)):
        if condition():
            return
        pause.wait(0.002)
    raise AssertionError("it never came to that")


def asked(session: Sam3Session, value: int) -> Callable[[], bool]:
    """Whether a thread waits for another one that encodes a picture."""
    return lambda: session.cache.images.is_awaited(("fake", picture_key(grey(value))))


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sam3-onnx-prefetch"]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    ended()  # those of tests of other files, which end soon after their lists
    yield
    ended()


def ended() -> None:
    for thread in workers():
        thread.join(LONG)
    assert workers() == []


def test_what_was_prefetched_is_asked_about_without_the_image_encoder(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, 40, 60, 3), dtype=np.uint8)
    for index, picture in enumerate(pictures[:2]):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture[..., ::-1])
    wanted = [tmp_path / "0.png", str(tmp_path / "1.png"), pictures[2], (tmp_path / "0.png").read_bytes()]
    with (
        Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as session,
        Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as fresh,
    ):
        ahead = session.prefetch(wanted)
        assert ahead.wait(LONG)
        assert ahead.done
        assert (ahead.encoded, ahead.left_out, ahead.failures) == ((0, 1, 2, 3), (), {})
        encoder = session.graphs["image_encoder"]
        assert encoder.runs == session.cache.info().misses == 3
        for picture in pictures[:3]:
            assert session.predict(picture, "coin") == fresh.predict(picture, "coin")
        assert encoder.runs == 3
        assert session.cache.info().hits == 3


def test_it_returns_at_once_and_tells_how_far_it_is() -> None:
    family = HeldFamily(2)
    with session_of(family) as session:
        ahead = session.prefetch([grey(1), grey(2), grey(3)])
        assert family.reaches("begins", 2)
        until(lambda: ahead.encoded == (0,))
        assert not ahead.done
        assert not ahead.wait(0)
        assert repr(ahead) == "<Prefetch: 1 of 3 encoded, 2 to come>"
        family.gates[2].set()
        assert ahead.wait(LONG)
        assert repr(ahead) == "<Prefetch: 3 of 3 encoded>"


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


def test_a_newer_list_takes_the_place_of_an_older_one() -> None:
    family = HeldFamily(1)
    with session_of(family) as session:
        older = session.prefetch([grey(1), grey(2)])
        assert family.reaches("begins", 1)
        newer = session.prefetch([grey(3)])
        assert newer.wait(LONG)
        assert older.done
        assert (older.encoded, newer.encoded) == ((), (0,))
        assert repr(older) == "<Prefetch: 0 of 2 encoded, 2 called off>"
        assert family.begun() == {1: 1, 3: 1}


@pytest.mark.parametrize("form", ["path", "array"])
def test_the_picture_in_hand_is_finished_if_the_newer_list_holds_it_too(tmp_path: Path, form: str) -> None:
    path = tmp_path / "one.png"
    cv2.imwrite(str(path), grey(1))
    family = HeldFamily(1)
    with session_of(family) as session:
        older = session.prefetch([str(path) if form == "path" else grey(1), grey(2)])
        assert family.reaches("begins", 1)
        newer = session.prefetch([grey(3), path if form == "path" else grey(1)])
        family.gates[1].set()
        assert newer.wait(LONG)
        assert (older.encoded, newer.encoded) == ((0,), (0, 1))
        assert family.begun() == {1: 1, 3: 1}


def test_a_list_that_is_replaced_before_it_begins_is_done_at_once() -> None:
    family = HeldFamily(1)
    with ThreadPoolExecutor(1) as pool, session_of(family) as session:
        session.prefetch([grey(1)])
        assert family.reaches("begins", 1)
        answer = pool.submit(session.predict, grey(1), "coin")
        until(asked(session, 1))
        between = session.prefetch([grey(2)])
        assert not between.wait(0)
        last = session.prefetch([grey(3)])
        assert between.wait(0)
        family.gates[1].set()
        assert last.wait(LONG)
        answer.result(LONG)
        assert family.begun() == {1: 1, 3: 1}


def test_a_cancelled_list_ends_with_the_picture_in_hand() -> None:
    family = HeldFamily(1)
    with session_of(family) as session:
        ahead = session.prefetch([grey(1), grey(2)])
        assert family.reaches("begins", 1)
        ahead.cancel()
        assert ahead.wait(LONG)
        ahead.cancel()
        assert (ahead.encoded, family.begun()) == ((), {1: 1})
        assert session.prefetch([grey(2)]).wait(LONG)


def test_it_stops_where_the_next_would_push_out_one_of_its_own_or_the_last_used() -> None:
    family = HeldFamily()
    with session_of(family, entries=3) as session:
        session.predict(grey(8), "coin")
        session.predict(grey(9), "coin")
        ahead = session.prefetch([grey(value) for value in range(1, 6)])
        assert ahead.wait(LONG)
        assert (ahead.encoded, ahead.left_out) == ((0, 1), (2, 3, 4))
        assert repr(ahead) == "<Prefetch: 2 of 5 encoded, 3 left out for want of room in the cache>"
        assert [has(session, value) for value in (8, 9, 1, 2)] == [False, True, True, True]
        assert family.begun() == {8: 1, 9: 1, 1: 1, 2: 1}


def test_what_a_call_uses_meanwhile_is_not_pushed_out_either() -> None:
    family = HeldFamily(1)
    with session_of(family, entries=2) as session:
        session.encode(grey(8))
        session.encode(grey(9))
        ahead = session.prefetch([grey(9), grey(1)])
        assert family.reaches("begins", 1)
        session.predict(grey(8), "coin")
        family.gates[1].set()
        assert ahead.wait(LONG)
        assert (ahead.encoded, ahead.left_out) == ((0,), (1,))
        assert [has(session, value) for value in (8, 9, 1)] == [True, True, False]


def test_nothing_is_encoded_that_could_not_be_kept() -> None:
    family = HeldFamily()
    with session_of(family, entries=0) as session:
        ahead = session.prefetch([grey(1), grey(2)])
        assert ahead.wait(LONG)
        assert (ahead.left_out, family.begun()) == ((0, 1), {})


@settings(deadline=None, max_examples=40)
@given(
    entries=st.integers(1, 6),
    used=st.lists(st.integers(1, 9), max_size=8),
    wanted=st.lists(st.integers(1, 9), min_size=1, max_size=8),
)
def test_any_list_is_encoded_as_far_as_there_is_room_beside_the_last_used(
    entries: int, used: list[int], wanted: list[int]
) -> None:
    with session_of(FakeFamily(ANSWERS), entries=entries) as session:
        for value in used:
            session.encode(grey(value))
        ahead = session.prefetch([grey(value) for value in wanted])
        assert ahead.wait(LONG)
        assert (*ahead.encoded, *ahead.left_out) == tuple(range(len(wanted)))
        kept = {*used[-1:], *(wanted[index] for index in ahead.encoded)}
        assert all(has(session, value) for value in kept)
        assert len(kept) <= entries
        if ahead.left_out:
            assert len(kept) == entries


def test_a_picture_that_cannot_be_read_is_noted_and_the_rest_goes_on(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.png"
    (tmp_path / "text.png").write_bytes(b"no picture")
    with session_of(FakeFamily(ANSWERS)) as session:
        ahead = session.prefetch([missing, grey(1), tmp_path / "text.png", grey(2)])
        assert ahead.wait(LONG)
        assert ahead.encoded == (1, 3)
        assert {index: type(error) for index, error in ahead.failures.items()} == {
            0: PictureMissingError,
            2: PictureDecodeError,
        }
        assert repr(ahead) == "<Prefetch: 2 of 4 encoded, 2 failed>"
        with pytest.raises(PictureMissingError, match="nowhere"):
            session.predict(missing, "coin")


def test_an_unexpected_failure_is_noted_and_shown_as_one_that_ends_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", shown.append)
    family = HeldFamily()
    family.failures[1] = ZeroDivisionError("nobody thought of this")
    with session_of(family) as session:
        ahead = session.prefetch([grey(1), grey(2)])
        assert ahead.wait(LONG)
        assert ahead.encoded == (1,)
        assert str(ahead.failures[0]) == "nobody thought of this"
        assert [(args.exc_type, args.exc_value) for args in shown] == [(ZeroDivisionError, ahead.failures[0])]


def test_an_array_may_be_written_to_once_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker knows what the picture is called, and waits for a call before it encodes it."""
    family = HeldFamily(9)
    buffer = grey(1)
    named = threading.Event()

    def key(picture: NDArray[np.uint8]) -> str:
        found = picture_key(picture)
        if picture[0, 0, 0] == 1:
            named.set()
        return found

    monkeypatch.setattr(embedder, "picture_key", key)
    with ThreadPoolExecutor(1) as pool, session_of(family) as session:
        answer = pool.submit(session.encode, grey(9))
        assert family.reaches("begins", 9)
        ahead = session.prefetch([buffer])
        assert named.wait(LONG)
        buffer[:] = 2
        family.gates[9].set()
        answer.result(LONG)
        assert ahead.wait(LONG)
        assert family.begun() == {9: 1, 1: 1}
        assert session.cache.info().misses == 2


def test_closing_calls_off_what_runs_and_leaves_no_thread() -> None:
    family = HeldFamily(1)
    with session_of(family) as session:
        ahead = session.prefetch([grey(1), grey(2)])
        assert family.reaches("begins", 1)
        assert len(workers()) == 1
    assert workers() == []
    assert ahead.done
    assert family.log == [("begins", 1), ("ends", 1)]
    with pytest.raises(SessionClosedError):
        session.prefetch([grey(1)])
    with pytest.raises(SessionClosedError):
        session.prefetch([])


def test_closing_does_not_wait_for_what_a_call_waits_for() -> None:
    family = HeldFamily(1)
    with ThreadPoolExecutor(2) as pool, session_of(family) as session:
        ahead = session.prefetch([grey(1)])
        assert family.reaches("begins", 1)
        answer = pool.submit(session.encode, grey(1))
        until(asked(session, 1))
        try:
            pool.submit(session.close).result(LONG)
            assert (workers(), ahead.done, ahead.encoded) == ([], True, ())
        finally:
            family.gates[1].set()
        assert answer.result(LONG).size == (32, 48)


def test_a_session_that_nobody_holds_any_more_ends_its_thread() -> None:
    family = HeldFamily(1)
    session = Sam3Session(family, model="fake")
    ahead = session.prefetch([grey(1), grey(2)])
    assert family.reaches("begins", 1)
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None
    family.gates[1].set()
    assert ahead.wait(LONG)
    assert (ahead.encoded, family.begun()) == ((0,), {1: 1})
    ahead.cancel()


SCRIPT = """
import numpy as np, threading
from sam3_onnx import Sam3Session
from sam3_onnx.errors import CancelledError
from sam3_onnx.testing import FakeFamily

begun = threading.Event()

class Slow(FakeFamily):
    def encode_image(self, pixels, *, cancel):
        begun.set()
        assert cancel.wait(60)
        print("called off", flush=True)
        raise CancelledError("the image encoder")

session = Sam3Session(Slow({}), model="slow")
session.prefetch([np.zeros((8, 8, 3), np.uint8), np.ones((8, 8, 3), np.uint8)])
assert begun.wait(60)
"""


def test_the_end_of_the_program_calls_the_background_off() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True, timeout=120)  # noqa: S603 - our own interpreter and text
    assert (run.stdout, run.stderr) == ("called off\n", "")


def test_an_empty_list_starts_no_thread_and_calls_the_older_one_off() -> None:
    family = HeldFamily(1)
    with session_of(family) as session:
        nothing = session.prefetch([])
        assert nothing.done
        assert workers() == []
        assert repr(nothing) == "<Prefetch: 0 of 0 encoded>"
        ahead = session.prefetch([grey(1)])
        assert family.reaches("begins", 1)
        session.prefetch(iter(()))
        assert ahead.wait(LONG)
        assert ahead.encoded == ()


@pytest.mark.parametrize(
    "single", ["one.png", Path("one.png"), b"\x89PNG", io.BytesIO(b"\x89PNG"), grey(1), 5, None], ids=repr
)
def test_one_picture_is_refused_with_what_to_pass(single: object) -> None:
    with (
        fake_session(ANSWERS) as session,
        pytest.raises(OptionError, match=r"pictures must be a list .* Pass \[picture\] for one picture"),
    ):
        session.prefetch(single)  # type: ignore[arg-type]
    assert workers() == []


def test_options_out_of_range_are_refused_at_once() -> None:
    with fake_session(ANSWERS) as session:
        with pytest.raises(OptionError, match="color must be"):
            session.prefetch([grey(1)], color="hsv")  # type: ignore[arg-type]
        with pytest.raises(OptionError, match="max_pixels must be"):
            session.prefetch([grey(1)], max_pixels=0)
        with pytest.raises(OptionError, match="purpose must be"):
            session.prefetch([grey(1)], purpose="boxes")  # type: ignore[arg-type]
        with pytest.raises(UnsupportedPromptError):
            session.prefetch([grey(1)], purpose="clicks")


def test_pictures_are_encoded_for_the_purpose_and_read_as_the_options_say() -> None:
    family, tracker = FakeFamily(ANSWERS), FakeTracker()
    blue = np.zeros((8, 8, 3), np.uint8)
    blue[..., 2] = 255
    with Sam3Session(family, tracker=tracker, model="fake") as session:
        assert session.prefetch([blue], purpose="clicks", color="bgr").wait(LONG)
        session.predict_object(blue[..., ::-1], points=[(4, 4)])
        assert (family.calls["encode_image"], tracker.calls["encode_image"]) == (0, 1)
        session.encode(blue, purpose="clicks")
        assert tracker.calls["encode_image"] == 2


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
