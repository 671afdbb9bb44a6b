"""What a session answers: instances, in pixels of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from sam3_onnx.checks import is_number
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry import (
    Polygon,
    Rle,
    RotatedBox,
    mask_to_polygon,
    mask_to_polygons,
    mask_to_rle,
    mask_to_rotated_box,
)
from sam3_onnx.shapes import Shape, ShapeType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from sam3_onnx.masks import MaskSource

__all__ = ["DEFAULT_EPSILON", "Instance", "Segmentation"]

DEFAULT_EPSILON = 0.001
"""Fraction of a contour's perimeter by which a polygon may differ from it; X-AnyLabeling's default."""


@dataclass(frozen=True, eq=False)
class Instance:
    """One thing that was found."""

    label: str
    """What it is called in results."""
    prompt: str
    """What was asked for."""
    score: float
    """In 0..1."""
    box: NDArray[np.float32]
    """(4,) x1, y1, x2, y2 in pixels of the picture, half-open, clipped to the picture; as the model
    predicts it, so that it may differ from the mask's own rectangle."""
    source: MaskSource = field(repr=False)
    """Where the mask comes from when it is asked for."""
    epsilon: float = field(default=DEFAULT_EPSILON, repr=False)
    """Default simplification of this instance's polygons."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", _frozen(np.array(self.box, np.float32)))

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W), made anew at each call in the size of the picture."""
        return self.source.window.full(self.source.size)

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return self.source.window.area

    def polygon(
        self, epsilon: float | None = None, *, max_vertices: int | None = None, close: bool = False
    ) -> NDArray[np.float64] | None:
        """Outline of the mask's largest part; see `sam3_onnx.geometry.mask_to_polygon`.

        Args:
            epsilon: Fraction of the perimeter; None for the session's.
            max_vertices: Simplify until there are at most so many.
            close: Repeat the first vertex at the end.

        Returns:
            (V, 2) x, y in pixels of the picture, or None for an empty or too small mask.
        """
        window = self.source.window
        if not window.mask.size:
            return None
        polygon = mask_to_polygon(window.mask, self._epsilon(epsilon), max_vertices=max_vertices, close=close)
        return None if polygon is None else polygon + window.origin

    def polygons(self, epsilon: float | None = None, *, min_area: float = 0) -> list[Polygon]:
        """All parts of the mask with their holes, largest first; see `sam3_onnx.geometry.mask_to_polygons`."""
        window = self.source.window
        if not window.mask.size:
            return []
        shift = window.origin
        return [
            Polygon(part.exterior + shift, tuple(hole + shift for hole in part.holes))
            for part in mask_to_polygons(window.mask, self._epsilon(epsilon), min_area=min_area)
        ]

    def rectangle(self) -> tuple[int, int, int, int] | None:
        """The mask's own rectangle x1, y1, x2, y2, half-open; None for an empty mask."""
        window = self.source.window
        height, width = window.mask.shape
        return (window.x, window.y, window.x + width, window.y + height) if window.mask.size else None

    def rotated_box(self) -> RotatedBox | None:
        """The smallest rotated rectangle around the mask; see `sam3_onnx.geometry.mask_to_rotated_box`."""
        window = self.source.window
        if not window.mask.size:
            return None
        box = mask_to_rotated_box(window.mask)
        return None if box is None else RotatedBox(box.corners + window.origin)

    def rle(self, *, compressed: bool = True) -> Rle:
        """The mask as COCO's run lengths; see `sam3_onnx.geometry.mask_to_rle`."""
        return mask_to_rle(self.mask, compressed=compressed)

    def shape(self, mode: ShapeType = "polygon", *, epsilon: float | None = None) -> Shape | None:
        """What a label file holds of this instance, or None if the mask has no such outline."""
        score = self.score
        if mode == "polygon":
            polygon = self.polygon(epsilon)
            return None if polygon is None else Shape(self.label, mode, polygon, score)
        if mode == "rotation":
            box = self.rotated_box()
            return None if box is None else Shape(self.label, mode, box.corners, score, box.direction)
        _require_mode(mode)
        rectangle = self.rectangle()
        if rectangle is None:
            return None
        x1, y1, x2, y2 = rectangle
        if mode == "mask":
            pixels = np.array([(x1, y1), (x2 - 1, y2 - 1)], np.float64)
            return Shape(self.label, mode, pixels, score, mask=self.source.window.mask)
        return Shape(self.label, mode, np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], np.float64), score)

    def _epsilon(self, epsilon: float | None) -> float:
        return self.epsilon if epsilon is None else epsilon

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instance):
            return NotImplemented
        if (self.label, self.prompt, self.score) != (other.label, other.prompt, other.score):
            return False
        mine, theirs = self.source.window, other.source.window
        return (
            self.source.size == other.source.size
            and np.array_equal(self.box, other.box)
            and (mine.x, mine.y) == (theirs.x, theirs.y)
            and np.array_equal(mine.mask, theirs.mask)
        )

    def __hash__(self) -> int:
        return hash((self.label, self.prompt, self.score, self.box.tobytes()))


