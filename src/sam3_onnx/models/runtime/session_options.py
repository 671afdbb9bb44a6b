"""Options that all sessions of ONNX Runtime have that this library makes."""

from __future__ import annotations

from sam3_onnx.models.runtime.library import ort

__all__ = ["session_options"]


def session_options(threads: int | None, severity: int) -> ort.SessionOptions:
    """Returns new options.

    Args:
        threads: Threads of one run, at least 1; None leaves it to ONNX Runtime.
        severity: From which severity on onnxruntime logs, 0 to 4.
    """
    options = ort.SessionOptions()
    options.log_severity_level = severity
    # A pattern is one block as large as everything that the first run took piece by piece. From the
    # second run on it lies beside those pieces, which nothing uses any more.
    options.enable_mem_pattern = False
    if threads is not None:
        options.intra_op_num_threads = threads
    return options
