"""Whole label files in all formats, made in memory, each with the shapes that a reader has to find in it."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from numpy.typing import NDArray

    Point = tuple[float, float]

__all__ = ["FORMATS", "LABELS", "Expected", "WholeLabels", "png_text", "whole_labels"]

LABELS = ("coin", "street car", "Straße", "猫")
_TYPES = {
    "polygon": (3, 9),
    "rectangle": (2, 2),
    "circle": (2, 2),
    "point": (1, 1),
    "line": (2, 2),
    "linestrip": (2, 6),
}
"""Kinds of shapes that both programs with JSON know, and how many points each has at least and at most."""


@dataclass(frozen=True)
class Expected:
    """A shape that a reader has to find."""

    label: str
    shape_type: str
    points: Sequence[Point] | None
    """In pixels, None where the mask says it all."""
    mask: NDArray[np.bool_] | None = None
    """(H, W), as large as the picture."""


@dataclass(frozen=True)
class WholeLabels:
    """The label file of a picture `a.png`, with the files that belong to it."""

    format: str
    files: Mapping[str, bytes]
    """By name; the label file itself comes first."""
    size: tuple[int, int]
    """(height, width) of the picture."""
    shapes: Sequence[Expected]


def whole_labels(format_name: str, chance: Random) -> WholeLabels:
    """Returns the label file of one of `FORMATS`; the same chance makes the same file."""
    size = chance.randint(20, 80), chance.randint(20, 80)
    return _MAKERS[format_name](format_name, size, chance)


def png_text(mask: NDArray[np.generic]) -> str:
    """Returns a mask (h, w) as labelme writes it: a grey PNG of 0 and 1 in base64."""
    file = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def _point(size: tuple[int, int], chance: Random) -> Point:
    """Returns a point of a picture, one in ten a little beyond its edge."""
    height, width = size
    beyond = 3 if chance.random() < 0.1 else 0
    return round(chance.uniform(-beyond, width + beyond), 2), round(chance.uniform(-beyond, height + beyond), 2)


def _points(count: int, size: tuple[int, int], chance: Random) -> list[Point]:
    return [_point(size, chance) for _ in range(count)]


def _window(size: tuple[int, int], chance: Random) -> tuple[int, int, NDArray[np.bool_]]:
    """Returns left and top of a mask, and its pixels (h, w), which lie within the picture."""
    height, width = size
    h, w = chance.randint(1, height), chance.randint(1, width)
    pixels = np.random.default_rng(chance.getrandbits(32)).random((h, w)) < chance.uniform(0.2, 0.8)
    return chance.randint(0, width - w), chance.randint(0, height - h), pixels


def _full(left: int, top: int, pixels: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(size, np.bool_)
    mask[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return mask


def _labelme(format_name: str, size: tuple[int, int], chance: Random) -> WholeLabels:
    entries: list[dict[str, object]] = []
    shapes: list[Expected] = []
    for _ in range(chance.randint(0, 5)):
        label, group = chance.choice(LABELS), chance.choice((None, None, 3))
        common: dict[str, object] = {
            "label": label,
            "group_id": group,
            "description": chance.choice(("", "by hand")),
            "flags": {},
        }
        if chance.random() < 0.25:
            left, top, pixels = _window(size, chance)
            corners = [[left, top], [left + pixels.shape[1] - 1, top + pixels.shape[0] - 1]]
            entries.append({**common, "points": corners, "shape_type": "mask", "mask": png_text(pixels)})
            shapes.append(Expected(label, "mask", None, _full(left, top, pixels, size)))
        else:
            kind, points = _drawn(size, chance)
            entries.append({**common, "points": points, "shape_type": kind, "mask": None})
            shapes.append(Expected(label, kind, points))
    version = chance.choice(("5.5.0", "6.3.1", "7.1.0"))
    return _json(format_name, {"version": version, "flags": {"night": True}}, entries, size, shapes)


def _xanylabeling(format_name: str, size: tuple[int, int], chance: Random) -> WholeLabels:
    entries: list[dict[str, object]] = []
    shapes: list[Expected] = []
    for _ in range(chance.randint(0, 5)):
        label = chance.choice(LABELS)
        kind, points = _drawn(size, chance)
        more: dict[str, object] = {}
        if chance.random() < 0.3:
            kind, points = chance.choice((("rotation", 4), ("cuboid", 8), ("quadrilateral", 4)))[0], []
            points = _points(8 if kind == "cuboid" else 4, size, chance)
            more = {"direction": 1.25} if kind == "rotation" else {}
        entries.append(
            {
                "label": label,
                "score": chance.choice((None, 0.5, 1)),
                "points": points,
                "group_id": chance.choice((None, 1)),
                "description": chance.choice((None, "", "by hand")),
                "difficult": chance.random() < 0.2,
                "shape_type": kind,
                "flags": {},
                "attributes": chance.choice(({}, {"colour": "red"})),
                "kie_linking": [],
                **more,
            }
        )
        shapes.append(Expected(label, kind, points))
    version = chance.choice(("2.4.4", "3.0.0", "4.0.2"))
    return _json(format_name, {"version": version, "flags": {}, "checked": True}, entries, size, shapes)


def _drawn(size: tuple[int, int], chance: Random) -> tuple[str, list[Point]]:
    kind = chance.choice(list(_TYPES))
    return kind, _points(chance.randint(*_TYPES[kind]), size, chance)


def _json(
    format_name: str,
    start: dict[str, object],
    entries: list[dict[str, object]],
    size: tuple[int, int],
    shapes: list[Expected],
) -> WholeLabels:
    picture = {"imagePath": "a.png", "imageData": None, "imageHeight": size[0], "imageWidth": size[1]}
    content = {**start, "shapes": entries, **picture, "tags": ["kept"]}
    text = json.dumps(content, ensure_ascii=False, indent=2).encode()
    return WholeLabels(format_name, {"a.json": text}, size, shapes)


def _yolo(format_name: str, size: tuple[int, int], chance: Random) -> WholeLabels:
    height, width = size
    has_scores = chance.random() < 0.3
    lines, shapes = [], []
    for _ in range(chance.randint(0, 5)):
        number = chance.randrange(len(LABELS))
        shares = [round(chance.random(), 6) for _ in range(2 * _yolo_pairs(format_name, chance))]
        words = [str(number), *(f"{share:.6f}" for share in shares), *(["0.75"] if has_scores else [])]
        lines.append(" ".join(words))
        x, y, w, h = shares[:4]
        if format_name == "yolo-detect":
            shares = [x - w / 2, y - h / 2, x + w / 2, y - h / 2, x + w / 2, y + h / 2, x - w / 2, y + h / 2]
        points = [(shares[at] * width, shares[at + 1] * height) for at in range(0, len(shares), 2)]
        kind = {"yolo-detect": "rectangle", "yolo-segment": "polygon", "yolo-obb": "rotation"}[format_name]
        shapes.append(Expected(LABELS[number], kind, points))
    end = chance.choice(("\n", "\r\n"))
    names = "".join(f"{label}\n" for label in LABELS)
    files = {"a.txt": "".join(line + end for line in lines).encode(), "classes.txt": names.encode()}
    return WholeLabels(format_name, files, size, shapes)


def _yolo_pairs(format_name: str, chance: Random) -> int:
    return {"yolo-detect": 2, "yolo-segment": chance.randint(3, 9), "yolo-obb": 4}[format_name]


def _coco(format_name: str, size: tuple[int, int], chance: Random) -> WholeLabels:
    """Returns one file of two pictures of one size; shapes are those of `a.png`, `b.png` has one of each kind."""
    height, width = size
    images = [
        {"id": at, "file_name": f"{name}.png", "height": height, "width": width} for at, name in ((1, "a"), (7, "b"))
    ]
    categories = [{"id": 10 * at + 1, "name": label} for at, label in enumerate(LABELS)]
    annotations: list[dict[str, object]] = []
    shapes: list[Expected] = []
    for image, count in ((1, chance.randint(1, 4)), (7, 2)):
        for _ in range(count):
            number = chance.randrange(len(LABELS))
            facts, found = _coco_annotation(size, LABELS[number], chance)
            row = {"id": 100 + len(annotations), "image_id": image, "category_id": 10 * number + 1, **facts}
            annotations.append({**row, "by": "hand"})
            shapes += found if image == 1 else []
    content = {"info": {"year": 2024}, "images": images, "annotations": annotations, "categories": categories}
    return WholeLabels(format_name, {"annotations.json": json.dumps(content).encode()}, size, shapes)


def _coco_annotation(size: tuple[int, int], label: str, chance: Random) -> tuple[dict[str, object], list[Expected]]:
    kind = chance.choice(("polygons", "runs", "box"))
    x, y, w, h = (round(chance.uniform(1, 15), 2) for _ in range(4))
    facts: dict[str, object] = {"bbox": [x, y, w, h], "area": round(w * h, 2), "iscrowd": 0}
    if kind == "runs":
        mask = _full(*_window(size, chance), size)
        runs = {"size": [*size], "counts": run_lengths(mask)}
        return {**facts, "segmentation": runs, "iscrowd": 1}, [Expected(label, "mask", None, mask)]
    if kind == "polygons":
        rings = [_points(chance.randint(3, 8), size, chance) for _ in range(chance.randint(1, 3))]
        flat = [[value for point in ring for value in point] for ring in rings]
        return {**facts, "segmentation": flat}, [Expected(label, "polygon", ring) for ring in rings]
    corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    return facts, [Expected(label, "rectangle", corners)]


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Returns COCO's run lengths of a mask (H, W): column by column, background first."""
    pixels = mask.T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], pixels])))
    return list(map(int, np.diff(np.concatenate([[0], edges, [pixels.size]]))))


_MAKERS: dict[str, Callable[[str, tuple[int, int], Random], WholeLabels]] = {
    "labelme": _labelme,
    "xanylabeling": _xanylabeling,
    "yolo-detect": _yolo,
    "yolo-segment": _yolo,
    "yolo-obb": _yolo,
    "coco": _coco,
}

FORMATS = tuple(_MAKERS)
"""Names of the formats that can be made."""
