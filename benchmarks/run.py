"""Measures the library: `python -m benchmarks.run NAME|all [--json FILE] [--full-size FOLDER]`.

Prints each result as a table. Seconds are medians; ratios are ours / the other way, taken pair by pair
with the two in turn, with their 10th and 90th percentile.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import cache, decoding, encoder, folder, growth, machine, outlines, overhead, query, rules, start
from sam3_onnx.cli.opening import precision_of
from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.pairing import Row

__all__ = ["NAMES", "main", "table"]

NAMES = ("overhead", "query", "outlines", "cache", "decoding", "folder", "growth", "start", "rules", "encoder")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one benchmark, or all; of all, `encoder` only if there are variants."""
    options = _parser().parse_args(arguments)
    if options.pairs is not None and options.pairs < 1:
        sys.exit("--pairs needs at least 1")
    asked = list(NAMES) if options.name == "all" else [options.name]
    if not (options.variants and options.baseline):
        if options.name == "encoder":
            sys.exit("encoder needs --baseline FOLDER and --variants FOLDER[@WAY] ...")
        asked = [name for name in asked if name != "encoder"]
    settings = RuntimeSettings(options.provider, precision=options.precision)
    where, before = machine.describe(), machine.load()
    print(json.dumps(where, indent=1))
    results: dict[str, list[Row]] = {}
    for name in asked:
        results[name] = _measure(name, options, settings)
        print(f"\n{name}\n\n{table(results[name])}", flush=True)
    after = machine.load()
    print(f"\nload: {before} before, {after} after")
    if options.plots and "growth" in results:
        growth.plot(results["growth"], options.plots / "growth.png")
    if options.plots and "encoder" in results:
        encoder.plot(results["encoder"], options.plots / "encoder.png")
    if options.json:
        found = {"machine": where, "load_before": before, "load_after": after, "results": results}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def table(rows: Sequence[Row]) -> str:
    """Rows under the names of their columns, aligned."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns, *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    lines = [
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: str | float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _measure(name: str, options: argparse.Namespace, settings: RuntimeSettings) -> list[Row]:
    counted = {} if options.pairs is None else {"pairs": options.pairs}
    runs: dict[str, Callable[[], list[Row]]] = {
        "overhead": lambda: overhead.measure(full_size=options.full_size, settings=settings, **counted),
        "query": lambda: query.measure(
            full_size=options.full_size, six_files=options.six_files, settings=settings, **counted
        ),
        "outlines": lambda: outlines.measure(**counted),
        "cache": lambda: cache.measure(**counted),
        "decoding": lambda: decoding.measure(**counted),
        "folder": lambda: folder.measure(**counted),
        "growth": lambda: growth.measure(**counted),
        "start": lambda: start.measure(provider=options.provider, **counted),
        "rules": lambda: rules.measure(**counted),
        "encoder": lambda: encoder.measure(baseline=options.baseline, variants=options.variants, **counted),
    }
    return runs[name]()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=(*NAMES, "all"))
    parser.add_argument("--pairs", type=int, help="how often each way is run (each benchmark has its own default)")
    parser.add_argument("--json", type=Path, help="write everything to this file, too")
    parser.add_argument("--full-size", type=Path, help="a native bundle of full size, see tools/full_size.py")
    parser.add_argument("--six-files", type=Path, help="query: six files of full size, see tools/full_size.py")
    parser.add_argument("--provider", default="cpu", help="of the library (default: %(default)s)")
    told = "of the library: a word, or parts with words, such as image_encoder=bfloat16 (default: %(default)s)"
    parser.add_argument("--precision", type=precision_of, default="auto", help=told)
    parser.add_argument("--plots", type=Path, help="write plots into this folder (needs matplotlib)")
    parser.add_argument(
        "--baseline", type=Path, help="encoder: the folder, or the file of an image encoder, to compare with"
    )
    parser.add_argument("--variants", nargs="+", default=[], metavar="FOLDER[@WAY]", help="encoder: the others")
    return parser


if __name__ == "__main__":
    main()
