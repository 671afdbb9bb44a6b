"""Blocks that no fork divides, and locks and values that no other thread keeps from a child."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

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


def printed(program: str) -> list[str]:
    """The words that a program prints, which has hooks at forks of its own."""
    return subprocess.check_output([sys.executable, "-c", program], text=True, timeout=120).split()  # noqa: S603 - our own


_GARBAGE = """
import gc, os
os.register_at_fork(after_in_child=gc.collect)  # before the library's own hook, as if by chance
gc.disable()
from sam3_onnx._support.forking import renew_in_children

class Thing:
    def begin_anew(self):
        print("anew", flush=True)

thing = Thing()
thing.itself = thing
renew_in_children(thing)
del thing
if os.fork() == 0:
    os._exit(0)
os.wait()
"""


@forks
def test_what_is_garbage_already_begins_anew_before_the_child_frees_it() -> None:
    assert printed(_GARBAGE) == ["anew"]


_POOL = """
import os, sys, warnings
warnings.simplefilter("ignore")
threads = lambda: len(os.listdir("/proc/self/task"))
os.register_at_fork(before=lambda: print(threads(), flush=True))  # runs after the library's own
import cv2
import numpy as np
import sam3_onnx._support.forking

cv2.setNumThreads(3)
print(threads(), flush=True)
picture = np.zeros((2000, 2000), np.float32)
cv2.resize(picture, (1000, 1000))
print(threads(), flush=True)
if os.fork() == 0:
    cv2.resize(picture, (1000, 1000))
    print(cv2.getNumThreads(), flush=True)
    os._exit(0)
os.wait()
print(cv2.getNumThreads())
"""


@forks
@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_threads_of_opencv_end_before_a_fork_and_come_back() -> None:
    without, within, at_fork, in_the_child, afterwards = map(int, printed(_POOL))
    assert within > without
    assert (at_fork, in_the_child, afterwards) == (without, 3, 3)


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
