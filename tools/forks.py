"""Forks a process at random moments while it prefetches, predicts and writes to a cache folder.

    python tools/forks.py --count 200 --seed 0

Every child has to answer as the parent does. It prints how many did, and ends with status 1 if one hung, failed or
answered otherwise.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx import Sam3Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PATIENCE = 60.0
"""Seconds after which a child counts as hung; it needs about one."""
_WORDS = ("red square", "blue square", "coin")


def picture(number: int) -> NDArray[np.uint8]:
    """A red square on a white ground; each number gives another picture, (H, W, 3)."""
    pixels = np.full((300 + number % 7, 400, 3), 255, np.uint8)
    left = 20 + number * 13 % 200
    pixels[60:180, left : left + 120] = (220, 20, 20)
    pixels[0, 0] = (number % 256, number // 256 % 256, 0)
    return pixels


def summary(session: Sam3Session, number: int, word: str) -> list[tuple[str, float]]:
    """What a session finds, short enough to be compared."""
    found = session.predict(picture(number), word)
    return [(one.label, round(float(one.score), 4)) for one in found]


class Load:
    """Threads that keep a session busy until it is told to stop."""

    def __init__(self, session: Sam3Session) -> None:
        self._session = session
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._ask, self._ask, self._prefetch)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        rng = random.Random()
        while not self._over.is_set():
            summary(self._session, rng.randrange(1000), rng.choice(_WORDS))

    def _prefetch(self) -> None:
        rng = random.Random()
        while not self._over.is_set():
            self._session.prefetch([picture(rng.randrange(1000)) for _ in range(20)]).wait(0.3)

    def stop(self) -> None:
        """Ends the threads."""
        self._over.set()
        for thread in self._threads:
            thread.join()


def child(session: Sam3Session, expected: dict[int, list[tuple[str, float]]]) -> int:
    """Asks about pictures, some known to the cache folder and some new; the status that the child ends with."""
    ahead = session.prefetch([picture(number) for number in expected])
    right = all(summary(session, number, _WORDS[0]) == found for number, found in expected.items())
    ahead.wait()
    session.cache.info("disk")  # waits until all is written
    session.close()
    return 0 if right else 3


def wait_for(process: int) -> str:
    """How a child ended: "right", "hung", or with which status."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return "right" if status == 0 else f"status {os.waitstatus_to_exitcode(status)}"
        time.sleep(0.01)
    os.kill(process, 9)
    os.waitpid(process, 0)
    return "hung"


def main() -> int:
    """Forks and counts; the status to exit with."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=200, help="forks")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", "This process", DeprecationWarning)  # what Python 3.12 says of threads and forks
    rng = random.Random(options.seed)
    ends: Counter[str] = Counter()
    longest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        with Sam3Session.from_pretrained("miniature", provider="cpu") as fresh:
            expected = {number: summary(fresh, number, _WORDS[0]) for number in range(0, 3000, 500)}
        session = Sam3Session.from_pretrained("miniature", provider="cpu", cache_folder=folder)
        load = Load(session)
        for _ in range(options.count):
            time.sleep(rng.uniform(0, 0.1))
            began = time.monotonic()
            process = os.fork()
            if process == 0:
                try:
                    os._exit(child(session, dict(rng.sample(sorted(expected.items()), 2))))
                except BaseException as error:  # noqa: BLE001 - a child ends here, whatever happens
                    print(f"{type(error).__name__}: {error}", file=sys.stderr)
                    os._exit(4)
            longest = max(longest, time.monotonic() - began)
            ends[wait_for(process)] += 1
        load.stop()
        session.close()
    print(f"{options.count} forks: {dict(ends)}; the longest wait of the parent for a fork {longest:.2f} s")
    return 0 if ends["right"] == options.count else 1


if __name__ == "__main__":
    sys.exit(main())
