"""Results as GeoJSON of RFC 7946, but in pixels of a picture rather than on the Earth.

The RFC wants rings by the right-hand rule: exteriors counterclockwise, holes clockwise. That is meant of axes of which
y points up, and programs decide it by the sign of the area that the shoelace formula gives. Here it is kept by that
sign: positive for exteriors. Since y points down in a picture, such a ring runs clockwise to the eye.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from sam3_onnx.geometry.seams import signed_area

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.geometry.polygons import Polygon
    from sam3_onnx.results.instance import Instance

__all__ = [
    "Feature",
    "FeatureCollection",
    "FeatureProperties",
    "MultiPolygonGeometry",
    "PictureFrame",
    "PolygonGeometry",
    "feature_collection",
]

_Rings: TypeAlias = "list[list[list[float]]]"


class PolygonGeometry(TypedDict):
    """One part: an exterior and its holes."""

    type: Literal["Polygon"]
    coordinates: _Rings


class MultiPolygonGeometry(TypedDict):
    """Several parts."""

    type: Literal["MultiPolygon"]
    coordinates: list[_Rings]


class FeatureProperties(TypedDict):
    """What is known of an instance."""

    label: str
    prompt: str
    score: float
    box: list[float]
    """x1, y1, x2, y2 in pixels, as the model predicts it."""


class Feature(TypedDict):
    """One instance."""

    type: Literal["Feature"]
    geometry: PolygonGeometry | MultiPolygonGeometry | None
    """None for a mask that has no outline, as the RFC provides for."""
    properties: FeatureProperties


class PictureFrame(TypedDict):
    """What the coordinates are of: a foreign member, which the RFC allows and readers skip."""

    width: int
    height: int
    axes: str


class FeatureCollection(TypedDict):
    """All instances; `json.dump` writes it as it is."""

    type: Literal["FeatureCollection"]
    features: list[Feature]
    picture: PictureFrame


def feature_collection(
    instances: Sequence[Instance], *, size: tuple[int, int], epsilon: float | None, min_area: float
) -> FeatureCollection:
    """Makes GeoJSON; see `Segmentation.to_geojson`."""
    height, width = size
    return {
        "type": "FeatureCollection",
        "features": [_feature(instance, epsilon, min_area) for instance in instances],
        "picture": {"width": width, "height": height, "axes": "pixels, x to the right, y down"},
    }


def _feature(instance: Instance, epsilon: float | None, min_area: float) -> Feature:
    return {
        "type": "Feature",
        "geometry": _geometry(instance.polygons(epsilon, min_area=min_area)),
        "properties": {
            "label": instance.label,
            "prompt": instance.prompt,
            "score": float(instance.score),
            "box": [float(edge) for edge in instance.box],
        },
    }


def _geometry(parts: Sequence[Polygon]) -> PolygonGeometry | MultiPolygonGeometry | None:
    if not parts:
        return None
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": _rings(parts[0])}
    return {"type": "MultiPolygon", "coordinates": [_rings(part) for part in parts]}


def _rings(part: Polygon) -> _Rings:
    return [_ring(part.exterior, sign=1), *(_ring(hole, sign=-1) for hole in part.holes)]


def _ring(vertices: NDArray[np.float64], *, sign: int) -> list[list[float]]:
    """The ring closed, and turned so that its signed area has the sign."""
    ring = vertices if signed_area(vertices) * sign >= 0 else vertices[::-1]
    return [[float(x), float(y)] for x, y in (*ring, ring[0])]
