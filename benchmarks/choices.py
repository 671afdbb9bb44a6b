"""Seconds against score change of each way to run a model: `python -m benchmarks.choices docs/images/choices.png`.

Figures are measured ones, kept in choices.json beside this file: seconds of a full-size image encoder from
`python -m benchmarks.run encoder`, score changes from `tools/miniature/evaluate.py --count 100`. Needs matplotlib.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

__all__ = ["Choice", "measured", "plot"]

_FIGURES = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Choice:
    """One way to run a model on one kind of processor."""

    processor: str
    """Name and day of measuring; the choices of one are next to each other."""
    way: str
    seconds: float
    """Of one picture of full size, in the image encoder."""
    mean: float
    """Of the largest change of a score in each of 600 questions to the miniature."""
    p99: float
    """99th percentile of the same."""


def measured() -> list[Choice]:
    """The figures that were measured last."""
    return [Choice(**row) for row in json.loads(_FIGURES.read_text(encoding="utf-8"))]


def plot(choices: list[Choice], path: Path) -> None:
    """One field for each processor: a point at the mean change of scores, a line up to the 99th percentile."""
    import matplotlib as mpl  # noqa: PLC0415 - only for plots

    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    fields = {name: list(rows) for name, rows in groupby(choices, lambda choice: choice.processor)}
    figure, axes = plt.subplots(
        len(fields), figsize=(8, 3.2 * len(fields)), layout="constrained", sharex=True, sharey=True, squeeze=False
    )
    for field, (processor, rows) in zip(axes[:, 0], fields.items(), strict=True):
        field.set_title(processor, loc="left", fontsize=10)
        for place, row in enumerate(rows):
            color = f"C{place}"
            field.vlines(row.seconds, row.mean, row.p99, color=color, linewidth=1)
            field.plot(row.seconds, row.mean, "o", color=color, label=f"{row.way}: {row.seconds:.3g} s")
        field.axhline(0, color="grey", linewidth=0.5)
        field.set_ylabel("change of scores")
        field.legend(fontsize=8, loc="upper right")
    axes[-1, 0].set_xlim(left=0)
    axes[-1, 0].set_xlabel("seconds for a picture (lower left is better: quick, and answers stay)")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Writes the chart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="the PNG to write")
    plot(measured(), parser.parse_args().path)


if __name__ == "__main__":
    main()
