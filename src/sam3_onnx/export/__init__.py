"""From PyTorch weights to a native bundle. Needs the extra `[export]`."""

from __future__ import annotations

from sam3_onnx.errors import MissingExtraError

try:
    from sam3_onnx.export.bundle import Recommended, export_bundle
    from sam3_onnx.export.verify import ExportMismatchError, Report
except ImportError as error:
    raise MissingExtraError(feature="Exporting a model", package=error.name or "torch", extra="export") from error

__all__ = ["ExportMismatchError", "Recommended", "Report", "export_bundle"]
