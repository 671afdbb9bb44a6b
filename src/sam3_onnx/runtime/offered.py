"""Which execution providers does the installed ONNX Runtime offer?"""

from __future__ import annotations

import onnxruntime as ort

__all__ = ["offered_providers"]


def offered_providers() -> tuple[str, ...]:
    """ONNX Runtime's names of the providers that were built into it, fastest first; whether they work is not said."""
    return tuple(ort.get_available_providers())
