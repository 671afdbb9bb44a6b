"""How do two ways of doing one thing compare on a machine that others use as well?

Single times mean little there. So the ways are run in turn, A B A B ..., and what is reported is
the ratio of the two times of each round: its median and how far it spreads.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Row", "Spread", "in_turn", "paired", "ratios_to"]

Row: TypeAlias = "dict[str, str | float | int | bool | None]"
"""One line of a result: a value for each column."""
_LEAST_SECONDS = 0.01
"""A shorter call is repeated within a round until it takes this long; the clock's noise is then below 1 %."""


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    p10: float
    p90: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Median, 10th and 90th percentile, linearly interpolated."""
        p10, median, p90 = (float(value) for value in np.percentile(values, (10, 50, 90)))
        return cls(median, p10, p90, len(values))


def in_turn(
    cases: Mapping[str, Callable[[], object]], *, rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Runs every case once in each round, after one run of each that is not counted.

    Args:
        cases: What to run, by name.
        rounds: How often.
        clock: What tells seconds; `time.process_time` for those that processors were busy.

    Returns:
        For each case its seconds in each round.
    """
    calls = {
        name: max(1, math.ceil(_LEAST_SECONDS / max(_seconds(run, 1, clock), 1e-7))) for name, run in cases.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, run in cases.items():
            seconds[name].append(_seconds(run, calls[name], clock))
    return seconds


def ratios_to(baseline: str, seconds: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    """How long each case took as a multiple of one of them, round by round."""
    return {
        name: Spread.of([mine / theirs for mine, theirs in zip(times, seconds[baseline], strict=True)])
        for name, times in seconds.items()
    }


def paired(
    case: str,
    ours: Callable[[], object],
    baseline: Callable[[], object],
    *,
    pairs: int,
    target: float | None = None,
) -> Row:
    """Measures one way against another.

    Args:
        case: What is measured.
        ours: The library's way.
        baseline: The other way.
        pairs: How often both are run.
        target: The ratio to stay at or below.

    Returns:
        The row of a result: the ratio's median and spread, and the median seconds of both sides.
    """
    seconds = in_turn({"ours": ours, "baseline": baseline}, rounds=pairs)
    return row_of(case, seconds, target=target)


def row_of(case: str, seconds: Mapping[str, Sequence[float]], *, target: float | None = None) -> Row:
    """The row of seconds that `in_turn` measured of "ours" and "baseline"."""
    ratio = ratios_to("baseline", seconds)["ours"]
    return {
        "case": case,
        "ratio": ratio.median,
        "p10": ratio.p10,
        "p90": ratio.p90,
        "n": ratio.n,
        "seconds": float(np.median(seconds["ours"])),
        "baseline_seconds": float(np.median(seconds["baseline"])),
        "target": target,
        "met": None if target is None else ratio.median <= target,
    }


def _seconds(run: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    began = clock()
    for _ in range(calls):
        run()
    return (clock() - began) / calls
