"""The published kinds of SAM 3 exports, one file each, behind one protocol."""

from sam3_onnx.families.base import (
    Arrays,
    Candidates,
    Capabilities,
    Clicks,
    Defaults,
    Detections,
    Encoder,
    Family,
    Query,
    Tracker,
)
from sam3_onnx.families.folder import exports_in_folder
from sam3_onnx.families.recognition import FAMILY_NAMES, ConceptExport, Exports, TrackerExport, exports_of_files

__all__ = [
    "FAMILY_NAMES",
    "Arrays",
    "Candidates",
    "Capabilities",
    "Clicks",
    "ConceptExport",
    "Defaults",
    "Detections",
    "Encoder",
    "Exports",
    "Family",
    "Query",
    "Tracker",
    "TrackerExport",
    "exports_in_folder",
    "exports_of_files",
]
