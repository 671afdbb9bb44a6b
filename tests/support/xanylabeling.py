"""What the client of X-AnyLabeling sends and receives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sam3_onnx import Shape

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "x-anylabeling-server"
ONE_COIN = [21, 34, 65, 72]
ONE_RECT = [{"type": "rectangle", "data": ONE_COIN, "label": 1}]
"""As the client's canvas gives it for +Rect."""
TWO_RECTS = [*ONE_RECT, {"type": "rectangle", "data": [300, 200, 350, 250], "label": 0}]


def asked(**params: object) -> dict[str, object]:
    """What the client sends for the widgets as they stand at the start."""
    return {"conf_threshold": 0.5, "iou_threshold": 0.0, "epsilon_factor": 0.001, **params}


def sent(shapes: list[Shape]) -> list[tuple[str, str, list[list[float]]]]:
    """Label, type and points as they go over the wire: a polygon's first vertex comes again."""
    rows: list[tuple[str, str, list[list[float]]]] = []
    for shape in shapes:
        points = shape.points.tolist()
        rows.append((shape.label, shape.shape_type, points + points[:1] * (shape.shape_type == "polygon")))
    return rows


def received(shapes: list[Mapping[str, Any]]) -> list[tuple[str, str, list[list[float]]]]:
    return [(shape["label"], shape["shape_type"], shape["points"]) for shape in shapes]
