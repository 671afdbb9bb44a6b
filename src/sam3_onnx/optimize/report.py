"""What an optimisation changed, and what it cost."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.units import in_bytes
from sam3_onnx.optimize.fidelity import LEAST_COSINE, LEAST_IOU, LEAST_MEAN_IOU, MOST_SCORE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sam3_onnx.optimize.fidelity import Fidelity
    from sam3_onnx.optimize.timing import PairedTime

__all__ = ["GraphChange", "OptimizeReport"]

_LIMITS = {
    "features, cosine at least": LEAST_COSINE,
    "score, difference at most": MOST_SCORE,
    "mask IoU, at least": LEAST_IOU,
    "mask IoU on average, at least": LEAST_MEAN_IOU,
}


@dataclass(frozen=True)
class GraphChange:
    """What became of one graph."""

    role: str
    """image_encoder, text_encoder, decoder, ...; "tracker/..." for a tracker beside a family."""
    file: str
    """Its path in the folder."""
    precision: str
    """What it has now: that asked for, or "unchanged"."""
    why: str
    """How many layers were rewritten, or why the graph stayed as it was."""
    bytes_before: int
    """Of the graph and its external data."""
    bytes_after: int
    time: PairedTime | None
    """Of one run, before and after; None for a graph that stayed as it was."""


@dataclass(frozen=True)
class OptimizeReport:
    """What an optimise did, and how far the answers differ from before."""

    precision: str
    folder: Path
    """Where the optimised export is."""
    graphs: Sequence[GraphChange]
    fidelity: Mapping[str, Fidelity]
    """For each stage exchanged alone, and for the whole."""
    pictures: Sequence[str]
    words: Sequence[str]

    def json(self) -> str:
        """As it is stored in the target."""
        entries = asdict(self) | {"folder": self.folder.name, "limits": _LIMITS}
        return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"

    def __str__(self) -> str:
        rows = [("graph", "precision", "size before", "size after", "ms before", "ms after", "ratio", "")]
        for graph in self.graphs:
            sizes = (in_bytes(graph.bytes_before), in_bytes(graph.bytes_after))
            rows.append((graph.role, graph.precision, *sizes, *_times(graph.time), graph.why))
        seen = [("exchanged", "features", "score", "mask IoU", "on average", "changed answers")]
        for stage, fidelity in self.fidelity.items():
            features = f"{min(fidelity.features.values()):.5f}" if fidelity.features else "-"
            masks = (f"{fidelity.mask_iou:.3f}", f"{fidelity.mean_iou:.3f}") if fidelity.masks else ("-", "-")
            seen.append((stage, features, f"{fidelity.score:.4f}", *masks, str(fidelity.lost)))
        asked = f"{', '.join(self.pictures)}: {', '.join(self.words)}, boxes and clicks as far as they are taken"
        return f"{_aligned(rows)}\n\n{_aligned(seen)}\n{asked}"


def _times(time: PairedTime | None) -> tuple[str, str, str]:
    if time is None:
        return "-", "-", "-"
    spread = f"{time.ratio:.2f} ({time.lowest:.2f}-{time.highest:.2f})"
    return f"{time.before * 1000:.1f}", f"{time.after * 1000:.1f}", spread


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
