"""Is a list of pictures encoded ahead, as far as there is room, until a newer one comes?"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError, UnsupportedPromptError
from sam3_onnx.testing import FakeFamily, FakeTracker, fake_session
from tests.support.places import NATIVE
from tests.support.prefetching import ANSWERS, LONG, HeldFamily, asked, ended, grey, has, session_of, until, workers

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    ended()  # those of tests of other files, which end soon after their lists
    yield
    ended()


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
    "single", ["one.png", Path("one.png"), b"\x89PNG", io.BytesIO(b"\x89PNG"), grey(1), 5, None], ids=type
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
