"""Report of an optimisation: changed graphs, sizes, times and differences of the results."""

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
    """Change of one graph."""

    role: str
    """Role: image_encoder, text_encoder, decoder, ...; "tracker/..." for a tracker in the same folder as a family."""
    file: str
    """Path of the graph in the folder."""
    precision: str
    """New precision: the requested one, or "unchanged"."""
    why: str
    """Number of converted layers, or the reason why the graph is unchanged."""
    bytes_before: int
    """Size of the original graph and its external data in bytes."""
    bytes_after: int
    time: PairedTime | None
    """Time of one run before and after; None for an unchanged graph."""


@dataclass(frozen=True)
class OptimizeReport:
    """Report of `optimize`, with the differences of the results."""

    precision: str
    folder: Path
    """Folder of the optimised export."""
    graphs: Sequence[GraphChange]
    fidelity: Mapping[str, Fidelity]
    """Differences for each stage that was replaced alone, and for the complete model."""
    pictures: Sequence[str]
    words: Sequence[str]

    def json(self) -> str:
        """Returns the report as JSON, as it is stored in the target folder."""
        entries = asdict(self) | {"folder": self.folder.name, "limits": _LIMITS}
        return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"

    def __str__(self) -> str:
        rows = [("graph", "precision", "size before", "size after", "ms before", "ms after", "ratio", "")]
        for graph in self.graphs:
            sizes = (in_bytes(graph.bytes_before), in_bytes(graph.bytes_after))
            rows.append((graph.role, graph.precision, *sizes, *_times(graph.time), graph.why))
        seen = [("replaced", "features", "score", "mask IoU", "on average", "changed results")]
        for stage, fidelity in self.fidelity.items():
            features = f"{min(fidelity.features.values()):.5f}" if fidelity.features else "-"
            masks = (f"{fidelity.mask_iou:.3f}", f"{fidelity.mean_iou:.3f}") if fidelity.masks else ("-", "-")
            seen.append((stage, features, f"{fidelity.score:.4f}", *masks, str(fidelity.lost)))
        asked = f"{', '.join(self.pictures)}: {', '.join(self.words)}, and boxes and clicks if supported"
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
