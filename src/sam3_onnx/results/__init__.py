"""Results: what a session answers, in pixels of the picture; nothing in them changes."""

from sam3_onnx.results.conversions.coco import CocoAnnotation
from sam3_onnx.results.conversions.geojson import (
    Feature,
    FeatureCollection,
    FeatureProperties,
    MultiPolygonGeometry,
    PictureFrame,
    PolygonGeometry,
)
from sam3_onnx.results.conversions.plain import InstanceDict, MaskForm, ResultDict
from sam3_onnx.results.embedding import Embedding, TextEmbedding
from sam3_onnx.results.features import FeaturePrecision, Features, OnDevice
from sam3_onnx.results.instance import DEFAULT_EPSILON, Instance
from sam3_onnx.results.object import ObjectSegmentation
from sam3_onnx.results.segmentation import Segmentation
from sam3_onnx.results.segmentation_map import MapKind, Overlap, SegmentationMap
from sam3_onnx.results.shape import Shape, ShapeType

__all__ = [
    "DEFAULT_EPSILON",
    "CocoAnnotation",
    "Embedding",
    "Feature",
    "FeatureCollection",
    "FeaturePrecision",
    "FeatureProperties",
    "Features",
    "Instance",
    "InstanceDict",
    "MapKind",
    "MaskForm",
    "MultiPolygonGeometry",
    "ObjectSegmentation",
    "OnDevice",
    "Overlap",
    "PictureFrame",
    "PolygonGeometry",
    "ResultDict",
    "Segmentation",
    "SegmentationMap",
    "Shape",
    "ShapeType",
    "TextEmbedding",
]
