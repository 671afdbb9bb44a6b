"""Blocks that no fork divides, and locks and values that no other thread keeps from a child."""

from __future__ import annotations

import threading
import time

from sam3_onnx._support.forking import ForkSafeLock, undivided
from sam3_onnx._support.lazy_values import cached_property
from tests.support.forks import forks, in_child


@forks
def test_a_fork_waits_until_another_thread_has_left_its_block() -> None:
    inside, order = threading.Event(), []

    def work() -> None:
        with undivided():
            inside.set()
            time.sleep(0.2)  # in which a fork that does not wait is over
            order.append("left")

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    assert in_child(lambda: [*order]) == ["left"]
    thread.join()


@forks
def test_a_thread_forks_inside_a_block_of_its_own() -> None:
    def block_in_block() -> str:
        with undivided():
            return "entered"

    with undivided(), undivided():
        assert in_child(block_in_block) == "entered"
    assert in_child(block_in_block) == "entered"


@forks
def test_a_lock_that_another_thread_holds_is_open_in_the_child() -> None:
    lock, held, over = ForkSafeLock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            over.wait()

    def take() -> str:
        with lock:
            return "taken"

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    assert in_child(take) == "taken"
    over.set()
    thread.join()


class Slow:
    def __init__(self, began: threading.Event, over: threading.Event) -> None:
        self.began, self.over = began, over

    @cached_property
    def value(self) -> int:
        """What takes a while."""
        self.began.set()
        self.over.wait()
        return 3


@forks
def test_a_value_that_another_thread_computes_is_computed_in_the_child() -> None:
    began, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: Slow(began, over).value)
    thread.start()
    began.wait()
    ready = threading.Event()
    ready.set()
    assert in_child(lambda: Slow(threading.Event(), ready).value) == 3
    over.set()
    thread.join()


def test_a_cached_value_is_computed_once_and_its_text_is_kept() -> None:
    ready = threading.Event()
    ready.set()
    slow = Slow(threading.Event(), ready)
    assert slow.value == 3
    slow.began.clear()
    assert slow.value == 3
    assert not slow.began.is_set()
    assert Slow.value.__doc__ == "What takes a while."
