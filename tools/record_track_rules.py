"""Write transformers' answers to scripted detections and masks.

    python -m tools.record_track_rules

Needs the extra `export`. The tests compare the rules of `sam3_onnx.video` with the file, and so need neither PyTorch
nor transformers. On frames that remove a track, transformers gives masks and tracker scores to wrong ids; there the
file has each mask with its own track, as transformers holds it before, and no tracker scores.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import transformers

from tests.support.places import DATA
from tests.support.reference_rules import ReferenceFrame, follow_by_reference
from tests.support.scripted_tracks import Script, weight

if TYPE_CHECKING:
    from collections.abc import Iterable

TARGET = DATA / "video" / "track_rules.json.gz"
RUNS = 24
DIGITS = 5


def main() -> None:
    """Records the runs, and says how often each rule came into play."""
    runs = {str(seed): [_outline(frame) for _, frame in follow_by_reference(Script(seed))] for seed in range(RUNS)}
    content = json.dumps({"transformers": transformers.__version__, "runs": runs}, separators=(",", ":"))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(gzip.compress(content.encode(), mtime=0))
    frames = [frame for run in runs.values() for frame in run]
    counted = {name: sum(len(frame[name]) for frame in frames) for name in ("shown", "removed", "hidden", "memories")}
    print(f"{len(runs)} runs, {len(frames)} frames: {counted}; {TARGET.stat().st_size} bytes")


def _outline(frame: ReferenceFrame) -> dict[str, Any]:
    shown = sorted(set(frame.own_masks) - frame.removed - frame.hidden)
    memories = sorted(set(frame.memories) - frame.removed)
    return {
        "ids": frame.ids,
        "removed": sorted(frame.removed),
        "hidden": sorted(frame.hidden - frame.removed),
        "shown": {str(track): _rounded([*weight(frame.own_masks[track]), frame.scores[track]]) for track in shown},
        "track_scores": None
        if frame.removed
        else {str(track): round(frame.track_scores[track], DIGITS) for track in shown},
        "memories": {
            str(track): _rounded([*weight(frame.memories[track][0]), frame.memories[track][1]]) for track in memories
        },
    }


def _rounded(numbers: Iterable[float]) -> list[float]:
    return [round(number, DIGITS) for number in numbers]


if __name__ == "__main__":
    main()
