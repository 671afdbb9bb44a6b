"""Does encoding ahead survive what fails, and end with its session?"""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import PictureDecodeError, PictureMissingError, SessionClosedError
from sam3_onnx.images.origins import picture_key
from sam3_onnx.session.encoding import embedder
from sam3_onnx.testing import FakeFamily
from tests.support.prefetching import ANSWERS, LONG, HeldFamily, asked, ended, grey, session_of, until, workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    ended()  # those of tests of other files, which end soon after their lists
    yield
    ended()


def test_a_picture_that_cannot_be_read_is_noted_and_the_rest_goes_on(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.png"
    (tmp_path / "text.png").write_bytes(b"no picture")
    with session_of(FakeFamily(ANSWERS)) as session:
        ahead = session.prefetch([missing, grey(1), tmp_path / "text.png", grey(2)])
        assert ahead.wait(LONG)
        assert ahead.encoded == (1, 3)
        kinds = [(index, type(error)) for index, error in sorted(ahead.failures.items())]
        assert kinds == [(0, PictureMissingError), (2, PictureDecodeError)]
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
