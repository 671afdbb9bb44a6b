"""Conversion of results to rows of a table, and of rows to results.

Every picture has at least one row, so that no picture is lost. There are three kinds of rows:

| Row | Columns in addition to `picture` |
|---|---|
| an instance | all except `error` |
| a picture in which nothing was found | `height` and `width` |
| a picture that could not be processed | `error` |
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
    """A row of the table; columns without a value are None."""

    picture: str
    """Path or other name of the picture."""
    height: int | None
    """Height of the picture in pixels."""
    width: int | None
    instance: int | None
    """Index of the instance in its picture, from 0: in the order of the prompts, and by decreasing score for each."""
    label: str | None
    prompt: str | None
    score: float | None
    """Score in 0..1."""
    x1: float | None
    """Left edge of the predicted box, which is half-open, in pixels; y1, x2 and y2 are its other edges."""
    y1: float | None
    x2: float | None
    y2: float | None
    counts: str | None
    """Mask as COCO's compressed run-length encoding, of size `height` and `width`."""
    error: str | None
    """Class and message of the error."""


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
    """Converts the result of a picture to rows.

    Args:
        picture: Name of the picture.
        result: Its result.

    Returns:
        One row for each instance, in order; one row without an instance if there is none.
    """
    height, width = result.size
    seen: Row = {**_NOTHING, "picture": picture, "height": height, "width": width}
    return [_row_of_instance(seen, number, one) for number, one in enumerate(result)] or [seen]


@known_keywords()
def row_of_failure(picture: str, error: Exception) -> Row:
    """Returns the row of a picture that could not be processed.

    Args:
        picture: Name of the picture.
        error: The error.
    """
    return {**_NOTHING, "picture": picture, "error": f"{type(error).__name__}: {error}"}


@known_keywords()
def results_of(rows: Iterable[Mapping[str, object]], *, epsilon: float = DEFAULT_EPSILON) -> dict[str, Segmentation]:
    """Converts rows back to results, for label files, drawing and all other methods of a result.

    Args:
        rows: Rows in any order; the rows of a picture do not have to be together.
        epsilon: Default simplification of polygons as a fraction of the perimeter, because rows do not contain it.

    Returns:
        The result of each processed picture by name, in the order of first rows; a result may have no instances.

    Raises:
        OptionError: A value is not such a row, or two pictures have the same name.
        MaskError: `counts` is not a run-length encoding of a mask of that size.
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
    """Returns the pictures that could not be processed, each with its error.

    Raises:
        OptionError: A value is not such a row.
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
