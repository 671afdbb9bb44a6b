"""Draws the pictures of the documentation from the library itself.

`python tools/docs_pictures.py` writes `docs/images/post-processing/*.png`, and `docs/images/preview.jpg`. They have a
dark ground of their own, so that they can be looked at on a dark page and on a light one.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from miniature.world import SHAPES, draw_scene
from sam3_onnx import Sam3Session, load_image
from sam3_onnx.annotate import annotate_folder
from sam3_onnx.geometry import mask_to_polygon, mask_to_polygons, mask_to_rectangle, mask_to_rotated_box
from sam3_onnx.images.writing import write_png

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

FOLDER = Path(__file__).parent.parent / "docs" / "images" / "post-processing"
SIDE, SCALE, GAP, CAPTION = 112, 2, 16, 34
GROUND, PIXEL, LIGHT = (30, 33, 41), (70, 78, 96), (235, 238, 245)
LINE, HOLE, MARK = (64, 224, 208), (255, 170, 60), (255, 90, 160)
_SHIFT = 4  # OpenCV's fixed-point coordinates, in bits

Sketch: TypeAlias = "Callable[[NDArray[np.uint8], NDArray[np.bool_]], None]"


def main() -> None:
    """Writes all of them."""
    FOLDER.mkdir(exist_ok=True)
    leaf, parts, slanted = _leaf(), _parts(), _slanted()
    rows = {
        "epsilon": [_outlined(leaf, epsilon) for epsilon in (0.0, 0.001, 0.01, 0.05)],
        "holes": [
            ("the mask", parts, _nothing),
            ("polygon()", parts, _largest),
            ("polygons()", parts, _all_parts),
            ("rle()", parts, _pixels),
        ],
        "boxes": [
            ("rectangle()", slanted, _upright),
            ("rotated_box()", slanted, _turned),
            ("rectangle(), parts", parts, _upright),
            ("rotated_box(), parts", parts, _turned),
        ],
    }
    for name, panels in rows.items():
        write_png(FOLDER / f"{name}.png", _row(panels))
        print(f"{name}.png")
    cv2.imwrite(str(FOLDER.parent / "preview.jpg"), _preview()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    print("preview.jpg")


def _preview() -> NDArray[np.uint8]:
    """What a run over generated scenes shows, at half its size."""
    with tempfile.TemporaryDirectory() as folder, Sam3Session.from_pretrained("miniature") as session:
        pictures, preview = Path(folder, "pictures"), Path(folder, "preview.png")
        pictures.mkdir()
        for seed in range(24):
            write_png(pictures / f"{seed:02}.png", draw_scene(np.random.default_rng(seed)).picture)
        annotate_folder(session, pictures, [*SHAPES, "coin"], preview=preview)
        return cv2.resize(load_image(preview), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _leaf() -> NDArray[np.bool_]:
    rows, columns = np.indices((SIDE, SIDE)) - SIDE / 2
    angle = np.arctan2(rows, columns)
    radius = 36 + 9 * np.cos(5 * angle + 0.5) + 2.5 * np.cos(19 * angle) + 1.2 * np.cos(41 * angle)
    return np.hypot(rows, columns) < radius


def _parts() -> NDArray[np.bool_]:
    rows, columns = np.indices((SIDE, SIDE))
    ring = np.hypot(rows - 46, columns - 44) < 34
    hole = np.hypot(rows - 40, columns - 50) < 14
    small = np.hypot(rows - 90, columns - 90) < 13
    return np.asarray(ring & ~hole | small)


def _slanted() -> NDArray[np.bool_]:
    rows, columns = np.indices((SIDE, SIDE)) - SIDE / 2
    along, across = (columns + 0.5 * rows) / np.hypot(1, 0.5), (rows - 0.5 * columns) / np.hypot(1, 0.5)
    return np.asarray((np.abs(along) < 44) & (np.abs(across) < 15 + 4 * np.cos(along / 5)))


def _row(panels: Sequence[tuple[str, NDArray[np.bool_], Sketch]]) -> NDArray[np.uint8]:
    side = SIDE * SCALE
    row = np.full((side + 2 * GAP + CAPTION, len(panels) * (side + GAP) + GAP, 3), GROUND, np.uint8)
    for index, (caption, mask, sketch) in enumerate(panels):
        left = GAP + index * (side + GAP)
        panel = row[GAP : GAP + side, left : left + side]
        panel[np.kron(mask, np.ones((SCALE, SCALE), np.bool_))] = PIXEL
        sketch(panel, mask)
        (width, _), _ = cv2.getTextSize(caption, cv2.FONT_HERSHEY_SIMPLEX, 0.55, 1)
        where = left + (side - width) // 2, GAP + side + CAPTION - 8
        cv2.putText(row, caption, where, cv2.FONT_HERSHEY_SIMPLEX, 0.55, LIGHT, 1, cv2.LINE_AA)
    return row


def _ring(panel: NDArray[np.uint8], vertices: NDArray[np.float64], colour: tuple[int, int, int] = LINE) -> None:
    points = np.rint((vertices + 0.5) * SCALE * 2**_SHIFT).astype(np.int32)
    cv2.polylines(panel, [points], True, colour, 2, cv2.LINE_AA, _SHIFT)  # noqa: FBT003 - closed
    for x, y in points:
        cv2.circle(panel, (int(x), int(y)), 2 * 2**_SHIFT, LIGHT, -1, cv2.LINE_AA, _SHIFT)


def _outlined(mask: NDArray[np.bool_], epsilon: float) -> tuple[str, NDArray[np.bool_], Sketch]:
    polygon = mask_to_polygon(mask, epsilon)
    assert polygon is not None  # noqa: S101 - the mask is drawn here
    return f"{epsilon:g}: {len(polygon)} vertices", mask, lambda panel, _: _ring(panel, polygon)


def _nothing(_panel: NDArray[np.uint8], _mask: NDArray[np.bool_]) -> None:
    pass


def _largest(panel: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    polygon = mask_to_polygon(mask, 0.005)
    assert polygon is not None  # noqa: S101
    _ring(panel, polygon)


def _all_parts(panel: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    for part in mask_to_polygons(mask, 0.005):
        _ring(panel, part.exterior)
        for hole in part.holes:
            _ring(panel, hole, HOLE)


def _pixels(panel: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    panel[np.kron(mask, np.ones((SCALE, SCALE), np.bool_))] = LINE


def _upright(panel: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    rectangle = mask_to_rectangle(mask)
    assert rectangle is not None  # noqa: S101
    x1, y1, x2, y2 = (edge * SCALE for edge in rectangle)
    cv2.rectangle(panel, (x1, y1), (x2 - 1, y2 - 1), LINE, 2)


def _turned(panel: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    box = mask_to_rotated_box(mask)
    assert box is not None  # noqa: S101
    _ring(panel, box.corners)
    first, second = ((corner + 0.5) * SCALE for corner in box.corners[:2])
    arrow = first + (second - first) * 0.55
    ends = [tuple(int(value) for value in np.rint(end)) for end in (first, arrow)]
    cv2.arrowedLine(panel, ends[0], ends[1], MARK, 3, cv2.LINE_AA, 0, 0.18)
    cv2.circle(panel, ends[0], 6, MARK, -1, cv2.LINE_AA)


if __name__ == "__main__":
    main()
