"""What was measured of the parts of a model: which hold in a coarse precision, and where OpenVINO is quicker.

Parts are named by families; a part has the same name in each. The figures are in docs/providers.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.models.runtime.providers.names import OPENVINO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["HOLD_WHEN_COARSE", "QUICK_ON_MATRIX_UNITS", "is_worth"]

QUICK_ON_MATRIX_UNITS = frozenset({"image_encoder", "fusion"})
"""What OpenVINO runs several times as fast as plain ONNX Runtime on processors that have matrix units."""
HOLD_WHEN_COARSE = QUICK_ON_MATRIX_UNITS | {"geometry_encoder", "mask_decoder"}
"""What leaves answers as they are in bfloat16; all else behind fusion moves scores across thresholds."""

_NEVER_ON_OPENVINO = frozenset({"text_encoder"})
"""It took 3 to 9 s for its first word, where plain ONNX Runtime takes 0.13 s."""
_QUICK_IN_FLOAT32 = frozenset({"image_encoder"})
_INTEGER_PRODUCTS = frozenset({"MatMulInteger", "ConvInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"})
"""Operators of graphs whose quantisation is worked out in each run. OpenVINO took 34 s for what takes 7.7 s without."""


def is_worth(provider: str, options: Mapping[str, str], *, role: str, graph: GraphInfo | None, coarse: bool) -> bool:
    """Returns whether a provider is to run a part of a model, rather than plain ONNX Runtime.

    Args:
        provider: ONNX Runtime's name of it.
        options: The caller's own options for it.
        role: The part's name, such as "image_encoder".
        graph: The part; None for one of which nothing is known.
        coarse: Whether it would compute in bfloat16 or float16.
    """
    if provider != OPENVINO or options.get("device_type", "CPU") != "CPU":
        return True
    if role in _NEVER_ON_OPENVINO or (graph is not None and graph.operators & _INTEGER_PRODUCTS):
        return False
    return coarse or role in _QUICK_IN_FLOAT32
