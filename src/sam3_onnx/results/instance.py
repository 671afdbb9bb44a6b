"""One thing that was found in a picture, in pixels of the picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.keywords import known_methods
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.boxes import RotatedBox, mask_to_rotated_box
from sam3_onnx.geometry.polygons import Outlines, Polygon, mask_to_outlines, mask_to_polygon
from sam3_onnx.geometry.rle import Rle, mask_to_rle
from sam3_onnx.results.shape import Shape, ShapeType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.geometry.mask_sources import MaskSource

__all__ = ["DEFAULT_EPSILON", "Instance", "part_shapes", "require_mode", "require_parts"]

DEFAULT_EPSILON = 0.001
"""Fraction of a contour's perimeter by which a polygon may differ from it; X-AnyLabeling's default."""


@known_methods
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
        box = np.array(self.box, np.float32)
        box.flags.writeable = False
        object.__setattr__(self, "box", box)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W), made anew at each call in the size of the picture."""
        return self.source.window.full(self.source.size)

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return self.source.window.area

    @property
    def centroid(self) -> tuple[float, float] | None:
        """x, y of the mask's centre of mass, where (0, 0) is the centre of the top left pixel; None if it is empty."""
        return self.source.window.centroid

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
        return self.outlines(epsilon, min_area=min_area).polygons

    def outlines(self, epsilon: float | None = None, *, min_area: float = 0) -> Outlines:
        """Returns `polygons`, and how much of the mask has none; see `sam3_onnx.geometry.mask_to_outlines`."""
        window = self.source.window
        if not window.mask.size:
            return Outlines([], 0, 0)
        shift = window.origin
        polygons, lost_parts, lost_holes = mask_to_outlines(window.mask, self._epsilon(epsilon), min_area=min_area)
        moved = [Polygon(part.exterior + shift, tuple(hole + shift for hole in part.holes)) for part in polygons]
        return Outlines(moved, lost_parts, lost_holes)

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
        require_mode(mode)
        score = self.score
        if mode == "polygon":
            polygon = self.polygon(epsilon)
            return None if polygon is None else Shape(self.label, mode, polygon, score)
        if mode == "rotation":
            box = self.rotated_box()
            return None if box is None else Shape(self.label, mode, box.corners, score, box.direction)
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


def part_shapes(outlined: Iterable[tuple[Instance, Sequence[Polygon]]]) -> Iterator[Shape]:
    """A polygon with its holes for each part of each instance; parts of one instance share a group id, from 1."""
    groups = count(1)
    for instance, parts in outlined:
        group = next(groups) if len(parts) > 1 else None
        for part in parts:
            yield Shape(instance.label, "polygon", part.exterior, instance.score, holes=part.holes, group_id=group)


def require_mode(mode: object) -> None:
    """Lets the kinds of shapes pass that masks are made into.

    Raises:
        OptionError: It is another one.
    """
    if not isinstance(mode, str) or mode not in {"polygon", "rectangle", "rotation", "mask"}:
        raise OptionError("mode", expected='"polygon", "rectangle", "rotation" or "mask"', got=mode)


def require_parts(parts: object) -> None:
    """Lets the parts of masks pass that polygons are made of.

    Raises:
        OptionError: They are others.
    """
    if not isinstance(parts, str) or parts not in {"largest", "all"}:
        raise OptionError("parts", expected='"largest" or "all"', got=parts)
