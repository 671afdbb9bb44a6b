"""Entries of label files that make no sense: shapes in JSON, annotations of COCO, lines of YOLO.

Each function of a table changes an entry in place, or returns a changed line.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.fuzz.label_files import png_text
from tools.fuzz.png_files import SIGNATURE, chunk, png

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Size = tuple[int, int]
    Change = Callable[[dict[str, Any], Size, Random], object]

__all__ = ["BAD_ANNOTATIONS", "BAD_ENTRIES", "BAD_LINES", "BAD_MASKS", "ODD_ENTRIES", "ODD_LINES"]

_HUGE = 10**400
_NO_NUMBERS: tuple[object, ...] = (None, "1", [], {}, True, _HUGE, 1e300)
_NO_JSON = (float("nan"), float("inf"))
"""Numbers that JSON does not have, so that the whole file is none."""
_FAR = 40_000


def _odd_point(entry: dict[str, Any], _size: Size, chance: Random) -> None:
    place = chance.randrange(len(entry["points"]))
    entry["points"][place] = entry["points"][place][:1] * chance.choice((0, 1, 3))


def _no_number(entry: dict[str, Any], _size: Size, chance: Random) -> None:
    chance.choice(entry["points"])[chance.randrange(2)] = chance.choice((*_NO_NUMBERS, *_NO_JSON))


def _mask_of(text: str, entry: dict[str, Any], left: float = 0) -> None:
    entry.update(shape_type="mask", mask=text, points=[[left, 0], [left + 3, 3]])


def _large_mask(entry: dict[str, Any], size: Size, _chance: Random) -> None:
    _mask_of(png_text(np.ones((size[0] + 1, size[1] + 1), np.bool_)), entry)


def _huge_mask(entry: dict[str, Any], _size: Size, _chance: Random) -> None:
    """Claims a picture of 40,000 x 40,000 in a hundred bytes."""
    small = png(np.ones((4, 4, 1), np.uint8))
    header = chunk(b"IHDR", _FAR.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0]))
    _mask_of(base64.b64encode(SIGNATURE + header + small[33:]).decode("ascii"), entry)


def _no_mask(entry: dict[str, Any], _size: Size, chance: Random) -> None:
    _mask_of(chance.choice(("", "no base64", "AAAA", png_text(np.ones((4, 4), np.bool_))[:60])), entry)


def _far_mask(entry: dict[str, Any], _size: Size, _chance: Random) -> None:
    _mask_of(png_text(np.ones((4, 4), np.bool_)), entry, left=1e300)


def _set(name: str, *values: object) -> Change:
    def change(entry: dict[str, Any], _size: Size, chance: Random) -> None:
        entry[name] = chance.choice(values)

    return change


BAD_ENTRIES: dict[str, Change] = {
    "odd coordinates": _odd_point,
    "coordinate that is none": _no_number,
    "points that are none": _set("points", None, "x", {}, [1, 2], [[1, 2], None], [["1", "2"]]),
    "label that is none": _set("label", None, 3, ["a"], {}),
    "type that is none": _set("shape_type", None, 3, ["polygon"]),
}
ODD_ENTRIES: dict[str, Change] = {
    "shape of another kind": _set("shape_type", "brush", "cuboid", "quadrilateral", "oriented_rectangle", "ellipse"),
    "field of another program": _set("texture", {"deep": [1, 2.5, None]}, "text", [], 10**30, 0.1),
    "one point": lambda entry, _size, _chance: entry["points"].__delitem__(slice(1, None)),
    "no points": _set("points", []),
}
"""Entries that a reader may not know; what it reads it has to keep."""
BAD_MASKS: dict[str, Change] = {
    "mask larger than the picture": _large_mask,
    "mask of 40,000 x 40,000": _huge_mask,
    "mask that is no picture": _no_mask,
    "mask far away": _far_mask,
}
"""Of labelme alone, whose shapes hold masks."""


def _bad_numbers(entry: dict[str, Any], _size: Size, chance: Random) -> None:
    values: list[object] = [1, 2, 3, 4, 5, 6]
    values[chance.randrange(6)] = chance.choice(_NO_NUMBERS)
    entry["segmentation"] = [values]


def _bad_box(entry: dict[str, Any], _size: Size, chance: Random) -> None:
    entry.pop("segmentation", None)
    entry["bbox"] = chance.choice(([1, 2, 3], [], None, "x", [1, 2, 3, 4, 5, 6], [1, 2, 3, None], [_HUGE, 1, 2, 3]))


def _runs(entry: dict[str, Any], counts: object, size: object) -> None:
    entry["segmentation"] = {"counts": counts, "size": size}


def _short_runs(entry: dict[str, Any], size: Size, chance: Random) -> None:
    pixels = size[0] * size[1]
    counts = chance.choice(([pixels - 1], [pixels, 1], [pixels // 2], [], [-1, pixels + 1], [pixels - 0.5, 0.5]))
    _runs(entry, counts, [*size])


def _swapped_runs(entry: dict[str, Any], size: Size, _chance: Random) -> None:
    height, width = size if size[0] != size[1] else (size[0], size[1] + 1)
    _runs(entry, [height * width], [width, height])


def _huge_runs(entry: dict[str, Any], _size: Size, _chance: Random) -> None:
    _runs(entry, [60_000 * 60_000], [60_000, 60_000])


def _bad_text_runs(entry: dict[str, Any], size: Size, chance: Random) -> None:
    _runs(entry, chance.choice(("", "~~~", "0" * 40, "o", "PPPPPPPPPPPPPPPPPP0", "ä1", None, 3)), [*size])


def _bad_sizes(entry: dict[str, Any], size: Size, chance: Random) -> None:
    sizes: tuple[object, ...] = (None, [], [*size, 1], ["1", "2"], [_HUGE, 1], [-size[0], -size[1]], [0, 0])
    _runs(entry, [size[0] * size[1]], chance.choice(sizes))


BAD_ANNOTATIONS: dict[str, Change] = {
    "odd coordinates": _set("segmentation", [[10, 20, 40, 20, 40]], [[1, 2, 3, 4, 5, 6], [1]]),
    "empty ring": _set("segmentation", [[]], [[1, 2, 3, 4, 5, 6], []]),
    "coordinate that is none": _bad_numbers,
    "outline that is none": _set("segmentation", "x", 3, [1, 2, 3, 4], [None], [{}]),
    "box that is none": _bad_box,
    "category that is not listed": _set("category_id", 999, -1, _HUGE),
    "no category": lambda entry, _size, _chance: entry.pop("category_id"),
    "category that is no number": _set("category_id", None, [], {}, 0.5),
    "runs that do not add up": _short_runs,
    "runs of swapped sides": _swapped_runs,
    "runs of 60,000 x 60,000": _huge_runs,
    "runs that are no text": _bad_text_runs,
    "runs without a size": _bad_sizes,
}


def _class(*numbers: str) -> Callable[[list[str], Random], list[str]]:
    return lambda words, chance: [chance.choice(numbers), *words[1:]]


def _word(*texts: str) -> Callable[[list[str], Random], list[str]]:
    def change(words: list[str], chance: Random) -> list[str]:
        at = chance.randrange(1, len(words))
        return [*words[:at], chance.choice(texts), *words[at + 1 :]]

    return change


BAD_LINES: dict[str, Callable[[list[str], Random], list[str]]] = {
    "class beyond the list": _class("4", "80", "1" * 400),
    "class that is none": _class("coin", "-1", "1.5", "nan", "1e400", "0x1"),
    "coordinate that is none": _word("x", "nan", "inf", "-inf", "1e400", "0,5", "1e300"),
    "too few coordinates": lambda words, chance: words[: chance.randint(1, 4)],
}
ODD_LINES: dict[str, tuple[str, ...]] = {
    "rows without area": ("0 0.5 0.5 0 0", "1 0.5 0.5 0.2 0", "0 0.1 0.1 0.1 0.1 0.1 0.1"),
    "rows in pixels": ("1 30 20 10 8", "0 1 1 30 2 17 16.5", "2 1 1 9 1 9 9 1 9"),
    "rows over the edge": ("0 1.2 0.5 0.6 0.3", "0 -0.1 0.2 1.3 0.2 0.5 0.9", "1 0 0 1.1 0 1.1 1.1 0 1.1"),
    "rows with more columns": (
        "0 0.5 0.5 0.2 0.2 0.9",
        "0 0.5 0.5 0.2 0.2 0.3 0.3 2 0.4 0.4 1",
        "0 0.5 0.5 0.2 0.2 1 7",
    ),
    "rows in another form": (
        "# by hand",
        "",
        "0.0 0.50 5e-1 .2 0.2",
        "+1 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5",
        "1\t0.5\t0.5\t0.1\t0.1",
    ),
}
"""Lines that other programs and people write; what is read has to be kept."""
