"""What can be wrong with an execution provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.models import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ProviderError"]


class ProviderError(ModelError, RuntimeError):
    """An execution provider that was asked for by name did not become active."""

    def __init__(self, *, wanted: Sequence[str], active: Sequence[str], available: Sequence[str], reason: str) -> None:
        super().__init__(
            f"Execution provider {', '.join(wanted)} did not become active: {reason}. "
            f"Active: {', '.join(active) or 'none'}; offered by the installed onnxruntime: {', '.join(available)}. "
            "Install the wheel that offers it, or choose provider='cpu'."
        )
