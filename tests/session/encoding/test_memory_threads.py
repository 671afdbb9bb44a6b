"""Do threads that ask for one entry compute it once?"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import CacheInfo
from sam3_onnx.errors import CancelledError
from sam3_onnx.session.encoding import memory as cache
from sam3_onnx.session.encoding.memory import CacheTier

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Entry:
    nbytes: int
    name: str = ""


def put(tier: CacheTier[Entry], name: str, nbytes: int = 10) -> Entry:
    return tier.get_or_make(name, lambda: Entry(nbytes, name))


def never() -> Entry:
    raise AssertionError("computed although it was there")


def fail() -> Entry:
    raise OSError("no answer")


class Waiting:
    """Threads that ask for one key while its first computation is held up."""

    def __init__(self, tier: CacheTier[Entry], outcome: Callable[[], Entry]) -> None:
        self.tier, self.outcome = tier, outcome
        self.computing, self.go = threading.Event(), threading.Event()
        self.answers: list[Entry] = []
        self.errors: list[OSError] = []
        self.made = 0
        self.lock = threading.Lock()

    def held_up(self) -> Entry:
        self.computing.set()
        assert self.go.wait(60)
        return self.outcome()

    def at_once(self) -> Entry:
        with self.lock:
            self.made += 1
        return Entry(10, "second try")

    def ask(self, make: Callable[[], Entry]) -> None:
        try:
            answer = self.tier.get_or_make("key", make)
        except OSError as error:
            self.errors.append(error)
        else:
            with self.lock:
                self.answers.append(answer)

    def run(self, others: int) -> None:
        first = threading.Thread(target=self.ask, args=(self.held_up,))
        first.start()
        assert self.computing.wait(60)
        rest = [threading.Thread(target=self.ask, args=(self.at_once,)) for _ in range(others)]
        for thread in rest:
            thread.start()
        self.go.set()
        for thread in (first, *rest):
            thread.join(60)
            assert not thread.is_alive()


def test_threads_that_ask_together_get_the_one_computed_entry() -> None:
    tier: CacheTier[Entry] = CacheTier(50)
    waiting = Waiting(tier, lambda: Entry(10, "first try"))
    waiting.run(5)
    assert [answer.name for answer in waiting.answers] == ["first try"] * 6
    assert waiting.made == 0
    assert tier.info() == CacheInfo(hits=5, misses=1, entries=1, bytes=10, budget=50)


@pytest.mark.filterwarnings("ignore:An embedding of")
@pytest.mark.parametrize("budget", [0, 5])
def test_threads_that_wait_get_even_what_is_not_kept(budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting_now = threading.Semaphore(0)

    class Announced(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waiting_now.release()
            return super().wait(timeout)

    monkeypatch.setattr(cache, "threading", SimpleNamespace(Event=Announced, Lock=threading.Lock))
    tier: CacheTier[Entry] = CacheTier(budget)

    def large() -> Entry:
        for _ in range(5):
            assert waiting_now.acquire(timeout=60)
        return Entry(10, "first try")

    waiting = Waiting(tier, large)
    waiting.run(5)
    assert [answer.name for answer in waiting.answers] == ["first try"] * 6
    assert tier.info() == CacheInfo(hits=5, misses=1, entries=0, bytes=0, budget=budget)


def test_if_the_first_fails_one_of_the_waiting_computes_for_the_rest() -> None:
    tier: CacheTier[Entry] = CacheTier(50)
    waiting = Waiting(tier, fail)
    waiting.run(5)
    assert [str(error) for error in waiting.errors] == ["no answer"]
    assert [answer.name for answer in waiting.answers] == ["second try"] * 5
    assert waiting.made == 1
    assert tier.info() == CacheInfo(hits=4, misses=2, entries=1, bytes=10, budget=50)


def test_one_slow_key_does_not_hold_up_another() -> None:
    tier: CacheTier[Entry] = CacheTier(50)
    waiting = Waiting(tier, lambda: Entry(10, "first try"))
    first = threading.Thread(target=waiting.ask, args=(waiting.held_up,))
    first.start()
    assert waiting.computing.wait(60)
    assert put(tier, "other").name == "other"
    waiting.go.set()
    first.join(60)
    assert tier.keys() == ["other", "key"]


def test_a_wait_for_another_thread_can_be_cancelled() -> None:
    tier: CacheTier[Entry] = CacheTier(50)
    waiting = Waiting(tier, lambda: Entry(10, "first try"))
    first = threading.Thread(target=waiting.ask, args=(waiting.held_up,))
    first.start()
    assert waiting.computing.wait(60)
    assert not tier.is_awaited("key")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError, match="during the wait for another thread"):
        tier.get_or_make("key", never, cancel=cancel)
    assert not tier.is_awaited("key")
    waiting.go.set()
    first.join(60)
    assert [answer.name for answer in waiting.answers] == ["first try"]
    assert tier.get_or_make("key", never, cancel=cancel).name == "first try"
