"""Measures a trained tracker on the fixed test clips: `python tools/miniature/evaluate_clips.py [WEIGHTS]`.

Every thing that can be pointed at on the first frame is clicked once there, and followed to the end. Training never saw
these clips, and the weights were not chosen with them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import torch
from fixed_clips import KINDS, TEST_SEED, fixed_clips, mean_of, measure
from tracker import TRACKER_WEIGHTS, Tracker, load_tracker


def main() -> None:
    """Prints the table and writes it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="?", type=Path, default=TRACKER_WEIGHTS)
    parser.add_argument("--count", type=int, default=20, help="clips of each kind")
    parser.add_argument("--json", type=Path, help="where to write the table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    tracker = Tracker(load_tracker(options.weights))
    table: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        rows = measure(tracker, {kind: fixed_clips(kind, options.count, TEST_SEED)})
        table |= rows
        for name, row in rows.items():
            print(name, {figure: round(value, 3) for figure, value in row.items()}, flush=True)
    print("mean", {figure: round(mean_of(table, figure), 3) for figure in ("J", "kept", "presence right")})
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
