"""The command line: `python -m tools.fuzz pictures --count 20000 --seed 1`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from tools.fuzz.api import ApiSubject
from tools.fuzz.bundles import BundleSubject
from tools.fuzz.caches import CacheSubject
from tools.fuzz.examining import judged
from tools.fuzz.hubs import HubSubject
from tools.fuzz.labels import LabelSubject
from tools.fuzz.pictures import PictureSubject
from tools.fuzz.report import findings, table
from tools.fuzz.workers import Limits, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.fuzz.inputs import AnySubject, Outcome

__all__ = ["SUBJECTS", "main"]

SUBJECTS: dict[str, Callable[[int], AnySubject]] = {
    "pictures": PictureSubject,
    "labels": LabelSubject,
    "hub": HubSubject,
    "bundles": BundleSubject,
    "cache": CacheSubject,
    "api": ApiSubject,
}
_INTERRUPTED = 130


def main(
    arguments: Sequence[str] | None = None, subjects: Mapping[str, Callable[[int], AnySubject]] | None = None
) -> int:
    """Runs the fuzzer and prints its table.

    Returns:
        0 where every input was right, 1 where one was not, 130 after Ctrl-C.
    """
    asked = _parser().parse_args(arguments)
    subject = (subjects or SUBJECTS)[asked.what](asked.seed)
    if asked.only is not None:
        return _run_one(subject, asked.only, asked.keep)
    return _run(subject, asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tools.fuzz", description=__doc__)
    parser.add_argument("what", choices=sorted(SUBJECTS))
    parser.add_argument("--count", type=int, default=2000, help="inputs to make, numbered from 0")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same inputs")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="inputs read at a time")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the files of each finding are put")
    parser.add_argument("--only", type=int, metavar="N", help="read input N alone, here, and show its traceback")
    parser.add_argument("--seconds", type=float, default=Limits.seconds, help="for each input")
    parser.add_argument("--megabytes", type=int, default=Limits.megabytes, help="of memory for each input")
    return parser


def _run(subject: AnySubject, asked: argparse.Namespace) -> int:
    limits = Limits(asked.seconds, asked.megabytes)
    done: list[Outcome] = []
    running = outcomes(subject, range(asked.count), processes=asked.processes, limits=limits)
    is_whole = True
    try:
        for outcome in tqdm(running, total=asked.count, unit=" inputs", disable=None):
            done.append(outcome)
            if outcome.is_finding and asked.keep is not None:
                _keep(subject, outcome.number, asked.keep, outcome.reason)
    except KeyboardInterrupt:
        is_whole = False
        print(f"Stopped after {len(done)} of {asked.count} inputs.")
    finally:
        running.close()
    print(table(done))
    print(findings(done))
    if not is_whole:
        return _INTERRUPTED
    return int(any(outcome.is_finding for outcome in done))


def _run_one(subject: AnySubject, number: int, keep: Path | None) -> int:
    made = subject.make(number)
    print(f"input {number}: {made.format}, {made.mutation}: {made.duty.value}")
    if keep is not None:
        _keep(subject, number, keep, "")
    print(judged(subject, made).value)
    return 0


def _keep(subject: AnySubject, number: int, keep: Path, reason: str) -> None:
    made = subject.make(number)
    folder = keep / f"{number:06}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.files.items():
        folder.joinpath(name).write_bytes(content)
    note = f"{made.format}, {made.mutation}: {made.duty.value}\n{reason}\n"
    folder.joinpath("what-is-wrong.txt").write_text(note, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
