"""GELU in the order of steps that ONNX Runtime recognises and makes one operator of."""

from __future__ import annotations

import math

import torch

__all__ = ["gelu_translation"]


def gelu_translation() -> dict[object, object]:
    """What `torch.onnx.export` needs to write GELU as x / 2 * (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel, 2016).

    PyTorch's own translation halves the sum first, and nothing recognises that.
    """
    from onnxscript import opset18 as op  # noqa: PLC0415 - only an export needs it

    def translate(x, approximate="none"):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - onnxscript's own values
        if approximate != "none":
            raise NotImplementedError(f"GELU with approximate={approximate!r} has no translation")
        return op.Mul(op.Mul(x, 0.5), op.Add(op.Erf(op.Div(x, math.sqrt(2))), 1.0))

    return {torch.ops.aten.gelu.default: translate}
