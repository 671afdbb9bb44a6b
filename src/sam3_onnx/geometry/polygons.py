"""The polygons of a mask."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sam3_onnx._support.checks import is_number, require_whole
from sam3_onnx._support.keywords import known_keywords, known_methods
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry._contours import largest_contour, trace_parts
from sam3_onnx.geometry._masks import as_mask
from sam3_onnx.geometry.seams import signed_area

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from sam3_onnx.geometry._contours import Contour

_MIN_VERTICES = 3
_BISECTIONS = 24  # fixes epsilon to 2**-24 of the perimeter: below a thousandth of a pixel for 16 000 pixels


@known_methods
@dataclass(frozen=True, eq=False)
class Polygon:
    """A part of a mask: a ring around it, less the rings around its holes.

    Rings are open (the first vertex is not repeated), kept as read-only
    copies, and compared by value.

    Example:
        >>> square = Polygon(np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0]]))
        >>> square.area
        16.0
        >>> square == Polygon(square.exterior, square.holes)
        True

    Raises:
        OptionError: A ring is not an array `(V, 2)` of three or more vertices.
    """

    exterior: NDArray[np.float64]
    """Vertices `(V, 2)` as x, y in pixels."""
    holes: tuple[NDArray[np.float64], ...] = ()
    """Rings like `exterior`, inside it; none inside another."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "exterior", _ring("exterior", self.exterior))
        object.__setattr__(self, "holes", tuple(_ring("holes", hole) for hole in self.holes))

    @property
    def area(self) -> float:
        """Area in square pixels enclosed by `exterior`, without the holes.

        The rings run through pixel centres, so it is smaller than the number
        of pixels in the part, noticeably for small parts.
        """
        return abs(signed_area(self.exterior)) - sum(abs(signed_area(hole)) for hole in self.holes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Polygon):
            return NotImplemented
        return self._value() == other._value()

    def __hash__(self) -> int:
        return hash(self._value())

    def _value(self) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(ring.ravel().tolist()) for ring in (self.exterior, *self.holes))


class Outlines(NamedTuple):
    """The polygons of a mask, and how much of it has none."""

    polygons: list[Polygon]
    """As `mask_to_polygons` returns them."""
    lost_parts: int
    """Parts that have no polygon, since fewer than three vertices remain of them."""
    lost_holes: int
    """Such holes of those that have one."""


@known_keywords()
def mask_to_polygon(
    mask: NDArray[np.generic],
    epsilon: float = 0.001,
    *,
    threshold: float = 0.0,
    max_vertices: int | None = None,
    close: bool = False,
) -> NDArray[np.float64] | None:
    """Outline the largest part of a mask with one polygon, holes ignored.

    The largest outer contour is traced with every boundary pixel and simplified
    by the algorithm of Douglas and Peucker (1973), as X-AnyLabeling does. The
    largest is the one that encloses the largest area.

    Args:
        mask: `(H, W)` or `(1, H, W)`, bool, integer or floating point.
        epsilon: How far the polygon may lie from the contour, as a fraction
            of the contour's perimeter; 0 keeps every corner, so that the
            filled polygon gives back the part.
        threshold: Logits greater than this are foreground.
        max_vertices: Upper bound, at least 3, on the number of vertices. Where
            the polygon has more, epsilon is raised, by bisection, to the
            smallest value that keeps the bound. If every such polygon
            collapses to a line, the vertices that change the area least
            are dropped instead.
        close: Repeat the first vertex at the end (not counted in `max_vertices`).

    Returns:
        Vertices `(V, 2)`, x and y in pixels, on pixel centres (whole numbers).
        None if fewer than three vertices remain: no foreground, a single
        pixel, a straight line, or an epsilon too large for the shape.

    Raises:
        MaskError: `mask` is not a mask.
        OptionError: An option is outside its range.

    Example:
        >>> mask = np.zeros((5, 6), dtype=bool)
        >>> mask_to_polygon(mask) is None
        True
        >>> mask[1:4, 0:5] = True
        >>> mask_to_polygon(mask).tolist()
        [[0.0, 1.0], [0.0, 3.0], [4.0, 3.0], [4.0, 1.0]]
        >>> mask_to_polygon(mask, close=True).shape
        (5, 2)
        >>> mask[1:3] = False  # leaves a line
        >>> mask_to_polygon(mask) is None
        True
    """
    _check_epsilon(epsilon)
    _check_max_vertices(max_vertices)
    contour = largest_contour(as_mask(mask, threshold))
    if contour is None:
        return None
    polygon = _simplified(contour, epsilon, max_vertices)
    if len(polygon) < _MIN_VERTICES:
        return None
    return np.vstack([polygon, polygon[:1]]) if close else polygon


