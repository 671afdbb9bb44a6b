"""Maps: one number for each pixel, which trainers of semantic models read, and what the numbers mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from sam3_onnx._support.checks import is_whole
from sam3_onnx._support.files import write_atomically
from sam3_onnx._support.keywords import known_methods
from sam3_onnx.draw.style import instance_colour
from sam3_onnx.errors import OptionError
from sam3_onnx.images.indexed import encode_indexed_png
from sam3_onnx.images.writing import require_target

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.results.instance import Instance

__all__ = ["MapKind", "Overlap", "SegmentationMap", "map_of"]

Overlap: TypeAlias = Literal["score", "area"]
"""Which of two instances has a pixel that both cover: the one with the higher score, or the smaller one."""
MapKind: TypeAlias = Literal["semantic", "instance"]
"""What has a number of its own: each class, or each instance."""

_LARGEST = 65535


@known_methods
class SegmentationMap(NamedTuple):
    """One number for each pixel of a picture."""

    ids: NDArray[np.uint8] | NDArray[np.uint16]
    """(H, W): uint8 where all numbers fit, otherwise uint16."""
    legend: dict[int, str]
    """Label of each number that is not the background's; a class that was not found is in it too."""

    def palette(self) -> NDArray[np.uint8]:
        """Returns the colours of the numbers 0..255, (256, 3) uint8 RGB: those of a drawing, black for all others."""
        colours = np.zeros((256, 3), np.uint8)
        for place, number in enumerate(self.legend):
            if number < len(colours):
                colours[number] = instance_colour(place)
        return colours

    def to_png(self) -> bytes:
        """Returns the map as a PNG: numbers with a palette of colours, or 16-bit grey where they go beyond 255."""
        return encode_indexed_png(self.ids, self.palette())

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Writes the map as `to_png` makes it, in one step.

        `numpy.asarray(PIL.Image.open(path))` gives the numbers again; OpenCV would give the colours.

        Args:
            path: The file; it ends in .png.
            overwrite: Whether a file that is there is replaced.

        Returns:
            The path.

        Raises:
            OutputExistsError: There is a file already.
            OptionError: The path has another ending, or its folder is not there.
            OSError: The file cannot be written.
        """
        target = require_target(path, overwrite=overwrite, endings=(".png",))
        write_atomically(target, self.to_png())
        return target


def map_of(
    instances: Sequence[Instance],
    *,
    size: tuple[int, int],
    known: Sequence[str],
    classes: Sequence[str] | Mapping[str, int] | None,
    kind: MapKind,
    overlap: Overlap,
    background: int,
) -> SegmentationMap:
    """Makes a map of a result; see `Segmentation.segmentation_map`.

    Args:
        instances: What was found.
        size: (height, width) of the picture.
        known: The labels that were asked for, which are the classes unless others are given.
        classes: As for `Segmentation.segmentation_map`.
        kind: As for `Segmentation.segmentation_map`.
        overlap: As for `Segmentation.segmentation_map`.
        background: As for `Segmentation.segmentation_map`.
    """
    for name, value, allowed in (("kind", kind, get_args(MapKind)), ("overlap", overlap, get_args(Overlap))):
        if value not in allowed:
            raise OptionError(name, expected=" or ".join(f'"{each}"' for each in allowed), got=value)
    if not (is_whole(background) and 0 <= background <= _LARGEST):
        raise OptionError("background", expected=f"a whole number in 0..{_LARGEST}", got=background)
    if kind == "instance":
        if classes is not None:
            remedy = "Every instance has its own number, counted from 1; filter(label=[...]) leaves others out."
            raise OptionError("classes", expected='left out with kind="instance"', got=classes, remedy=remedy)
        numbers = _counted(len(instances), background)
        legend = {number: instance.label for number, instance in zip(numbers, instances, strict=True)}
    else:
        of_label = _numbers_of(known if classes is None else classes, background)
        numbers = [_number(instance.label, of_label) for instance in instances]
        legend = {number: label for label, number in of_label.items()}
    most = max((background, *legend))
    if most > _LARGEST:
        raise OptionError("classes", expected=f"numbers in 0..{_LARGEST}", got=most)
    ids = np.full(size, background, np.uint8 if most <= np.iinfo(np.uint8).max else np.uint16)
    for place in _lowest_first(instances, overlap):
        window = instances[place].source.window
        rows, columns = window.mask.shape
        ids[window.y : window.y + rows, window.x : window.x + columns][window.mask] = numbers[place]
    return SegmentationMap(ids, legend)


def _counted(count: int, background: int) -> list[int]:
    """Returns that many numbers from 1 on, without the background's."""
    return [number for number in range(1, count + 2) if number != background][:count]


def _numbers_of(classes: object, background: int) -> dict[str, int]:
    """Returns the number of each class, from 1 on unless they are given.

    Raises:
        OptionError: They are no labels, or their numbers are not whole, not different, or the background's.
    """
    if isinstance(classes, Mapping):
        of_label = dict(classes)
    elif isinstance(classes, Iterable) and not isinstance(classes, str | bytes):
        labels = list(classes)
        of_label = dict(zip(labels, _counted(len(labels), background), strict=True))
        if len(of_label) < len(labels):
            raise OptionError("classes", expected="labels that differ", got=labels)
    else:
        raise OptionError("classes", expected="a list of labels, or labels with their numbers", got=classes)
    for label, number in of_label.items():
        if not isinstance(label, str) or not is_whole(number) or not 0 <= number <= _LARGEST:
            raise OptionError("classes", expected=f"labels with whole numbers in 0..{_LARGEST}", got=of_label)
    numbers = [int(number) for number in of_label.values()]
    if len({*numbers, background}) <= len(numbers):
        expected = f"numbers that differ from each other and from the background's, {background}"
        raise OptionError("classes", expected=expected, got=of_label)
    return dict(zip(of_label, numbers, strict=True))


def _number(label: str, of_label: Mapping[str, int]) -> int:
    if label not in of_label:
        remedy = "Leave out what has no class: result.filter(label=[...]).segmentation_map(...)."
        expected = f"a list with every label, {label!r} among them"
        raise OptionError("classes", expected=expected, got=list(of_label), remedy=remedy)
    return of_label[label]


def _lowest_first(instances: Sequence[Instance], overlap: Overlap) -> list[int]:
    """Returns places in the order of painting; of equal ones the earlier lies above."""

    def height(place: int) -> tuple[float, ...]:
        instance = instances[place]
        by_score, by_area = float(instance.score), -instance.area
        return (by_score, -place) if overlap == "score" else (by_area, by_score, -place)

    return sorted(range(len(instances)), key=height)
