"""Results in the forms that other programs take."""

from sam3_onnx.conversions.coco import CocoAnnotation, coco_annotations
from sam3_onnx.conversions.geojson import Feature, FeatureCollection, feature_collection
from sam3_onnx.conversions.libraries import dataframe, shapely_geometries, supervision_detections

__all__ = [
    "CocoAnnotation",
    "Feature",
    "FeatureCollection",
    "coco_annotations",
    "dataframe",
    "feature_collection",
    "shapely_geometries",
    "supervision_detections",
]
