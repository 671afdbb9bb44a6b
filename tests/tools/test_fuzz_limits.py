"""Inputs that hang, crash or take memory are findings, and the fuzzer goes on to the next."""

from __future__ import annotations

import sys

import pytest

from tests.support.fuzz_subjects import Script
from tools.fuzz.inputs import Answer
from tools.fuzz.workers import Limits, outcomes

MEASURED = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured and limited on Linux only")


def answers(*mutations: str, processes: int = 1, limits: Limits | None = None) -> list[tuple[str, Answer, str]]:
    """What comes of one input of each mutation, in the order of their numbers."""
    subject = Script(mutations=mutations)
    done = outcomes(subject, range(len(mutations)), processes=processes, limits=limits or Limits())
    return [(one.mutation, one.answer, one.reason) for one in sorted(done, key=lambda one: one.number)]


def test_a_process_that_ends_is_a_finding_and_another_one_takes_its_place() -> None:
    assert answers("read", "crash", "refuse") == [
        ("read", Answer.READ, ""),
        ("crash", Answer.OVER, "the process ended with 7"),
        ("refuse", Answer.REFUSED, ""),
    ]


def test_an_input_without_an_answer_is_given_up() -> None:
    given_up = ("hang", Answer.OVER, "no answer in 1 seconds")
    assert answers("read", "hang", limits=Limits(seconds=1)) == [("read", Answer.READ, ""), given_up]


@MEASURED
def test_memory_beyond_the_limit_is_a_finding() -> None:
    (_, first, _), (_, second, reason), (_, third, _) = answers(
        "read", "take 100 MB", "read", limits=Limits(megabytes=64)
    )
    assert [first, second, third] == [Answer.READ, Answer.OVER, Answer.READ]
    assert reason.endswith("MB of memory, 64 are allowed")


@MEASURED
def test_memory_that_nobody_has_is_not_given() -> None:
    ((_, answer, reason),) = answers("ask for 8 GB")
    assert answer is Answer.PLAIN
    assert "MemoryError" in reason


def test_what_comes_does_not_depend_on_the_number_of_processes() -> None:
    mutations = ("read", "refuse", "raise", "crash") * 3
    assert [one[:2] for one in answers(*mutations, processes=3)] == [one[:2] for one in answers(*mutations)]
