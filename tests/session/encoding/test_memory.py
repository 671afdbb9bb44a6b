"""Does the cache keep what was used last, within its bytes?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import CacheInfo
from sam3_onnx.errors import OptionError
from sam3_onnx.session import EmbeddingCache
from sam3_onnx.session.encoding.memory import CacheTier
from sam3_onnx.testing import FakeInstance, fake_session


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


def test_the_least_recently_used_entry_goes_first() -> None:
    tier: CacheTier[Entry] = CacheTier(30)
    for name in "abc":
        put(tier, name)
    assert tier.get_or_make("a", never).name == "a"
    put(tier, "d")
    assert tier.keys() == ["c", "a", "d"]
    put(tier, "e", 20)
    assert tier.keys() == ["d", "e"]


def test_bytes_are_those_of_what_is_held() -> None:
    tier: CacheTier[Entry] = CacheTier(100)
    put(tier, "a", 60)
    put(tier, "b", 40)
    assert tier.info() == CacheInfo(hits=0, misses=2, entries=2, bytes=100, budget=100)
    put(tier, "c", 1)
    assert tier.info() == CacheInfo(hits=0, misses=3, entries=2, bytes=41, budget=100)
    tier.clear()
    assert tier.info() == CacheInfo(hits=0, misses=3, entries=0, bytes=0, budget=100)
    put(tier, "d", 100)
    assert tier.keys() == ["d"]


def test_an_entry_beyond_the_budget_is_used_but_not_kept_and_told_once() -> None:
    tier: CacheTier[Entry] = CacheTier(50)
    put(tier, "small")
    with pytest.warns(UserWarning, match=r"An embedding of 51 bytes is larger than .* 50 bytes: it is used but not"):
        assert put(tier, "large", 51).nbytes == 51
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert put(tier, "large", 52).nbytes == 52
    assert tier.keys() == ["small"]
    assert tier.info() == CacheInfo(hits=0, misses=3, entries=1, bytes=10, budget=50)


def test_a_budget_of_zero_keeps_nothing_and_does_not_complain() -> None:
    tier: CacheTier[Entry] = CacheTier(0)
    put(tier, "a")
    put(tier, "a")
    assert tier.info() == CacheInfo(hits=0, misses=2, entries=0, bytes=0, budget=0)


@pytest.mark.parametrize("budget", [-1, -(1 << 30)])
def test_a_negative_budget_is_refused(budget: int) -> None:
    with pytest.raises(OptionError, match=rf"cache_bytes must be a whole number of bytes of at least 0, got {budget}"):
        fake_session({}, cache_bytes=budget)


def test_a_failure_keeps_nothing_and_the_next_caller_tries_again() -> None:
    tier: CacheTier[Entry] = CacheTier(50)
    with pytest.raises(OSError, match="no answer"):
        tier.get_or_make("a", fail)
    assert tier.info().entries == 0
    assert put(tier, "a").name == "a"
    assert tier.info().misses == 2


def test_what_is_made_ahead_drops_neither_its_own_nor_what_was_used_last() -> None:
    tier: CacheTier[Entry] = CacheTier(40)
    for name in "abcd":
        put(tier, name)
    put(tier, "b")
    assert tier.room_beside(["a"]) == 20
    tier.get_or_make("e", lambda: Entry(20), beside=["a"])
    assert tier.keys() == ["a", "b", "e"]
    assert tier.room_beside(["a", "e", "z"]) == 0
    assert tier.get_or_make("f", lambda: Entry(1), beside=["a", "e"]).nbytes == 1
    assert tier.keys() == ["a", "b", "e"]


def test_looking_whether_an_entry_is_there_is_no_use_of_it() -> None:
    tier: CacheTier[Entry] = CacheTier(20)
    put(tier, "a")
    put(tier, "b")
    assert "a" in tier
    assert "c" not in tier
    put(tier, "c")
    assert tier.keys() == ["b", "c"]
    assert tier.info().hits == 0


class Model:
    """What the tier should hold, in the plainest way: names by last use, newest last."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.held: list[tuple[str, int]] = []
        self.hits = self.misses = 0

    def ask(self, name: str, size: int) -> None:
        known = [entry for entry in self.held if entry[0] == name]
        self.held = [entry for entry in self.held if entry[0] != name]
        if known:
            self.hits += 1
            self.held += known
            return
        self.misses += 1
        if size <= self.budget:
            while sum(nbytes for _, nbytes in self.held) + size > self.budget:
                del self.held[0]
            self.held.append((name, size))
        else:
            self.held += known


STEPS = st.lists(st.one_of(st.none(), st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 40))), max_size=60)


@pytest.mark.filterwarnings("ignore:An embedding of")
@settings(deadline=None, max_examples=100)
@given(budget=st.integers(0, 60), steps=STEPS)
def test_any_run_of_requests_ends_as_the_plain_model_does(budget: int, steps: list[tuple[str, int] | None]) -> None:
    tier: CacheTier[Entry] = CacheTier(budget)
    model = Model(budget)
    for step in steps:
        if step is None:
            tier.clear()
            model.held = []
        else:
            put(tier, *step)
            model.ask(*step)
        info = tier.info()
        assert tier.keys() == [name for name, _ in model.held]
        assert info.bytes == sum(size for _, size in model.held) <= budget
        assert (info.hits, info.misses, info.entries) == (model.hits, model.misses, len(model.held))


def test_pictures_and_words_are_counted_apart_and_cleared_together() -> None:
    tiers: EmbeddingCache[Entry, Entry] = EmbeddingCache(50, 20)
    put(tiers.images, "picture")
    put(tiers.texts, "word", 5)
    put(tiers.texts, "word", 5)
    assert tiers.info() == tiers.info("images") == CacheInfo(0, 1, 1, 10, 50)
    assert tiers.info("texts") == CacheInfo(1, 1, 1, 5, 20)
    tiers.clear()
    assert tiers.info().entries == tiers.info("texts").entries == 0


def test_a_session_with_a_tiny_budget_answers_all_the_same() -> None:
    answers = {"coin": [FakeInstance((0.1, 0.1, 0.5, 0.5))]}
    picture = np.zeros((40, 40, 3), np.uint8)
    session = fake_session(answers, cache_bytes=100)
    with pytest.warns(UserWarning, match="Raise cache_bytes"):
        first = session.predict(picture, "coin")
    assert session.predict(picture, "coin") == first == fake_session(answers).predict(picture, "coin")
    assert session.cache.info().misses == 2