@dataclass(frozen=True)
class Segmentation(Sequence[Instance]):
    """All instances found in one picture: by prompt in the order given, within it by falling score."""

    instances: tuple[Instance, ...]
    size: tuple[int, int]
    """(height, width) of the picture."""
    timings: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)
    """Seconds spent by stage: read, image, text, decode, select."""

    @overload
    def __getitem__(self, index: int) -> Instance: ...
    @overload
    def __getitem__(self, index: slice) -> Segmentation: ...
    def __getitem__(self, index: int | slice) -> Instance | Segmentation:
        if isinstance(index, slice):
            return self._with(self.instances[index])
        return self.instances[index]

    def __len__(self) -> int:
        return len(self.instances)

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for instance in self.instances:
            counts[instance.label] = counts.get(instance.label, 0) + 1
        found = ", ".join(f"{count} {label}" for label, count in counts.items()) or "nothing"
        height, width = self.size
        return f"<Segmentation of {width} x {height}: {found}>"

    @cached_property
    def boxes(self) -> NDArray[np.float32]:
        """(N, 4) x1, y1, x2, y2 in pixels of the picture."""
        return _frozen(np.array([instance.box for instance in self.instances], np.float32).reshape(-1, 4))

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """(N,) in 0..1."""
        return _frozen(np.array([instance.score for instance in self.instances], np.float32))

    @property
    def labels(self) -> list[str]:
        """N labels."""
        return [instance.label for instance in self.instances]

    @property
    def masks(self) -> NDArray[np.bool_]:
        """(N, H, W), made anew at each call: N full-size arrays. One at a time, take `instance.mask`."""
        height, width = self.size
        stack = np.zeros((len(self), height, width), np.bool_)
        for plane, instance in zip(stack, self.instances, strict=True):
            window = instance.source.window
            rows, cols = window.mask.shape
            plane[window.y : window.y + rows, window.x : window.x + cols] = window.mask
        return stack

    def filter(
        self,
        *,
        label: str | None = None,
        min_score: float = 0.0,
        min_area: int = 0,
        where: Callable[[Instance], bool] | None = None,
    ) -> Segmentation:
        """The instances that meet every condition, in the same order.

        Args:
            label: Keep only this label.
            min_score: Keep scores at or above it.
            min_area: Keep masks of at least so many pixels.
            where: Keep instances for which it returns True.

        Raises:
            OptionError: A condition of another type.
        """
        _require_conditions(label, min_score, min_area, where)
        kept = (
            instance
            for instance in self.instances
            if (label is None or instance.label == label)
            and instance.score >= min_score
            and (not min_area or instance.area >= min_area)
            and (where is None or where(instance))
        )
        return self._with(tuple(kept))

    def shapes(
        self, mode: ShapeType = "polygon", *, epsilon: float | None = None, parts: Literal["largest", "all"] = "largest"
    ) -> list[Shape]:
        """What label files hold: one shape per instance, without those that have none.

        Args:
            mode: "polygon", "rectangle", "rotation" or "mask".
            epsilon: Of polygons; None for the session's.
            parts: Of polygons: "largest" outlines the largest part of a mask, its holes filled; "all" gives a polygon
                with its holes for each part, and those of one instance share a `group_id`, counted from 1. Rectangles
                and masks hold all parts, rotated boxes the largest.

        Raises:
            OptionError: Another mode, or other parts.
        """
        _require_mode(mode)
        if parts not in {"largest", "all"}:
            raise OptionError("parts", expected='"largest" or "all"', got=parts)
        if mode == "polygon" and parts == "all":
            return list(_part_shapes(self.instances, epsilon))
        shapes = (instance.shape(mode, epsilon=epsilon) for instance in self.instances)
        return [shape for shape in shapes if shape is not None]

    def _with(self, instances: tuple[Instance, ...]) -> Segmentation:
        return Segmentation(instances, self.size, self.timings)


def _part_shapes(instances: tuple[Instance, ...], epsilon: float | None) -> Iterator[Shape]:
    groups = count(1)
    for instance in instances:
        parts = instance.polygons(epsilon)
        group = next(groups) if len(parts) > 1 else None
        for part in parts:
            yield Shape(instance.label, "polygon", part.exterior, instance.score, holes=part.holes, group_id=group)


def _require_mode(mode: object) -> None:
    if mode not in {"polygon", "rectangle", "rotation", "mask"}:
        raise OptionError("mode", expected='"polygon", "rectangle", "rotation" or "mask"', got=mode)


def _require_conditions(label: object, min_score: object, min_area: object, where: object) -> None:
    if label is not None and not isinstance(label, str):
        remedy = "For several, pass where=lambda instance: instance.label in {...}."
        raise OptionError("label", expected="one string or None", got=label, remedy=remedy)
    for name, value in (("min_score", min_score), ("min_area", min_area)):
        if not is_number(value):
            raise OptionError(name, expected="a number", got=value)
    if where is not None and not callable(where):
        raise OptionError("where", expected="a function that takes an instance, or None", got=where)


def _frozen(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array.flags.writeable = False
    return array
