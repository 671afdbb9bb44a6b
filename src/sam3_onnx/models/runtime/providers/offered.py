"""Which execution providers can be tried here?"""

from __future__ import annotations

from sam3_onnx.models.runtime.providers.choosing import offered

__all__ = ["offered_providers"]


def offered_providers() -> tuple[str, ...]:
    """ONNX Runtime's names of the providers built into it, fastest first, and of plug-ins that have a device here.

    Whether they work is not said.
    """
    return offered()
