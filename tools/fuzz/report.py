"""The table of a run: how many inputs of each format and mutation were read, refused or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.fuzz.inputs import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tools.fuzz.inputs import Outcome

__all__ = ["findings", "table"]

_HEADER = (
    "format",
    "mutation",
    "inputs",
    "refused",
    "read",
    "wrong",
    "plain exceptions",
    "over a limit",
    "slowest ms",
    "peak MB",
)
_NAMES = 2


def table(outcomes: Iterable[Outcome]) -> str:
    """Returns a row for each format and mutation, and one for all."""
    rows: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        rows.setdefault((outcome.format, outcome.mutation), []).append(outcome)
    everything = [outcome for row in rows.values() for outcome in row]
    lines = [_HEADER, *(_row(names, rows[names]) for names in sorted(rows)), _row(("all", ""), everything)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def findings(outcomes: Iterable[Outcome]) -> str:
    """Returns a line for each input that somebody has to look at, in the order of their numbers."""
    found = sorted((one for one in outcomes if one.is_finding), key=lambda one: one.number)
    return "\n".join(
        f"input {one.number}: {one.format}, {one.mutation}: {one.answer.value}: {one.reason[:300]}" for one in found
    )


def _row(names: tuple[str, str], outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    counts = [sum(one.answer is answer for one in outcomes) for answer in _COLUMNS]
    slowest = max((one.milliseconds for one in outcomes), default=0.0)
    peak = max((one.peak_bytes for one in outcomes), default=0) / 2**20
    return (*names, str(len(outcomes)), *map(str, counts), f"{slowest:.0f}", f"{peak:.0f}")


_COLUMNS = (Answer.REFUSED, Answer.READ, Answer.WRONG, Answer.PLAIN, Answer.OVER)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if place < _NAMES else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
