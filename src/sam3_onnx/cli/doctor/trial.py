"""Does a provider really run the miniature here, with the right answer, and how fast?

The trial is made in a process of its own: a driver that crashes or hangs takes down that process
only, and what ONNX Runtime logs about it is caught.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DRAWN", "Trial", "main", "run_trial", "try_provider"]

_ROUNDS = 5
_MODEL, _WORD = "miniature", "circle"
_CIRCLES = ((60, 60), (160, 70), (110, 165))
_RADIUS, _SIDE = 26, 224
DRAWN = len(_CIRCLES)
"""Circles in the picture of a trial."""
_TIME_LIMIT = 120.0
_LOG_LINES = 3
_CHILD = "from sam3_onnx.cli.doctor.trial import main; main()"


@dataclass(frozen=True)
class Trial:
    """What came of running the miniature on one provider."""

    provider: str
    """As it was asked for."""
    error: str | None = None
    """Why it does not run; the fields below are empty then."""
    active: tuple[str, ...] = ()
    """Providers that ran the image encoder."""
    scores: tuple[float, ...] = ()
    """Of the circles that were found, falling."""
    load_ms: float | None = None
    encode_ms: float | None = None
    """Median of five pictures through the image encoder."""
    word_ms: float | None = None
    decode_ms: float | None = None

    @property
    def right(self) -> bool:
        """Whether it ran and found what was drawn."""
        return self.error is None and len(self.scores) == DRAWN


def try_provider(provider: str, *, time_limit: float = _TIME_LIMIT) -> Trial:
    """Runs the trial of one provider in a process of its own.

    Args:
        provider: Any name that `Sam3Session` takes.
        time_limit: Seconds until it counts as hanging.
    """
    command = [sys.executable, "-c", _CHILD, provider]
    home = Path(__file__).parents[3]  # of this very library, which need not be the one that is installed
    paths = os.pathsep.join([str(home), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and text
            command,
            capture_output=True,
            text=True,
            timeout=time_limit,
            check=False,
            env={**os.environ, "PYTHONPATH": paths},
        )
    except subprocess.TimeoutExpired:
        return Trial(provider, error=f"no answer within {time_limit:.0f} s")
    if done.returncode:
        log = " | ".join(done.stderr.strip().splitlines()[-_LOG_LINES:])
        return Trial(provider, error=f"the process ended with code {done.returncode}: {log or 'nothing was logged'}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return Trial(**{**answer, "active": tuple(answer["active"]), "scores": tuple(answer["scores"])})


def run_trial(provider: str) -> Trial:
    """Opens the miniature on a provider, asks for circles several times and keeps the medians.

    Raises:
        Sam3Error: The provider cannot be used.
    """
    from sam3_onnx.session.session import Sam3Session  # noqa: PLC0415 - only the child process needs what may be broken

    began = time.perf_counter()
    with Sam3Session.from_pretrained(_MODEL, provider=provider) as session:
        loaded = time.perf_counter() - began
        rounds = []
        for _ in range(_ROUNDS + 1):
            session.cache.clear()
            result = session.predict(_scene(), _WORD)
            rounds.append(result.timings)
        medians = {
            stage: round(1000 * median(timings[stage] for timings in rounds[1:]), 2)
            for stage in ("image", "text", "decode")
        }
        return Trial(
            provider,
            active=session.providers["image_encoder"],
            scores=tuple(round(float(score), 4) for score in result.scores),
            load_ms=round(1000 * loaded, 2),
            encode_ms=medians["image"],
            word_ms=medians["text"],
            decode_ms=medians["decode"],
        )


def _scene() -> NDArray[np.uint8]:
    """Three red circles on grey, (224, 224, 3) RGB."""
    import numpy as np  # noqa: PLC0415 - as above

    picture = np.full((_SIDE, _SIDE, 3), 200, np.uint8)
    rows, columns = np.ogrid[:_SIDE, :_SIDE]
    for x, y in _CIRCLES:
        picture[(columns - x) ** 2 + (rows - y) ** 2 <= _RADIUS**2] = (220, 30, 30)
    return picture


def main() -> None:
    """Makes the trial of the provider named on the command line and prints it as JSON."""
    from sam3_onnx.errors import Sam3Error  # noqa: PLC0415 - as above

    provider = sys.argv[1]
    try:
        trial = run_trial(provider)
    except Sam3Error as error:
        trial = Trial(provider, error=str(error))
    sys.stdout.write(json.dumps(asdict(trial)) + "\n")
