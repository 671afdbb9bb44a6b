"""From PyTorch weights to a native bundle, or to six files. Needs the extra `[export]`."""

from __future__ import annotations

from sam3_onnx.errors import ExportMismatchError, MissingExtraError

try:
    from sam3_onnx.export.comparison.report import ExportReport
    from sam3_onnx.export.contracts.native import Recommended, export_bundle
    from sam3_onnx.export.contracts.six_file import export_six_file
    from sam3_onnx.export.from_checkpoint import export_checkpoint
except ImportError as error:
    raise MissingExtraError(feature="Exporting a model", package=error.name or "torch", extra="export") from error

__all__ = [
    "ExportMismatchError",
    "ExportReport",
    "Recommended",
    "export_bundle",
    "export_checkpoint",
    "export_six_file",
]
