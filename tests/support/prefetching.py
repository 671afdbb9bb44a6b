"""A family whose encoding can be held up, and what asks how far it is."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx import Sam3Session
from sam3_onnx.errors import CancelledError
from sam3_onnx.images.origins import picture_key
from sam3_onnx.testing import FakeFamily, FakeInstance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Arrays

ANSWERS = {"coin": [FakeInstance((0.1, 0.1, 0.5, 0.5))]}
ENTRY = 512  # bytes of a fake embedding in the cache
LONG = 60.0  # seconds, for what comes at once unless something is broken
OPEN = threading.Event()
OPEN.set()
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
    return ("", picture_key(grey(value))) in session.cache.images


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
    return lambda: session.cache.images.is_awaited(("", picture_key(grey(value))))


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sam3-onnx-prefetch"]


def ended() -> None:
    for thread in workers():
        thread.join(LONG)
    assert workers() == []