@known_keywords()
def mask_to_polygons(
    mask: NDArray[np.generic],
    epsilon: float = 0.001,
    *,
    min_area: float = 0,
    threshold: float = 0.0,
) -> list[Polygon]:
    """Outline every part of a mask with a polygon that knows its holes.

    A part that lies in a hole of another is a polygon of its own.

    Args:
        mask: `(H, W)` or `(1, H, W)`, bool, integer or floating point.
        epsilon: As for `mask_to_polygon`; each ring is simplified by its own
            perimeter. With 0, each polygon filled, its rings included, gives
            back its part.
        min_area: Parts of fewer foreground pixels than this are left out.
        threshold: Logits greater than this are foreground.

    Returns:
        Polygons on pixel centres, largest first by the area that the contour
        of the part encloses. Parts of which fewer than three vertices remain
        (single pixels, straight lines) are left out, and so are such holes.
        Empty if there is no foreground.

    Raises:
        MaskError: `mask` is not a mask.
        OptionError: An option is outside its range.

    Example:
        >>> mask = np.ones((5, 9), dtype=bool)
        >>> mask[:, 5:7] = False
        >>> mask[1:4, 1:4] = False
        >>> ring, bar = mask_to_polygons(mask)
        >>> ring.exterior.tolist()
        [[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0]]
        >>> len(ring.holes), len(bar.holes)
        (1, 0)
        >>> mask_to_polygons(mask, min_area=11) == [ring]
        True
    """
    return mask_to_outlines(mask, epsilon, min_area=min_area, threshold=threshold).polygons


@known_keywords()
def mask_to_outlines(
    mask: NDArray[np.generic],
    epsilon: float = 0.001,
    *,
    min_area: float = 0,
    threshold: float = 0.0,
) -> Outlines:
    """Outline every part of a mask as `mask_to_polygons` does, and count what has no outline.

    Args:
        mask: As for `mask_to_polygons`, and so are the others.
        epsilon: Fraction of the perimeter.
        min_area: Parts of fewer foreground pixels are left out, and not counted as lost.
        threshold: Logits greater than this are foreground.

    Raises:
        MaskError: `mask` is not a mask.
        OptionError: An option is outside its range.

    Example:
        >>> mask = np.zeros((5, 9), dtype=bool)
        >>> mask[0, 0:4] = mask[2:5, 5:9] = True
        >>> outlines = mask_to_outlines(mask)
        >>> len(outlines.polygons), outlines.lost_parts
        (1, 1)
    """
    _check_epsilon(epsilon)
    if not (is_number(min_area) and min_area >= 0):
        raise OptionError("min_area", expected="a number of pixels of at least 0", got=min_area)
    polygons: list[Polygon] = []
    lost_parts = lost_holes = 0
    for part in trace_parts(as_mask(mask, threshold)):
        exterior = _simplified(part.exterior, epsilon, None)
        if part.pixels < min_area:
            continue
        if len(exterior) < _MIN_VERTICES:
            lost_parts += 1
            continue
        holes = [_simplified(hole, epsilon, None) for hole in part.holes]
        kept = tuple(hole for hole in holes if len(hole) >= _MIN_VERTICES)
        lost_holes += len(holes) - len(kept)
        polygons.append(Polygon(exterior, kept))
    return Outlines(polygons, lost_parts, lost_holes)


def _simplified(contour: Contour, epsilon: float, max_vertices: int | None) -> NDArray[np.float64]:
    perimeter = cv2.arcLength(contour, closed=True)

    def at(fraction: float) -> NDArray[np.float64]:
        approximated = cv2.approxPolyDP(contour, min(fraction, 1.0) * perimeter, closed=True)
        return np.asarray(approximated, dtype=np.float64).reshape(-1, 2)

    polygon = at(epsilon)
    if max_vertices is None or len(polygon) <= max_vertices:
        return polygon
    fine, coarse = epsilon, 1.0  # no point is a perimeter away from a chord, so at 1 a line is left
    for _ in range(_BISECTIONS):
        middle = (fine + coarse) / 2
        if len(at(middle)) > max_vertices:
            fine = middle
        else:
            coarse = middle
    polygon = at(coarse)
    return polygon if len(polygon) >= _MIN_VERTICES else _thinned(at(fine), max_vertices)


def _thinned(polygon: NDArray[np.float64], max_vertices: int) -> NDArray[np.float64]:
    """Drop vertices, each time the one that changes the area least (Visvalingam and Whyatt, 1993)."""
    while len(polygon) > max_vertices:
        before = np.roll(polygon, 1, axis=0) - polygon
        after = np.roll(polygon, -1, axis=0) - polygon
        triangles = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
        polygon = np.delete(polygon, np.argmin(triangles), axis=0)
    return polygon


def _ring(name: str, vertices: ArrayLike) -> NDArray[np.float64]:
    ring = np.array(vertices, dtype=np.float64)
    if ring.ndim != 2 or ring.shape[0] < _MIN_VERTICES or ring.shape[1] != 2:  # noqa: PLR2004 - (V, 2)
        raise OptionError(name, expected="made of vertices of shape (V, 2), V at least 3", got=ring.shape)
    ring.flags.writeable = False
    return ring


def _check_epsilon(epsilon: float) -> None:
    if not (is_number(epsilon) and math.isfinite(epsilon) and epsilon >= 0):
        raise OptionError("epsilon", expected="a finite fraction of the perimeter, at least 0", got=epsilon)


def _check_max_vertices(max_vertices: int | None) -> None:
    require_whole("max_vertices", max_vertices, least=_MIN_VERTICES, none="for as many as there are")
