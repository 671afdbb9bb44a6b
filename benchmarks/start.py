"""How long from starting Python to the first answer, against onnxruntime alone on the same graphs?

Each start is a process of its own, the two in turn, on the miniature, whose files are in the system's
cache after the first round.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.pairing import row_of
from sam3_onnx.hub import model_folder

if TYPE_CHECKING:
    from benchmarks.pairing import Row

__all__ = ["measure"]

_STAGES = ("import", "load", "first answer", "all")
_LIBRARY = """
import json, sys, time
began = time.perf_counter()
import numpy as np
from sam3_onnx import Sam3Session
imported = time.perf_counter()
session = Sam3Session.from_pretrained("miniature", provider=sys.argv[2])
loaded = time.perf_counter()
session.predict(np.zeros((300, 400, 3), np.uint8), "coin")
done = time.perf_counter()
print(json.dumps([imported - began, loaded - imported, done - loaded, done - began]))
"""
_BARE = """
import json, sys, time
began = time.perf_counter()
import cv2
import numpy as np
import onnxruntime as ort
imported = time.perf_counter()
graphs = [
    ort.InferenceSession(f"{sys.argv[1]}/{name}.onnx", providers=["CPUExecutionProvider"])
    for name in ("image_encoder", "text_encoder", "geometry_encoder", "fusion", "decoder")
]
loaded = time.perf_counter()
height, width = graphs[0].get_inputs()[0].shape[1:]
pixels = cv2.resize(np.zeros((300, 400, 3), np.uint8), (width, height)).transpose(2, 0, 1).copy()
tokens = np.zeros((1, 32), np.int64)
tokens[0, :3] = 49406, 9134, 49407
feeds = {"image": pixels, "tokens": tokens}
feeds |= {"boxes": np.zeros((1, 1, 4), np.float32), "box_labels": np.full((1, 1), -10, np.int64)}
for session in graphs:
    names = [output.name for output in session.get_outputs()]
    given = {each.name: feeds[each.name] for each in session.get_inputs()}
    feeds.update(zip(names, session.run(names, given)))
done = time.perf_counter()
print(json.dumps([imported - began, loaded - imported, done - loaded, done - began]))
"""


def measure(*, pairs: int = 7, provider: str = "auto") -> list[Row]:
    """Starts both in turn.

    Args:
        pairs: How often.
        provider: What the library's session is opened with; onnxruntime alone runs on CPU.
    """
    seconds: dict[str, list[list[float]]] = {"ours": [], "baseline": []}
    for count in range(pairs + 1):
        for name, script in (("ours", _LIBRARY), ("baseline", _BARE)):
            taken = _run(script, provider)
            if count:
                seconds[name].append(taken)
    return [
        row_of(stage, {name: [taken[index] for taken in rounds] for name, rounds in seconds.items()})
        for index, stage in enumerate(_STAGES)
    ]


def _run(script: str, provider: str) -> list[float]:
    command = [sys.executable, "-c", script, str(model_folder("miniature")), provider]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - the scripts above
    seconds: list[float] = json.loads(answer.stdout)
    return seconds
