"""The trial of a provider: the runtime's own proof on the miniature, made anew, and the times of a session.

The trial is made in a process of its own: a driver that crashes or hangs takes down that process
only, and what ONNX Runtime logs about it is caught.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AUTO", "Trial", "main", "run_trial", "try_provider"]

AUTO = "auto"
"""What stands for no provider, but for what a session takes that is left to choose."""
_ROUNDS = 5
_MODEL, _WORD = "miniature", "blue square"
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
    parts: Mapping[str, str] = field(default_factory=dict)
    """Provider and precision of each part of the model, by its name: "openvino, bfloat16"."""
    difference: float | None = None
    """Largest one from CPU: of scores, box edges (fractions of the picture), 1 - mask IoU. None if it has no number, as
    with "auto", which proves each provider that it takes."""
    allowed: float | None = None
    """Largest difference that passes."""
    failure: str = ""
    """Why the answers cannot be relied on; "" if they can."""
    load_ms: float | None = None
    encode_ms: float | None = None
    """Median of five pictures through the image encoder."""
    word_ms: float | None = None
    decode_ms: float | None = None

    @property
    def right(self) -> bool:
        """Whether it ran and answered as CPU does."""
        return self.error is None and not self.failure


def try_provider(provider: str, *, time_limit: float = _TIME_LIMIT) -> Trial:
    """Runs the trial of one provider in a process of its own.

    Args:
        provider: Any name that `Sam3Session` takes, `AUTO` among them.
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
    return Trial(**{**answer, "active": tuple(answer["active"])})


def run_trial(provider: str) -> Trial:
    """Runs the miniature on a provider for its times, and proves it anew; or on what "auto" takes.

    Raises:
        Sam3Error: The provider cannot be used.
    """
    # only the child process needs what may be broken
    from sam3_onnx.models.runtime.providers.miniature import drawn_picture  # noqa: PLC0415
    from sam3_onnx.models.runtime.providers.names import short_name  # noqa: PLC0415
    from sam3_onnx.session.session import Sam3Session  # noqa: PLC0415

    picture = drawn_picture().transpose(1, 2, 0)
    began = time.perf_counter()
    with Sam3Session.from_pretrained(_MODEL, provider=provider) as session:
        loaded = time.perf_counter() - began
        rounds = []
        for _ in range(_ROUNDS + 1):
            session.cache.clear()
            rounds.append(session.predict(picture, _WORD).timings)
        providers, precisions = session.providers, session.precisions
    encode, word, decode = (
        round(1000 * median(timings[stage] for timings in rounds[1:]), 2) for stage in ("image", "text", "decode")
    )
    trial = Trial(
        provider,
        active=providers["image_encoder"],
        parts={role: f"{short_name(names[0])}, {precisions[role]}" for role, names in providers.items()},
        load_ms=round(1000 * loaded, 2),
        encode_ms=encode,
        word_ms=word,
        decode_ms=decode,
    )
    return trial if provider == AUTO else _proven(trial)


def _proven(trial: Trial) -> Trial:
    """The trial with what a new proof of its provider says."""
    from sam3_onnx.models.runtime.providers.names import spelt_out  # noqa: PLC0415 - as above
    from sam3_onnx.models.runtime.providers.proof import prove  # noqa: PLC0415
    from sam3_onnx.models.runtime.settings import RuntimeSettings  # noqa: PLC0415

    ((name, options),) = spelt_out(trial.provider)
    proof = prove((name, options), RuntimeSettings(provider=name))
    found, allowed = proof.changes.largest, proof.limits.largest
    return replace(trial, difference=found if math.isfinite(found) else None, allowed=allowed, failure=proof.failure)


def main() -> None:
    """Makes the trial of the provider named on the command line and prints it as JSON."""
    from sam3_onnx.errors import Sam3Error  # noqa: PLC0415 - as above

    provider = sys.argv[1]
    try:
        trial = run_trial(provider)
    except Sam3Error as error:
        trial = Trial(provider, error=str(error))
    sys.stdout.write(json.dumps(asdict(trial)) + "\n")
