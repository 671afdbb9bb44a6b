"""Conversion of existing exports to other precisions; needs the package `onnx` of the extra `[optimize]`."""

from __future__ import annotations

from sam3_onnx.errors import MissingExtraError

try:
    from sam3_onnx.optimize.fidelity import Fidelity
    from sam3_onnx.optimize.report import GraphChange, OptimizeReport
    from sam3_onnx.optimize.rewriting import GraphPrecision
    from sam3_onnx.optimize.run import DEFAULT_WORDS, optimize
    from sam3_onnx.optimize.timing import PairedTime
except ModuleNotFoundError as error:
    raise MissingExtraError(feature="Optimising a model", package=error.name or "onnx", extra="optimize") from error

__all__ = ["DEFAULT_WORDS", "Fidelity", "GraphChange", "GraphPrecision", "OptimizeReport", "PairedTime", "optimize"]
