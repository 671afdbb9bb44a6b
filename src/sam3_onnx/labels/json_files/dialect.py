"""The JSON form for the shapes of one picture that X-AnyLabeling and labelme share.

Both programs are based on the first version of labelme: a file is one object with `shapes`, `imagePath` and the size of
the picture, and each shape is an object with `label`, `points`, `shape_type` and `group_id`. A `Dialect` describes the
differences. Unknown fields are kept, and an unchanged shape is written back exactly as it was read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from sam3_onnx._support.checks import is_number, is_whole
from sam3_onnx.errors import LabelFileKindError, LabelFileSizeError, LabelFileVersionError, LabelShapeError
from sam3_onnx.labels.json_files.masks import mask_from_text, mask_to_text
from sam3_onnx.labels.json_files.program import major_version, origin
from sam3_onnx.labels.json_files.text import dump_json, parse_json
from sam3_onnx.labels.json_files.values import FARTHEST, number, side
from sam3_onnx.labels.label_file import LabelFile, require_points
from sam3_onnx.results.shape import Shape

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.labels.json_files.program import Program
    from sam3_onnx.labels.label_file import HoleChoice
    from sam3_onnx.labels.losses import Loss

__all__ = ["Dialect", "Fit", "decode_picture", "encode_picture"]

_HELD = {"shapes", "imagePath", "imageHeight", "imageWidth"}
_INTERPRETED = {"label", "points", "shape_type"}


class Fit(Protocol):
    """A function that converts a shape to the shape types of an application."""

    def __call__(self, shape: Shape, holes: HoleChoice) -> tuple[Sequence[Shape], Sequence[Loss]]:
        """Returns the shapes to write for one shape, and the losses: what they cannot store."""
        ...


class _Source(NamedTuple):
    """The JSON entry from which a shape was read."""

    program: Program
    entry: Mapping[str, object]


@dataclass(frozen=True)
class Dialect:
    """The JSON form of the label files of one application."""

    program: Program
    version: str
    """Version of the application whose form is written; files of this major version and older ones can be read."""
    file_fields: Mapping[str, object]
    """Fields of a new file in the order of the application, with their default values."""
    shape_fields: Mapping[str, object]
    """Fields of a new shape in the order of the application, with their default values."""
    fit: Fit
    holds_masks: bool = False
    """Whether the field `mask` of a shape contains its pixels as a picture."""


def decode_picture(
    content: bytes, path: str | os.PathLike[str], dialect: Dialect, image_size: tuple[int, int] | None
) -> LabelFile:
    """Decodes the label file of one picture.

    Args:
        content: The bytes of the file.
        path: Path of the file, for messages.
        dialect: Dialect of the program that must have written the file.
        image_size: (height, width) of the picture; None to take the size from the file.

    Raises:
        LabelError: The same errors as for `PictureFormat.decode`.
    """
    target = Path(path)
    fields = parse_json(content, target)
    if not isinstance(fields, dict):
        raise _another_kind(target, dialect, f"a {type(fields).__name__}")
    entries, image_path = fields.get("shapes"), fields.get("imagePath")
    if not isinstance(entries, list) or not isinstance(image_path, str):
        raise _another_kind(target, dialect, f"an object with {', '.join(sorted(fields)[:8]) or 'no fields'}")
    version = fields.get("version")
    writer = origin(fields)
    if writer is not None and writer != dialect.program:
        raise _of_another_program(target, dialect.program, writer, version)
    if major_version(version) > major_version(dialect.version):
        raise LabelFileVersionError(target, application=dialect.program.name, known=dialect.version, got=str(version))
    size = _size(target, fields, image_size)
    shapes = tuple(_shape(entry, f"{target}, shape {at}", dialect, size) for at, entry in enumerate(entries))
    return LabelFile(shapes, image_path, size, {key: value for key, value in fields.items() if key not in _HELD})


def encode_picture(file: LabelFile, dialect: Dialect, holes: HoleChoice) -> tuple[bytes, tuple[Loss, ...]]:
    """Encodes a label file, and returns its bytes and the losses: what they cannot store.

    Raises:
        LabelShapeError: No application could read one of the shapes.
    """
    entries: list[Mapping[str, object]] = []
    losses: list[Loss] = []
    groups = count(1 + max((shape.group_id for shape in file.shapes if shape.group_id is not None), default=0))
    for shape in file.shapes:
        kept = _entry_as_it_stood(shape, dialect, file.image_size)
        if kept is not None:
            entries.append(kept)
            continue
        fitted, lost = dialect.fit(shape, holes)
        if len(fitted) > 1 and shape.group_id is None:
            group = next(groups)
            fitted = [replace(part, group_id=group) for part in fitted]
        entries += [_entry(part, f"shape {at}", dialect) for at, part in enumerate(fitted, start=len(entries))]
        losses += lost
    height, width = file.image_size
    content = {
        **dialect.file_fields,
        **file.extra,
        "version": file.extra.get("version"),
        "shapes": entries,
        "imagePath": file.image_path,
        "imageHeight": int(height),
        "imageWidth": int(width),
    }
    return dump_json({**content, "version": _version(content, dialect)}), tuple(losses)


def _shape(entry: object, where: str, dialect: Dialect, size: tuple[int, int]) -> Shape:
    if not isinstance(entry, dict):
        raise LabelShapeError(where=where, expected="an object", got=repr(entry)[:80])
    label, kind = entry.get("label"), entry.get("shape_type", "polygon")
    if not isinstance(label, str) or not isinstance(kind, str):
        got = f"{label!r} and {kind!r}"
        raise LabelShapeError(where=where, expected="a label and a shape_type that are strings", got=got)
    facts: dict[str, object] = {key: value for key, value in entry.items() if key not in _INTERPRETED}
    score, direction = number(facts.get("score")), number(facts.get("direction"))
    group_id, mask = facts.get("group_id"), facts.get("mask")
    is_mask = dialect.holds_masks and isinstance(mask, str)
    understood = {
        "score": score is not None,
        "direction": direction is not None,
        "group_id": is_whole(group_id),
        "mask": is_mask,
    }
    return Shape(
        label,
        kind,
        _points(entry.get("points"), where),
        score,
        direction,
        group_id=group_id if is_whole(group_id) else None,
        mask=_mask(mask, where, size) if is_mask and isinstance(mask, str) else None,
        extra={key: value for key, value in facts.items() if not understood.get(key, False)},
        source=_Source(dialect.program, entry),
    )


def _entry_as_it_stood(shape: Shape, dialect: Dialect, size: tuple[int, int]) -> Mapping[str, object] | None:
    """Returns the entry of an unchanged shape; None for a changed or new shape, or one of another program."""
    source = shape.source
    if not isinstance(source, _Source) or source.program != dialect.program:
        return None
    return source.entry if _shape(source.entry, shape.label, dialect, size) == shape else None


def _entry(shape: Shape, where: str, dialect: Dialect) -> dict[str, object]:
    _require_readable(shape, where)
    entry: dict[str, object] = {**dialect.shape_fields, **shape.extra}
    entry |= {"label": shape.label, "points": shape.points.tolist(), "shape_type": shape.shape_type}
    for name, value in (("score", shape.score), ("direction", shape.direction)):
        if value is not None:
            entry[name] = float(value)
    if shape.group_id is not None:
        entry["group_id"] = int(shape.group_id)
    if shape.mask is not None:
        entry["mask"] = mask_to_text(shape.mask)
    return entry


def _points(points: object, where: str) -> NDArray[np.float64]:
    if not isinstance(points, list) or not all(_is_point(point) for point in points):
        expected = f"points as a list of [x, y], finite numbers of at most {FARTHEST:g}"
        raise LabelShapeError(where=where, expected=expected, got=repr(points)[:80])
    return np.array(points, np.float64).reshape(-1, 2)


def _is_point(point: object) -> bool:
    return isinstance(point, list) and len(point) == 2 and None not in map(number, point)  # noqa: PLR2004 - x and y


def _mask(text: str, where: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    try:
        return mask_from_text(text, size)
    except ValueError as error:
        expected = "a mask as a picture in base64, not larger than the labelled picture"
        raise LabelShapeError(where=where, expected=expected, got=f"{text[:40]!r}: {error}") from error


def _require_readable(shape: Shape, where: str) -> None:
    require_points(shape, where)
    for name, value in (("score", shape.score), ("direction", shape.direction)):
        if value is not None and not np.isfinite(value):
            raise LabelShapeError(where=where, expected=f"a finite {name} or None", got=repr(value))


def _size(path: Path, content: Mapping[str, object], asked: tuple[int, int] | None) -> tuple[int, int]:
    """Returns height and width from the file or, if the file has none, from the caller."""
    said = content.get("imageHeight"), content.get("imageWidth")
    height, width = map(side, said)
    if asked is not None:
        is_said = all((is_number(value) or is_whole(value)) and value > 0 for value in said)
        if is_said and (height, width) != tuple(asked):
            raise LabelFileSizeError(path, expected=asked, got=said)
        return asked
    if height is None or width is None:
        remedy = "Pass image_size=(height, width) of the picture."
        got = f"{said[0]!r:.40} and {said[1]!r:.40}"
        raise LabelFileKindError(path, expected="imageHeight and imageWidth in pixels", got=got, remedy=remedy)
    return height, width


def _version(content: Mapping[str, object], dialect: Dialect) -> object:
    """Returns the version to write: that of the file, unless another program wrote it."""
    version = content.get("version")
    known = 0 <= major_version(version) <= major_version(dialect.version)
    return version if known and origin(content) in {None, dialect.program} else dialect.version


def _another_kind(path: Path, dialect: Dialect, got: str) -> LabelFileKindError:
    expected = f"a label file of {dialect.program.name}: an object with shapes and imagePath"
    remedy = f"{dialect.program.reader} reads only such files; for COCO files use CocoDataset.read."
    return LabelFileKindError(path, expected=expected, got=got, remedy=remedy)


def _of_another_program(path: Path, asked: Program, writer: Program, version: object) -> LabelFileKindError:
    expected, got = f"a label file of {asked.name}", f"a label file of {writer.name}, version {version}"
    remedy = f"Read it with {writer.reader}; in a shell, pass --format {writer.format_name}."
    return LabelFileKindError(path, expected=expected, got=got, remedy=remedy)
