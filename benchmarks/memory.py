"""How much memory a session holds from call to call: `python benchmarks/memory.py FOLDER --calls 20`.

Encodes one random picture after another, without the cache, and prints after each call the resident
memory (of the whole process), its peak so far, and the seconds. With `--text` each picture is also
asked for these words. Reads /proc, so it needs Linux.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from statistics import median

import numpy as np

from sam3_onnx import Sam3Session

_SETTLED = 2
"""Calls after which memory must not grow any more."""


def main() -> None:
    """Opens the session, makes the calls and prints the table and the growth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of .onnx files")
    parser.add_argument("--calls", type=int, default=20, help="pictures to encode (default: %(default)s)")
    parser.add_argument("--text", help='words to ask each picture for, such as "person, car"')
    parser.add_argument("--provider", default="cpu", help="execution provider (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="threads of one run")
    options = parser.parse_args()
    chance = np.random.default_rng(0)
    resident, seconds = [], []
    print(f"{'call':>6}  {'resident MB':>11}  {'peak MB':>8}  {'seconds':>8}")
    _print_row("start", *memory())
    with Sam3Session.from_folder(
        options.folder, provider=options.provider, threads=options.threads, cache_bytes=0
    ) as session:
        _print_row("loaded", *memory())
        height, width = session.capabilities.input_size
        for call in range(1, options.calls + 1):
            picture = chance.integers(0, 256, (height, width, 3), dtype=np.uint8)
            began = time.perf_counter()
            embedding = session.encode(picture)
            if options.text:
                session.predict(embedding, options.text)
            del embedding
            seconds.append(time.perf_counter() - began)
            resident.append(memory()[0])
            _print_row(str(call), *memory(), seconds[-1])
    _print_row("closed", *memory())
    if len(resident) > _SETTLED:
        growth = resident[-1] / resident[_SETTLED - 1] - 1
        print(f"from call {_SETTLED} to call {len(resident)}: {growth:+.1%}; median {median(seconds):.3f} s")


def memory() -> tuple[float, float]:
    """Resident memory of this process now and at its highest, in MB of 10^6 bytes (proc(5), VmRSS and VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    now, peak = (re.search(rf"^{key}:\s+(\d+) kB", status, re.MULTILINE) for key in ("VmRSS", "VmHWM"))
    if now is None or peak is None:
        raise RuntimeError("/proc/self/status has no VmRSS and VmHWM: this kernel does not tell")
    return int(now[1]) * 1024 / 1e6, int(peak[1]) * 1024 / 1e6


def _print_row(name: str, now: float, peak: float, seconds: float | None = None) -> None:
    taken = "" if seconds is None else f"{seconds:8.3f}"
    print(f"{name:>6}  {now:11.0f}  {peak:8.0f}  {taken}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
