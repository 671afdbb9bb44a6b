"""Results as rows of a table, and rows as results again.

Every picture has at least one row, so that none is lost on the way. There are three kinds:

| Row | What it has beside `picture` |
|---|---|
| an instance | all but `error` |
| a picture in which nothing was found | `height` and `width` |
| a picture that could not be answered | `error` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.geometry.rle import rle_to_mask
from sam3_onnx.results.instance import DEFAULT_EPSILON, Instance
from sam3_onnx.results.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Row", "failures_of", "results_of", "row_of_failure", "rows_of"]


class Row(TypedDict):
    """One row; what it has not is None."""

    picture: str
    """Which picture: its path, or what else names it."""
    height: int | None
    """Of the picture, in pixels."""
    width: int | None
    instance: int | None
    """Number of the instance in its picture, from 0: by prompt in the order given, within it by falling score."""
    label: str | None
    prompt: str | None
    score: float | None
    """In 0..1."""
    x1: float | None
    """The box in pixels of the picture, half-open, as the model predicts it."""
    y1: float | None
    x2: float | None
    y2: float | None
    counts: str | None
    """The mask as COCO's compressed run lengths, of `height` and `width`."""
    error: str | None
    """The kind of error and what it says."""


_NOTHING: Row = {
    "picture": "",
    "height": None,
    "width": None,
    "instance": None,
    "label": None,
    "prompt": None,
    "score": None,
    "x1": None,
    "y1": None,
    "x2": None,
    "y2": None,
    "counts": None,
    "error": None,
}


@known_keywords()
def rows_of(picture: str, result: Segmentation) -> list[Row]:
    """The rows of a picture that was answered.

    Args:
        picture: What names it.
        result: The answer.

    Returns:
        One row for each instance in order; one without an instance if there is none.
    """
    height, width = result.size
    seen: Row = {**_NOTHING, "picture": picture, "height": height, "width": width}
    return [_row_of_instance(seen, number, one) for number, one in enumerate(result)] or [seen]


@known_keywords()
def row_of_failure(picture: str, error: Exception) -> Row:
    """The row of a picture that could not be answered.

    Args:
        picture: What names it.
        error: Why.
    """
    return {**_NOTHING, "picture": picture, "error": f"{type(error).__name__}: {error}"}


@known_keywords()
def results_of(rows: Iterable[Mapping[str, object]], *, epsilon: float = DEFAULT_EPSILON) -> dict[str, Segmentation]:
    """The results that rows were made of, for label files, drawing and all else that a result can do.

    Args:
        rows: In any order; those of one picture need not be together.
        epsilon: Default simplification of polygons, as a fraction of the perimeter. Rows do not hold it.

    Returns:
        For each picture that was answered, in the order of its first row, what was found in it, if anything.

    Raises:
        OptionError: Something is no row of this kind, or two pictures have one name.
        MaskError: `counts` are no run lengths of a mask of that size.
    """
    sizes: dict[str, tuple[int, int]] = {}
    found: dict[str, dict[int, Instance]] = {}
    for row in rows:
        if isinstance(_required(row, "error"), str):
            continue
        picture = str(_required(row, "picture"))
        size = int(_number(row, "height")), int(_number(row, "width"))
        instances = found.setdefault(picture, {})
        if isinstance(_required(row, "counts"), str):
            number = int(_number(row, "instance"))
            if number in instances:
                raise _two_pictures(picture)
            instances[number] = _instance(row, size, epsilon)
        if sizes.setdefault(picture, size) != size:
            raise _two_pictures(picture)
    return {
        picture: Segmentation(tuple(instances[number] for number in sorted(instances)), sizes[picture])
        for picture, instances in found.items()
    }


@known_keywords()
def failures_of(rows: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """The pictures that could not be answered, each with its error.

    Raises:
        OptionError: Something is no row of this kind.
    """
    return {str(_required(row, "picture")): error for row in rows if isinstance(error := _required(row, "error"), str)}


def _row_of_instance(seen: Row, number: int, one: Instance) -> Row:
    x1, y1, x2, y2 = one.box.tolist()
    return {
        **seen,
        "instance": number,
        "label": one.label,
        "prompt": one.prompt,
        "score": float(one.score),
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "counts": str(one.rle()["counts"]),
    }


def _instance(row: Mapping[str, object], size: tuple[int, int], epsilon: float) -> Instance:
    mask = rle_to_mask({"size": list(size), "counts": row["counts"]})
    box = np.array([_number(row, edge) for edge in ("x1", "y1", "x2", "y2")], np.float32)
    label, prompt = str(_required(row, "label")), str(_required(row, "prompt"))
    return Instance(label, prompt, _number(row, "score"), box, PackedMask.pack(mask), epsilon)


def _two_pictures(name: str) -> OptionError:
    return OptionError("picture of each row", expected="the name of one picture only", got=name)


def _required(row: Mapping[str, object], name: str) -> object:
    if name not in row:
        raise OptionError("rows", expected=f"rows with the columns {', '.join(Row.__annotations__)}", got=sorted(row))
    return row[name]


def _number(row: Mapping[str, object], name: str) -> float:
    value = _required(row, name)
    if not isinstance(value, int | float | np.number) or isinstance(value, bool):
        raise OptionError(f"{name} of a row", expected="a number", got=value)
    return float(value)
