"""From PyTorch weights to a native bundle, or to six files. Needs the extra `[export]`."""

from __future__ import annotations

from sam3_onnx.errors import ExportMismatchError, MissingExtraError

try:
    from sam3_onnx.export.bundle import Recommended, export_bundle
    from sam3_onnx.export.from_checkpoint import export_checkpoint
    from sam3_onnx.export.report import Report
    from sam3_onnx.export.six_file import export_six_file
except ImportError as error:
    raise MissingExtraError(feature="Exporting a model", package=error.name or "torch", extra="export") from error

__all__ = ["ExportMismatchError", "Recommended", "Report", "export_bundle", "export_checkpoint", "export_six_file"]
