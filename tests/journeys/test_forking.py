"""Sessions in processes that fork: every child answers, or says at once why it cannot."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import SessionForkedError
from sam3_onnx.models.runtime.opening import GraphSession
from sam3_onnx.testing import FakeFamily, FakeInstance, fake_session
from tests.support.forks import forks, in_child

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def picture(number: int = 0) -> NDArray[np.uint8]:
    """A red square on white; each number gives another picture."""
    pixels = np.full((120, 160, 3), 255, np.uint8)
    pixels[30:80, 40:90] = (220, 20, 20)
    pixels[0, 0] = number
    return pixels


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Sam3Session]:
    with Sam3Session.from_pretrained("miniature", provider="cpu", cache_folder=tmp_path / "cache") as opened:
        yield opened


@forks
def test_a_child_answers_while_the_parent_prefetches_and_writes(session: Sam3Session) -> None:
    expected = session.predict(picture(), "red square").scores
    ahead = session.prefetch([picture(number) for number in range(1, 40)])

    def ask() -> list[float]:
        answers = [session.predict(picture(number), "red square").scores for number in range(6)]
        session.cache.info("disk")  # waits for the thread that writes
        session.close()
        return [float(found) for scores in answers for found in scores]

    np.testing.assert_allclose(in_child(ask), np.repeat(expected, 6), atol=1e-3)
    ahead.cancel()
    assert len(session.predict(picture(50), "red square")) == 1


@forks
def test_a_child_prefetches_and_what_the_parent_began_is_called_off_there(session: Sam3Session) -> None:
    begun = session.prefetch([picture(number) for number in range(40)])

    def ask() -> tuple[bool, bool, int]:
        ours = session.prefetch([picture(60), picture(61)])
        return begun.wait(), ours.wait(), len(ours.encoded)

    assert in_child(ask) == (True, True, 2)
    begun.cancel()


def _count(number: int) -> int:
    return len(_SHARED[0].predict(picture(number), "red square"))


_SHARED: list[Sam3Session] = []


@forks
def test_the_workers_of_a_pool_answer(session: Sam3Session) -> None:
    _SHARED[:] = [session]
    _count(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(_count, range(1, 12)).get(timeout=120) == [1] * 11
    _SHARED.clear()


@forks
def test_a_session_that_the_parent_never_used_is_loaded_in_the_child(session: Sam3Session) -> None:
    assert in_child(
        lambda: [session.graphs["image_encoder"].loaded, len(session.predict(picture(), "red square"))]
    ) == [
        False,
        1,
    ]


@forks
def test_a_fork_within_a_call_leaves_a_session_that_answers_on_both_sides(session: Sam3Session) -> None:
    def ask(stage: str) -> None:
        if stage == "decode":
            assert in_child(lambda: len(session.predict(picture(7), "red square"))) == 1

    assert len(session.predict(picture(3), "red square", progress=ask)) == 1
    assert len(session.predict(picture(4), "red square")) == 1


@forks
def test_a_graph_on_a_device_is_refused_in_the_child_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Sam3Session.from_pretrained("miniature", provider="cpu")
    embedding = session.encode(picture())
    monkeypatch.setattr(GraphSession, "providers", ("CUDAExecutionProvider", "CPUExecutionProvider"))
    with pytest.raises(SessionForkedError, match=r"on CUDAExecutionProvider.*spawn"):
        in_child(lambda: session.predict(embedding, "coin"))
    with pytest.raises(SessionForkedError):
        in_child(lambda: session.prefetch([picture()]))
    with pytest.raises(SessionForkedError):
        in_child(session.load)
    session.predict(embedding, "coin")
    session.close()


@forks
def test_an_iteration_ends_in_the_child_with_an_error() -> None:
    session = fake_session({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]})
    found = session.annotate([picture(number) for number in range(8)], "coin")
    next(found)
    with pytest.raises(SessionForkedError, match="Call annotate again"):
        in_child(lambda: next(found))
    assert len(list(found)) == 7


@forks
def test_a_call_that_another_thread_has_begun_is_no_matter_in_the_child() -> None:
    began, over = threading.Event(), threading.Event()

    def wait_once() -> None:
        if not began.is_set():
            began.set()
            over.wait()

    family = FakeFamily({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]}, on_encode=wait_once)
    session = Sam3Session(family, model="fake")
    thread = threading.Thread(target=lambda: session.predict(picture(), "coin"))
    thread.start()
    began.wait()
    assert in_child(lambda: len(session.predict(picture(), "coin"))) == 1
    over.set()
    thread.join()


_FORKS_TWICE = """
import os, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from sam3_onnx import Sam3Session

image = np.full((120, 160, 3), 255, np.uint8)
image[30:80, 40:90] = (220, 20, 20)
session = Sam3Session.from_pretrained("miniature", provider="cpu")
expected = len(session.predict(image, "red square"))
for _ in range(2):
    process = os.fork()
    if process:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
image[0, 0] = 0
os._exit(expected != len(session.predict(image, "red square")) or expected != 1)
"""


@forks
def test_a_child_of_a_child_answers() -> None:
    subprocess.run([sys.executable, "-c", _FORKS_TWICE], check=True, timeout=120)  # noqa: S603 - our own


_ENDS_NORMALLY = """
import os, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from sam3_onnx import Sam3Session

session = Sam3Session.from_pretrained("miniature", provider="cpu")
session.predict(np.zeros((50, 50, 3), np.uint8), "coin")
ahead = session.prefetch([np.full((50, 50, 3), level, np.uint8) for level in range(30)])
process = os.fork()
if process:
    sys.exit(os.waitpid(process, 0)[1] != 0)
if sys.argv[1] == "used":
    session.predict(np.ones((50, 50, 3), np.uint8), "coin")
"""


@forks
@pytest.mark.parametrize("use", ["used", "unused"])
def test_a_child_that_ends_as_programs_do_ends(use: str) -> None:
    subprocess.run([sys.executable, "-c", _ENDS_NORMALLY, use], check=True, timeout=120)  # noqa: S603 - our own
