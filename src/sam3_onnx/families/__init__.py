"""The published kinds of SAM 3 exports, one file each, behind one protocol."""

from sam3_onnx.families.base import Arrays, Capabilities, Defaults, Detections, Family, Query
from sam3_onnx.families.recognition import ROLES, graphs_of_files, graphs_of_folder, open_family

__all__ = [
    "ROLES",
    "Arrays",
    "Capabilities",
    "Defaults",
    "Detections",
    "Family",
    "Query",
    "graphs_of_files",
    "graphs_of_folder",
    "open_family",
]
